"""Commands that look back: features of past days, predictions of past days, grades, calibration."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.table import Table

from backstop.cli import export, tables
from backstop.cli.running import Upstream, deployments
from backstop.clock import baseball_day, parse_day
from backstop.errors import UsageError
from backstop.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from backstop.fitting.model import Verdict
    from backstop.stages.refitting import Refit
    from backstop.stages.training import Training

Out = Annotated[Path, typer.Option("--out", help="File to write, .parquet or .csv.")]

From = Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")]
To = Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")]


def features(
    first: From,
    last: To,
    out: Out,
    upstream: Upstream = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build published days again instead of taking what was served.")
    ] = False,
) -> None:
    """Write the features of past days as they were, or would have been, served: each row as of the day before its game.

    The column `in_sample` marks the days up to the last one that the model's parameters were fitted on: the counts
    behind such a row are those of the day before, but nobody had these parameters then.

    Reads the lake; with --upstream, history that the lake lacks is fetched first.
    """
    from backstop.stages import training
    from backstop.stages.house import House

    begin, end = past_range(first, last, out)
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    if upstream is not None:
        deployments("local").fetch_history(end + dt.timedelta(days=1), settings)
    house = House(deployments("machine").own_home(settings)) if upstream is not None else House(settings)
    found = training.rows(house, begin, end, rebuild=rebuild)
    house.close()
    if found.rows.is_empty():
        raise UsageError(
            f"The lake has no game from {begin} to {end}; nothing written. Fetch that history with --upstream, or "
            "choose other days."
        )
    export.write(found.rows.with_columns(in_sample=pl.col("game_date").is_in(found.in_sample)), out)
    _written(found, out, tables.terminal())


def _written(found: Training, out: Path, console: Console) -> None:
    """Print what was written, and what is to be known of its days."""
    if found.in_sample:
        console.print(
            f"[yellow]in sample[/yellow] {len(found.in_sample)} days, {found.in_sample[0]} to {found.in_sample[-1]}: "
            "the numbers behind their rows were fitted on them or on later days",
            soft_wrap=True,
        )
    for day in found.without_history:
        console.print(f"[yellow]missing[/yellow] {day}: its games are over, but the lake has no pitches of it")
    console.print(
        f"{found.rows.height:,} rows of {len(found.served) + len(found.rebuilt)} days, {len(found.served)} as served, "
        f"{len(found.rebuilt)} built as of each day; written to {out}",
        soft_wrap=True,
    )


def backtest(
    first: Annotated[str, typer.Argument(help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Argument(help="Last day, YYYY-MM-DD.")],
    out: Out,
    upstream: Upstream = None,
) -> None:
    """Predict every day of a past range from the days before it, and write game, player, market, line, probability."""
    begin, end = past_range(first, last, out)
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    deployments("local").backtest(begin, end, settings, out)


def grade(
    date: Annotated[str, typer.Argument(help="A published slate whose games are over, YYYY-MM-DD.")],
    upstream: Upstream = None,
) -> None:
    """Settle every prop of a published slate from the box scores, and score the probabilities by market."""
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    deployments("local").grade(parse_day(date), settings)


def refit(first: From, last: To) -> None:
    """Fit the model on past days of the lake, each predicted from the days before it; later slates use what is better.

    Given at least thirty days with games, parameters, ladders and calibration are fitted and judged on the last quarter
    of them; given fewer, only the calibration is fitted.
    """
    from backstop.stages import refitting
    from backstop.stages.house import House

    begin, end = past_days(first, last)
    house = House(Settings())
    done = refitting.refit(house, begin, end)
    house.close()
    fitted = done.fitted.calibration
    table = Table(title=f"Calibration {fitted.version}, {fitted.trained_on}", title_justify="left")
    for column in ("market", "slope", "intercept"):
        table.add_column(column, justify="left" if column == "market" else "right")
    for market, platt in sorted(fitted.markets.items()):
        table.add_row(market, f"{platt.slope:.4f}", f"{platt.intercept:+.4f}")
    console = tables.terminal()
    console.print(table)
    if done.verdict is not None:
        _judged(done, done.verdict, console)
    console.print(done.outcome, soft_wrap=True)


def _judged(done: Refit, verdict: Verdict, console: Console) -> None:
    """Print a new fit beside the one in use."""
    title = f"Log loss from {verdict.first} to {verdict.last}, {done.unseen}"
    table = Table(title=title, title_justify="left")
    for column in ("market", "props", "new", done.in_use.version):
        table.add_column(column, justify="left" if column == "market" else "right")
    for market, props, new, old in verdict.markets.iter_rows():
        table.add_row(market, f"{props:,}", f"{new:.5f}", f"{old:.5f}")
    console.print(table)
    console.print(f"New minus in use: {verdict.difference:+.5f}, standard error {verdict.error:.5f}.")


def past_range(first: str, last: str, out: Path) -> tuple[dt.date, dt.date]:
    """Return a range of days that are over, to be written to a file that can be written.

    Raises:
        UsageError: the range is empty or not over, the file has another ending, or its folder does not exist.
    """
    if out.suffix not in {".csv", ".parquet"}:
        raise UsageError(f"{out} has the ending {out.suffix!r}; expected .parquet or .csv.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist; make it first.")
    return past_days(first, last)


def past_days(first: str, last: str) -> tuple[dt.date, dt.date]:
    """Return a range of days that are over.

    Raises:
        UsageError: it is empty or not over.
    """
    begin, end = parse_day(first), parse_day(last)
    if end < begin:
        raise UsageError(f"The range {begin} to {end} ends before it begins; give the earlier date first.")
    if end >= baseball_day(dt.datetime.now(dt.UTC)):
        raise UsageError(f"{end} is not over; choose a range that ends on a day whose games are known.")
    return begin, end
