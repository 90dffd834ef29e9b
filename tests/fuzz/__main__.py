"""Fuzz every parser for a stated time: python -m tests.fuzz --seconds 60 (of each parser); exit code 1 on a crash."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.progress import track
from rich.table import Table

from backstop.demo.upstream import Upstream
from tests.fuzz.bodies import sound
from tests.fuzz.hunt import Hunt, hunt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each parser")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    with Upstream.start("demo") as upstream:
        answers = sound(upstream.base_url)
    found = [
        hunt(answer, games, seconds=asked.seconds, first=asked.first)
        for answer, games in track(answers.values(), "fuzzing", transient=True)
    ]
    show(found, asked.seconds)
    return 1 if any(each.crashes for each in found) else 0


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
