"""What an operator sees: the one screen of `status`, and what a rollback changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from backstop.cli import tables
from backstop.stages.days import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from backstop.stages.feeds import FeedStatus
    from backstop.stages.standing import Standing
    from backstop.store.slates import Diff

STYLES: Final[dict[Condition, str]] = {
    Condition.COMPLETE: "green",
    Condition.DEGRADED: "yellow",
    Condition.EMPTY: "dim",
    Condition.FAILED: "red",
    Condition.RUNNING: "cyan",
    Condition.MISSING: "magenta",
}

ROWS: Final = 15
"""Rows of a difference that are shown."""

REASON: Final = 70
"""Characters of a reason that fit a line."""


def status(console: Console, found: Standing, runs: Sequence[dict[str, Any]], chosen: Sequence[str] = ()) -> None:
    """Print how things stand: the answer first, what somebody chose to pause, then what it is made of."""
    if found.problems:
        number = len(found.problems)
        console.print(f"[bold red]{'1 thing needs' if number == 1 else f'{number} things need'} a look[/bold red]")
        for sentence in found.problems:
            console.print(f"  {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    else:
        console.print("[bold green]All is right.[/bold green]")
    for sentence in chosen:
        console.print(f"  {sentence}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(_today(found))
    season = ", ".join(f"{number} {condition}" for condition, number in sorted(found.season.items()))
    console.print(f"season    {season or 'no day of this year'}")
    rows = ", ".join(f"{table} {number:,}" for table, number in found.quarantine.items())
    console.print(f"quarantine  {rows or 'empty'}")
    console.print(_recent(found))
    if found.feeds:
        console.print(_feeds(found.feeds))
    if runs:
        console.print(_runs(runs))


def _today(found: Standing) -> str:
    day = found.recent[-1]
    if not found.games:
        return f"today     {day.day}: no games that count"
    said = "Redis does not answer" if found.slate is None else f"served {found.slate.state}"
    if found.slate is not None and found.slate.version is not None:
        said += f", version {found.slate.version}, {tables.age(found.slate.age_s)} old"
    begins = f" from {found.first_pitch_at:%H:%M} UTC" if found.first_pitch_at else ", starts to be determined"
    return f"today     {day.day}: {day.condition}, {found.games} games{begins}; {said}"


def _recent(found: Standing) -> Table:
    table = Table(title="Slates", title_justify="left")
    for name in ("day", "state", "props", "closed (UTC)", "why"):
        table.add_column(name, no_wrap=True)
    for day in reversed(found.recent):
        closed = f"{day.closed_at:%m-%d %H:%M}" if day.closed_at else ""
        state = f"[{STYLES[day.condition]}]{day.condition}[/]"
        table.add_row(str(day.day), state, f"{day.props:,}" if day.props else "", closed, escape(day.reason[:REASON]))
    return table


def _feeds(feeds: Sequence[FeedStatus]) -> Table:
    table = Table(title="Feeds", title_justify="left")
    for name in ("feed", "breaker", "last success (UTC)", "credits left", "last error"):
        table.add_column(name, no_wrap=True)
    for each in feeds:
        health = each.health
        last = f"{health.last_success_at:%m-%d %H:%M}" if health.last_success_at else "never seen"
        credits_left = f"{health.credits_left:,}" if health.credits_left is not None else "–"
        style = "green" if health.breaker == "closed" else "red"
        error = escape((health.last_error or "")[:REASON])
        table.add_row(health.feed, f"[{style}]{health.breaker}[/]", last, credits_left, error)
    return table


def _runs(runs: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="Last runs", title_justify="left")
    for name in ("run", "state", "began (UTC)", "took"):
        table.add_column(name, no_wrap=True)
    for run in runs:
        table.add_row(
            escape(run["name"]),
            escape(run["state"]),
            run["began"] or "",
            f"{run['took_s']:.0f} s" if run["took_s"] else "",
        )
    return table


def difference(console: Console, found: Diff) -> None:
    """Print what changed from one version to another."""
    console.print(f"{found.added.height:,} added, {found.gone.height:,} gone, {found.changed.height:,} fields changed")
    with pl.Config(tbl_rows=ROWS, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        for frame in (found.added, found.gone, found.changed):
            if frame.height:
                console.print(str(frame.head(ROWS)), markup=False, highlight=False)
