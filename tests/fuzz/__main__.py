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
from tests.fuzz.hunt import COUNTED, Hunt, hunt
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
    tries, crashes = sum(each.tries for each in found), sum(each.ends["crashed"] for each in found)
    read, refused = sum(each.read for each in found), sum(each.refused for each in found)
    counted = sum(each.ends[COUNTED] for each in found)
    title = f"Damaged answers at {len(found)} parsers, {seconds:g} s each"
    table = told.table("answers", title, unit=f"of {tries:,} answers", better="more")
    table.row("no crash", tries - crashes, parsers=len(found), seconds=f"{seconds:g}")
    table.row("crash", crashes)
    ends = told.table("ends", "How they ended", unit=f"of {tries:,} answers", better="more")
    ends.row("read, every row loaded or rejected", read, share=_share(read, tries))
    ends.row("of these with the rows counted beside the parser", counted, share=_share(counted, read))
    ends.row("refused by name", refused, share=_share(refused, tries))
    shares = told.table("parsers", "Read, by parser", unit="% of its answers", better="more")
    for each in found:
        shares.row(each.table, 100 * each.read / each.tries, tries=f"{each.tries:,}",
                   counted=_share(each.ends[COUNTED], each.read))  # fmt: skip
    told.close()


def _share(part: int, of: int) -> str:
    return f"{part / of:.1%}" if of else "-"


def show(found: list[Hunt], seconds: float) -> None:
    console = Console(width=130)
    table = Table(
        title=f"{seconds:g} s a parser: {sum(each.tries for each in found):,} damaged answers", title_justify="left"
    )
    for heading in ("table", "tries", "read", "rows counted", "refused", "crashed"):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    for each in found:
        table.add_row(
            each.table,
            f"{each.tries:,}",
            f"{each.read:,}",
            _share(each.ends[COUNTED], each.read),
            f"{each.refused:,}",
            str(each.ends["crashed"]),
        )
    console.print(table)
    for each in found:
        for seed, error in list(each.crashes.items())[:5]:
            console.print(f"{each.table} seed {seed}: {error[:300]}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
