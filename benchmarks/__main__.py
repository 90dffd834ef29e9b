"""Run the benchmarks one after the other, record what they say, and renew docs/claims.md and the README's table.

    python -m benchmarks                    # all of them, about an hour; peers' environments are made on first use
    python -m benchmarks fetch_stage api    # these only

A benchmark that fails is named at the end; what was recorded of it before stays.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.report import RESULTS, ROOT

MODULES: dict[str, tuple[str, ...]] = {
    "replaced": (),
    "fetch_stage": (),
    "fetch_engine": (),
    "pybaseball_fetch": (),
    "redis_load": ("--large",),
    "gx_polars": (),
    "props_kernel": (),
    "cache": (),
    "api": (),
    "availability": (),
    "board": (),
    "orchestration": (),
    "backfill": (),
    "sizing": (),
}
"""Every benchmark that runs on what the project makes itself, with the arguments of a full run."""

RECORDINGS = ROOT.parent / "shared" / "realdata"
ON_RECORDINGS = {"props_score": (), "props_market": ()}
"""Those that need recordings of the real feeds; left out where there are none."""


def main() -> int:
    """Run what is asked for; return how many failed."""
    known = MODULES | (ON_RECORDINGS if RECORDINGS.is_dir() else {})
    wanted = sys.argv[1:] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    failed = [name for name in wanted if not ran(name, known[name])]
    written = subprocess.run([sys.executable, "-m", "benchmarks.claims"], check=False).returncode
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed) + written


def ran(name: str, arguments: tuple[str, ...]) -> bool:
    """Run one benchmark and record it; return whether it ended well."""
    print(f"\n== python -m benchmarks.{name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--record", str(RESULTS / f"{name}.json")]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
