"""Say which share of the branches the tests take, room by room: python -m scripts.covered [--record FILE] [--floor 90]

Reads what `scripts/coverage` left in .coverage/. A branch is an exit of a decision: an `if` has two.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverage import Coverage

from benchmarks.report import ROOT, Report

DATA = ROOT / ".coverage" / "data"


@dataclass
class Taken:
    """What was run of a room.

    Attributes:
        branches: Exits of decisions.
        taken: Those that a test takes.
        statements: Statements.
        run: Those that a test runs.
    """

    branches: int = 0
    taken: int = 0
    statements: int = 0
    run: int = 0

    def add(self, summary: Mapping[str, Any]) -> None:
        """Add a file's summary, as `coverage json` gives it."""
        self.branches += summary["num_branches"]
        self.taken += summary["covered_branches"]
        self.statements += summary["num_statements"]
        self.run += summary["covered_lines"]

    @property
    def percent(self) -> float:
        """The share of the branches in percent; all of none is 100."""
        return 100 * self.taken / self.branches if self.branches else 100.0


def room(path: str) -> str:
    """Return the room of a file: its folder, two levels deep in the library, one elsewhere."""
    parts = Path(path).parts
    if parts[0] != "src":
        return parts[0]
    return "/".join(parts[1:3]) if len(parts) > 3 else parts[1]  # noqa: PLR2004 - src, package, room, file


def rooms(told: Mapping[str, Any]) -> dict[str, Taken]:
    """Return each room's share from what `coverage json` says, by name; files elsewhere are left out."""
    found: dict[str, Taken] = defaultdict(Taken)
    for path, file in told["files"].items():
        if not Path(path).is_absolute():
            found[room(path)].add(file["summary"])
    return dict(sorted(found.items()))


def measured(data: Path = DATA) -> dict[str, Any]:
    """Return what was measured, as `coverage json` says it."""
    known = Coverage(data_file=str(data), config_file=str(ROOT / "pyproject.toml"))
    known.load()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        # of what ran from another folder, such as a release that a test deployed, the source may be gone
        known.json_report(outfile=str(out), include=[f"{ROOT}/*"])
        told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return told


def main() -> int:
    """Print the table, record it where that was asked for, and fail below the floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, help="also write the figures to this file (JSON)")
    parser.add_argument("--floor", type=float, default=0.0, help="percent of all branches that must be taken")
    asked = parser.parse_args()
    found = rooms(measured())
    whole = Taken(*(sum(getattr(each, name) for each in found.values()) for name in Taken.__annotations__))
    report = Report("coverage", asked.record)
    table = report.table("branches", "Branches that the tests take", unit="% of the branches", better="more")
    for name, each in {"everything": whole, **found}.items():
        table.row(
            name, each.percent, branches=f"{each.branches:,}", statements=f"{each.statements:,}", run=f"{each.run:,}"
        )
    report.close()
    if whole.percent < asked.floor:
        print(f"{whole.percent:.1f} % of the branches are taken, the floor is {asked.floor:g} %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
