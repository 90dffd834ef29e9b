"""What the commands about the feeds print: what was fetched, each feed's state, what a day would cost."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from backstop.stages.collect import Collected
    from backstop.stages.feeds import FeedStatus
    from backstop.stages.forecast import Asked

GAPS = 10


def closing(done: Sequence[Collected]) -> Table:
    """Return a line per step: items, bytes, how they were had, rows."""
    table = Table(title="Fetched", title_justify="left")
    table.add_column("step")
    for column in ("items", "bytes", "from archive", "retried", "split", "failed", "seconds", "rows", "quarantined"):
        table.add_column(column, justify="right")
    for each in done:
        rows = sum(outcome.loaded for outcome in each.outcomes)
        aside = sum(outcome.quarantined for outcome in each.outcomes)
        numbers = (each.items, each.size, each.from_archive, each.retried, each.split, each.failed)
        table.add_row(each.label, *(f"{n:,}" for n in numbers), f"{each.seconds:.1f}", f"{rows:,}", f"{aside:,}")
    return table


def tell(console: Console, done: Sequence[Collected]) -> None:
    """Print who stood in for whom, drift, and the gaps."""
    outcomes = [outcome for each in done for outcome in each.outcomes]
    for note in dict.fromkeys(note for each in done for note in each.notes):
        console.print(note, soft_wrap=True, markup=False)
    for outcome in outcomes:
        if outcome.drift:
            console.print(f"{outcome.table}: columns drifted: {'; '.join(outcome.drift)}", soft_wrap=True, markup=False)
    gaps = list(dict.fromkeys(gap for outcome in outcomes for gap in outcome.gaps))
    for gap in gaps[:GAPS]:
        console.print(f"missing {gap.table} {gap.key}: {gap.reason}", soft_wrap=True, markup=False, style="yellow")
    if len(gaps) > GAPS:
        rest = Counter(gap.table for gap in gaps[GAPS:])
        each = ", ".join(f"{number:,} of {table}" for table, number in rest.most_common(GAPS))
        console.print(f"missing {rest.total():,} more: {each}", soft_wrap=True, markup=False, style="yellow")


def states(found: Sequence[FeedStatus]) -> Table:
    """Return a line per feed."""
    table = Table(title="Feeds", title_justify="left")
    for column in ("feed", "breaker", "since (UTC)", "gate", "last success (UTC)", "credits left"):
        table.add_column(column)
    for column in ("requests", "retries", "failures"):
        table.add_column(column, justify="right")
    table.add_column("last error")
    for each in found:
        health, counts = each.health, each.counts
        table.add_row(
            health.feed,
            f"[{'green' if health.breaker == 'closed' else 'red'}]{health.breaker}[/]",
            instant(health.open_since),
            f"{health.gate_width} of {health.gate_cap}",
            instant(health.last_success_at),
            "–" if health.credits_left is None else f"{health.credits_left:,}",
            *(f"{number:,}" for number in (counts.requests, counts.retries, counts.failures)),
            Text(health.last_error or ""),
        )
    return table


def instant(at: dt.datetime | None) -> str:
    """Write an instant, or a dash where there is none."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def requests(day: dt.date, asked: Sequence[Asked]) -> Table:
    """Return a line per table that a refresh of the day would ask for."""
    table = Table(title=f"Requests for {day}", title_justify="left")
    table.add_column("table")
    table.add_column("feed")
    for column in ("requests", "credits at most"):
        table.add_column(column, justify="right")
    table.add_column("")
    for each in asked:
        table.add_row(
            each.table, each.feed, f"{each.requests:,}", f"{each.credits:,}" if each.credits else "–", Text(each.note)
        )
    return table
