"""Fuzz every parser for a stated time: python -m tests.fuzz --seconds 60 (of each parser); exit code 1 on a crash."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table

from backstop.demo.upstream import Upstream
from backstop.net.item import Answer
from backstop.sources import registry
from benchmarks.report import Report, arguments
from tests.fuzz.bodies import sound
from tests.fuzz.hunt import Hunt, hunt
from tests.fuzz.recorded import recorded

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "realdata"
"""Not part of the repository; the hunt goes on without them."""


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each parser")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    found = [
        hunt(name, answers, seconds=asked.seconds, first=asked.first)
        for name, answers in track(seeds().items(), "fuzzing", transient=True)
    ]
    show(found, asked.seconds)
    report(found, asked.seconds, asked.record)
    return 1 if any(each.crashes for each in found) else 0


def seeds() -> dict[str, list[tuple[Answer, pl.DataFrame]]]:
    """Return sound answers by parser, under the name of its first table: simulated ones, and recorded where they are."""
    with Upstream.start("demo") as upstream:
        answers = list(sound(upstream.base_url).values())
    answers += [each for tables in recorded(RECORDINGS).values() for each in tables]
    parsers: dict[str, Callable[..., object]] = {}
    found: dict[str, list[tuple[Answer, pl.DataFrame]]] = {}
    for answer, games in answers:
        table = answer.item.table
        name = next((name for name, parser in parsers.items() if parser is registry.TABLES[table].parse), table)
        parsers[name] = registry.TABLES[table].parse
        found.setdefault(name, []).append((answer, games))
    return found


def report(found: list[Hunt], seconds: float, record: Path | None) -> None:
    """Print what the hunts came to together, and write it where that was asked for."""
    told = Report("fuzz", record)
    tries, crashes = sum(each.tries for each in found), sum(len(each.crashes) for each in found)
    title = f"Damaged answers at {len(found)} parsers, {seconds:g} s each"
    table = told.table("answers", title, unit=f"of {tries:,} answers", better="more")
    table.row("no crash", tries - crashes, parsers=len(found), seconds=f"{seconds:g}")
    table.row("crash", crashes)
    told.close()


def show(found: list[Hunt], seconds: float) -> None:
    console = Console(width=130)
    table = Table(
        title=f"{seconds:g} s a parser: {sum(each.tries for each in found):,} damaged answers", title_justify="left"
    )
    for heading in ("table", "tries", "read", "refused", "crashed"):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    for each in found:
        read, crashed = each.ends["read"], len(each.crashes)
        table.add_row(each.table, f"{each.tries:,}", f"{read:,}", f"{each.tries - read - crashed:,}", str(crashed))
    console.print(table)
    for each in found:
        for seed, error in list(each.crashes.items())[:5]:
            console.print(f"{each.table} seed {seed}: {error[:300]}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
