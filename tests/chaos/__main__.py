"""Seasons of the demo league under faults that a seed decides, and what is left of them: `make chaos`.

    python -m tests.chaos --seeds 200              # the long form; --workers 2 where cores are idle
    python -m tests.chaos --first 17 --seeds 1     # one seed again
    python -m tests.chaos --seeds 200 --resume F   # a seed that F says held is not played again

After each seed every row is accounted for, every slate is as on calm days, nothing is left behind, and a reader that
polled all the time never saw half a slate (`tests.chaos.checks`, `tests.chaos.watch`). Exit code 1 when a seed failed.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.report import Report, arguments
from tests.chaos.schedule import KINDS
from tests.chaos.workers import played

REPEAT = "python -m tests.chaos --first {seed} --seeds 1"


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=1, help="processes, each with servers of its own")
    parser.add_argument("--resume", type=Path, help="JSON lines, one a seed: read before, written on")
    parser.add_argument("--keep", action="store_true", help="keep the homes of seeds that failed")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    wanted = range(options.first, options.first + options.seeds)
    done = {each["seed"]: each for each in _read(options.resume) if each["seed"] in wanted and not each["wrong"]}
    left = [seed for seed in wanted if seed not in done]
    console = Console(width=150, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("chaos", total=len(wanted), completed=len(done))
        for told in played(left, options.workers, keep=options.keep):
            done[told["seed"]] = told
            if options.resume:
                with options.resume.open("a") as file:
                    file.write(json.dumps(told) + "\n")
            failed = sum(bool(each["wrong"]) for each in done.values())
            progress.update(
                task, advance=1, description=f"{failed} failed · seed {told['seed']}: {told['seconds']:.1f} s"
            )
            progress.console.print(_line(told), markup=False, soft_wrap=True)
    report([done[seed] for seed in sorted(done)], options.record)
    return 1 if any(each["wrong"] for each in done.values()) else 0


def report(seeds: list[dict[str, Any]], record: Path | None) -> None:
    """Print what the seeds came to, and write it where that was asked for."""
    told = Report("chaos", record)
    held, failed = [each for each in seeds if not each["wrong"]], [each for each in seeds if each["wrong"]]
    table = told.table("seeds", "Seasons of the demo league under faults", unit=f"of {len(seeds)} seeds", better="more")
    faults = Counter(kind for each in seeds for kind in each["struck"])
    table.row(
        "held", len(held),
        faults=sum(faults.values()), runs_killed=sum(each["killed"] for each in seeds),
        reruns=sum(each["reruns"] for each in seeds), reads=f"{sum(each['reads'] for each in seeds):,}",
        rows=f"{sum(each['rows'] for each in seeds):,}",
        feature_reads=f"{sum(each['feature_reads'] for each in seeds):,}",
        rebuilds=sum(each["rebuilds"] for each in seeds), days=_lengths(seeds),
        commits=", ".join(sorted({each["commit"] for each in seeds})),
    )  # fmt: skip
    table.row("failed", len(failed))
    kinds = told.table("faults", "Faults by kind", unit="times", better="more")
    for kind, what in KINDS.items():
        hit = [each for each in seeds if kind in each["struck"]]
        kinds.row(
            what,
            faults[kind],
            held=sum(not each["wrong"] for each in hit),
            failed=sum(bool(each["wrong"]) for each in hit),
            spared=sum(each["spared"].count(kind) for each in seeds),
        )
    times = told.table("time", "One seed", unit="s")
    times.row("a season with its repeats and its checks", [each["seconds"] for each in seeds] or 0.0)
    told.close()
    for each in failed:
        told.console.print(_line(each), markup=False)
        told.console.print(f"  again: {REPEAT.format(seed=each['seed'])}", markup=False)


def _lengths(seeds: list[dict[str, Any]]) -> str:
    """Say how long the seasons were: seeds by days."""
    lengths = Counter(each["days"] for each in seeds)
    return ", ".join(f"{number} of {days} day{'s' * (days > 1)}" for days, number in sorted(lengths.items()))


def _line(told: dict[str, Any]) -> str:
    wrong = "held" if not told["wrong"] else f"FAILED: {'; '.join(told['wrong'][:4])}"
    return f"seed {told['seed']} ({told['plan']}): {wrong}"


def _read(path: Path | None) -> Iterator[dict[str, Any]]:
    if path is not None and path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())
