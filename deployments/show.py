"""What the terminal shows when a run is over: best prices, counts, gaps and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from backstop.cli import tables
from backstop.stages.outcome import worst

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from rich.console import Console

    from backstop.settings import Settings
    from backstop.stages.house import House
    from backstop.stages.outcome import Gap, Outcome
    from deployments.server import PrefectServer
    from tasks.backfill import BackfillSummary
    from tasks.grade import GradeSummary
    from tasks.summary import HistorySummary, SlateSummary

TOP = 12
GAPS = 10


def result(console: Console, house: House, summary: SlateSummary, page: str, seconds: float) -> None:
    """Print the best prices, the counts with one quarantined row, the gaps and the run's page."""
    if summary.version is None:
        console.print(f"{summary.note}: nothing to publish.", markup=False)
    else:
        view = house.reader.slate(summary.day)
        console.print(tables.slate_heading(view))
        console.print(tables.best_props(house.reader.props(summary.day), TOP))
    console.print(_counts(summary.outcomes))
    for each in worst(row for outcome in summary.outcomes for row in outcome.worst)[:1]:
        said = f"{each.rule}: {each.reason} — {each.row}"[:600]
        console.print(Panel(escape(said), title="a quarantined row", title_align="left", border_style="yellow"))
    for note in summary.notes:
        console.print(note, markup=False, soft_wrap=True)
    _gaps(console, summary.gaps)
    console.print(f"run page  {page}", soft_wrap=True)
    missing = f", {len(summary.gaps)} gaps named above" if summary.gaps else ""
    console.print(f"slate {summary.day}: {summary.quality}{missing}; {seconds:.1f} s")


def history(console: Console, summary: HistorySummary) -> None:
    """Print what fetching history came to."""
    console.print(_counts(summary.outcomes))
    _gaps(console, summary.gaps)


def backfill(console: Console, summary: BackfillSummary, page: str) -> None:
    """Print what a backfill came to, and the days that are left."""
    came = ", ".join(f"{number} {condition}" for condition, number in sorted(summary.days.items()))
    console.print(f"{len(summary.plan.todo)} days worked on: {came or 'none'}")
    for day, reason in sorted(summary.left.items())[:GAPS]:
        console.print(f"[red]to do[/red] {day}: {escape(reason)}")
    if len(summary.left) > GAPS:
        console.print(f"[red]to do[/red] {len(summary.left) - GAPS} more; the run's page lists them")
    console.print(f"run page  {page}", soft_wrap=True)


def grade(console: Console, summary: GradeSummary) -> None:
    """Print the grade by market, and how many props were not decided and why."""
    versions = ", ".join(sorted({str(row["model_version"]) for row in summary.grades})) or "none"
    table = Table(title=f"Grade of {summary.day} · model {versions}", title_justify="left")
    table.add_column("market", no_wrap=True)
    scores = ("over", "mean P", "Brier", "log loss", "ECE", "ECE floor", "books' Brier", "ours there", "closing value")
    for column in ("props", *scores):
        table.add_column(column, justify="right", no_wrap=True)
    for row in summary.grades:
        names = (
            "share_over",
            "mean_prob_over",
            "brier",
            "log_loss",
            "ece",
            "ece_floor",
            "market_brier",
            "model_brier_there",
            "clv_return",
        )
        numbers = (tables.number(row.get(name), 4) for name in names)
        table.add_row(str(row["market"]), f"{row['props']:,}", *numbers)
    console.print(table)
    for row in summary.open:
        console.print(f"{row['result']:<5} {row['market']}: {row['props']:,} props, {row['reason']}", markup=False)


def _gaps(console: Console, gaps: Sequence[Gap]) -> None:
    for gap in gaps[:GAPS]:
        console.print(f"[yellow]missing[/yellow] {gap.table} {escape(f'{gap.key}: {gap.reason}')}")
    if len(gaps) > GAPS:
        console.print(f"[yellow]missing[/yellow] {len(gaps) - GAPS} more; the run's page lists them")


def _counts(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="Rows", title_justify="left")
    table.add_column("table")
    for column in ("in", "loaded", "quarantined", "in failed batches"):
        table.add_column(column, justify="right")
    for each in outcomes:
        if not each.rows_in and not each.keys:
            continue
        numbers = (each.rows_in, each.loaded, each.quarantined, each.failed)
        table.add_row(each.table, *(f"{number:,}" for number in numbers))
    return table


def afterwards(console: Console, settings: Settings, prefect: PrefectServer, day: dt.date, *, keep: bool) -> None:
    """Say how to read what was published, and what still runs."""
    console.print(f"read it with: BACKSTOP_HOME={settings.home} .venv/bin/backstop slate {day}", soft_wrap=True)
    if keep:
        url = settings.redis_url or ""
        redis = f", Redis {url}" if url.startswith("unix:") else ""  # another's address may hold a password
        console.print(f"left running: Prefect {prefect.ui_url}, upstream {settings.upstream}{redis}", soft_wrap=True)
        console.print("end them with: make stop (or backstop stop)", soft_wrap=True)
    elif prefect.process is not None:
        console.print("the servers are stopped; KEEP=1 (--keep) leaves them up, so that the run's page can be opened")
