"""Great Expectations on Polars beside the pandas engine, pandera, pointblank, dataframely and a hand-written `select`.

    python -m benchmarks.gx_polars                                  # everything, about ten minutes
    python -m benchmarks.gx_polars --rows 50 2500 --rounds 1        # small tables only
    python -m benchmarks.gx_polars --rows 50 --record FILE --add    # one size; the file keeps the others of this commit
    python -m benchmarks.gx_polars --peers-python /path/bin/python  # the peers from an environment that is there

26 checks on 20 columns, 50 to a million rows, clean and with 1 % of rows spoilt for each of ten checks. Each tool runs in a
process of its own, one process at a time, after a warm-up on 50 rows; the tools take turns within a round, so that a busy
minute of the machine falls on all of them. `processor` is the time of all threads, and means something on a machine with
other work too. The peak is what one validation adds to the resident memory of the process with the table loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.gx_polars_table import write
from benchmarks.gx_polars_tools import PEERS, TOOLS
from benchmarks.report import Report, Table, figure
from benchmarks.report import arguments as common

ROOT = Path(__file__).resolve().parents[1]
LIMIT = "hand-written select"
RUNS = {50: 21, 2_500: 21, 100_000: 9, 1_000_000: 7}
ON_CLEAN_ONLY = {"gx_polars.validate, scan"}


@dataclass
class Measured:
    """What one tool needed for one table, over all rounds."""

    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    failed: int = -1

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_ms)


def run_tool(python: Path, tool: str, path: Path, runs: int) -> dict[str, Any]:
    """One process: one tool on one table."""
    command = [str(python), "-m", "benchmarks.gx_polars_tools", tool, str(path), str(runs)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} on {path.name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def measure(
    tools: list[str], path: Path, runs: int, rounds: int, peers: Path | None, report: Report
) -> dict[str, Measured]:
    """Every tool on one table, in turns."""
    measured: dict[str, Measured] = {}
    for tool in tools * rounds:
        python = peers if tool in PEERS else Path(sys.executable)
        if python is None or (tool in ON_CLEAN_ONLY and path.name.startswith("dirty")):
            continue
        answer = run_tool(python, tool, path, runs)
        into = measured.setdefault(tool, Measured())
        print(f"{path.stem} {tool}: best {min(answer['ms']):,.1f} ms", file=sys.stderr, flush=True)
        into.ms += answer["ms"]
        into.cpu_ms += answer["cpu_ms"]
        into.peak_mb += [answer["peak_mb"]] if answer["peak_mb"] is not None else []
        into.failed = answer["failed"]
    counts = {tool: each.failed for tool, each in measured.items()}
    if len(set(counts.values())) > 1:
        report.console.print(f"[yellow]The tools do not agree on how many checks fail on {path.stem}: {counts}")
    return measured


def fill(table: Table, measured: dict[str, Measured]) -> None:
    """One row a tool; the limit comes first, so that every ratio is to it."""
    for tool, each in sorted(measured.items(), key=lambda pair: pair[0] != LIMIT):
        peak = {"peak MB above the frame": f"{statistics.median(each.peak_mb):,.0f}"} if each.peak_mb else {}
        more = {"best": figure(min(each.ms)), "processor": figure(each.cpu), **peak, "checks failed": each.failed}
        table.row(tool, each.ms, **more)


def arguments() -> argparse.Namespace:
    parser = common(__doc__, rounds=2)
    parser.add_argument("--rows", type=int, nargs="+", default=list(RUNS))
    parser.add_argument("--data", nargs="+", choices=["clean", "dirty"], default=["clean", "dirty"])
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    parser.add_argument("--add", action="store_true", help="keep the tables of other sizes that the recorded file has")
    parser.add_argument("--peers-python", type=Path, help="an interpreter that has benchmarks/peers/gx.txt installed")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    report = Report("gx_polars", asked.record, add=asked.add)
    peers = environments.python("gx", asked.peers_python) if PEERS & set(asked.tools) else None
    with tempfile.TemporaryDirectory() as folder:
        for kind in asked.data:
            for rows in asked.rows:
                path = write(Path(folder), rows, kind)
                measured = measure(asked.tools, path, RUNS.get(rows, 5), asked.rounds, peers, report)
                title = f"{kind}, {rows:,} rows x 20 columns, 26 checks, {asked.rounds} processes a tool"
                fill(report.table(f"{kind}_{rows}", title, unit="ms"), measured)
                report.save()
    report.close()


if __name__ == "__main__":
    main()
