"""Run the benchmarks one after the other, record what they say, and renew docs/claims.md and the README's table.

    python -m benchmarks                    # all of them, about an hour on two quiet cores; peers' environments come first
    python -m benchmarks fetch_stage api    # these only
    python -m benchmarks --small            # in the smallest sizes, to see that they run: .bench/small, no page renewed

A benchmark that fails is named at the end and the others go on; what was recorded of it before stays. So is a claim whose
rows its benchmark did not record.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import claims
from benchmarks.environments import MADE
from benchmarks.report import RESULTS, ROOT


@dataclass(frozen=True)
class Size:
    """The arguments of one benchmark: of the run that is recorded, and of the shortest one that makes every table."""

    full: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Tables that the shortest one does not make all the same: a million rows take minutes however few rounds there are."""


ONCE = ("--rounds", "1")
MODULES = {
    "replaced": Size(small=ONCE),
    "fetch_stage": Size(small=ONCE),
    "fetch_engine": Size(small=("--quick",)),
    "pybaseball_fetch": Size(small=ONCE),
    "redis_load": Size(("--large",), ("--rows", "4000", *ONCE)),
    "gx_polars": Size(ONCE, ("--rows", "50", "--data", "clean", *ONCE), left_out=("clean_1000000",)),
    "props_kernel": Size(small=ONCE),
    "cache": Size(small=ONCE),
    "api": Size(small=("--seconds", "2", "--readers", "20", "--flips", "3")),
    "availability": Size(small=("--ticks", "2", *ONCE)),
    "board": Size(small=ONCE),
    "orchestration": Size(small=ONCE),
    "backfill": Size(full=("--days", "180"), small=("--days", "2")),
    "sizing": Size(small=("--days", "1")),
    "demo_league": Size(small=ONCE),
    "league_truth": Size(small=("--days", "1")),
}
"""Every benchmark that runs on what the project makes itself."""

RECORDINGS = ROOT.parent / "shared" / "realdata"
ON_RECORDINGS = {"props_score": Size(), "props_market": Size()}
"""Those that need recordings of the real feeds; left out where there are none."""

LONGEST_S = 3600
"""What hangs for an hour is ended and named; the longest takes a quarter of it."""


def main() -> int:
    """Run what is asked for; return how many failed."""
    known = MODULES | (ON_RECORDINGS if RECORDINGS.is_dir() else {})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--small", action="store_true", help="smallest sizes, nothing recorded in the repository")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    folder = MADE / "small" if asked.small else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in asked.names or known:
        size = known[name]
        if not ran(name, size.small if asked.small else size.full, folder):
            failed.append(name)
    written = 0 if asked.small else subprocess.run([sys.executable, "-m", "benchmarks.claims"], check=False).returncode
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    left_out = {table for size in known.values() for table in size.left_out} if asked.small else set()
    lost = claims.lost([name for name in asked.names or known if name not in failed], folder, left_out)
    for each in lost:
        print(f"a claim without its rows: {each}", file=sys.stderr)
    return len(failed) + len(lost) + written


def ran(name: str, arguments: tuple[str, ...], folder: Path) -> bool:
    """Run one benchmark and record it into a folder; return whether it ended well and left a record."""
    print(f"\n== python -m benchmarks.{' '.join([name, *arguments])}", flush=True)
    began, record = time.time(), folder / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--record", str(record)]
    try:
        ended = subprocess.run(command, check=False, timeout=LONGEST_S).returncode
    except subprocess.TimeoutExpired:
        print(f"{name} was not over after {LONGEST_S} s", file=sys.stderr)
        return False
    print(f"== {name}: {time.time() - began:.0f} s", flush=True)
    return ended == 0 and record.exists() and record.stat().st_mtime >= began - 1


if __name__ == "__main__":
    sys.exit(main())
