"""Jobs on one machine by one command: run a flow with everything it needs, show what came of it."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import polars as pl

from backstop.cli import export, tables
from backstop.clock import baseball_day
from backstop.demo import DEMO_DAY
from backstop.errors import BackstopError, UsageError
from backstop.props import backtest as walk
from backstop.props import refit
from backstop.settings import STATCAST_SINCE
from backstop.stages import backfill as backfilling
from backstop.stages import plan, project, schedules
from backstop.stages.house import House
from deployments import job, kept, machine, services, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backstop.settings import Settings
    from backstop.stages.backfill import Backfill


def refresh(day: dt.date | None, settings: Settings, *, keep: bool = False) -> None:
    """Refresh a slate and print it.

    Args:
        day: The slate; the simulated day for the demo league, otherwise today.
        settings: What the command line and the environment say.
        keep: Whether to leave the servers up.

    Raises:
        BackstopError: the run failed; the message is its sentence.
    """
    began = time.monotonic()
    day = day or (DEMO_DAY if settings.upstream == "demo" else baseball_day(dt.datetime.now(dt.UTC)))
    plan.check_day(House(machine.own_home(settings)), day)
    with job.at_work(settings, f"slate-refresh {day}", keep=keep) as work:
        from flows.slate import slate_refresh  # noqa: PLC0415 - Prefect reads the environment that was just made

        summary = work.run(slate_refresh, day)
        show.result(work.console, work.up.house, summary, work.page, time.monotonic() - began)
    show.afterwards(work.console, work.up.settings, work.up.prefect, day, keep=keep)


def backfill(settings: Settings, *, keep: bool = False, **parameters: Any) -> None:
    """Publish the slates that a range of past days lacks, and print what came of it.

    Args:
        settings: What the command line and the environment say.
        keep: Whether to leave the servers up.
        parameters: Of the flow.

    Raises:
        UsageError: the range makes no sense, or may cost more credits than allowed.
        BackstopError: days are still to do; the message says how many.
    """
    todo = planned(settings, parameters)
    backfilling.check_budget(todo)
    tables.terminal().print(todo.sentence())
    if not todo.todo:
        return
    with job.at_work(settings, f"backfill {todo.first} to {todo.last}", keep=keep) as work:
        from flows.backfill import backfill as flow  # noqa: PLC0415 - Prefect reads the environment that was just made
        from tasks.backfill import BackfillSummary  # noqa: PLC0415

        state = work.state(flow, **parameters)
        # a run that left days to do has failed, and says which
        left = state.result(raise_on_failure=False) if state.is_final() else None
        summary = left if isinstance(left, BackfillSummary) else job.result(state, work.page)
        show.backfill(work.console, summary, work.page)
    if summary.left:
        raise BackstopError(f"{len(summary.left)} days are still to do; the same command does only those.")


def planned(settings: Settings, parameters: Mapping[str, Any]) -> Backfill:
    """Return what a backfill would do, without a server.

    Raises:
        UsageError: the range makes no sense.
    """
    house = House.of(machine.own_home(settings))
    names = ("first", "last", "degraded", "prices", "credit_limit")
    return backfilling.plan_range(house, **{name: parameters[name] for name in names})


def fetch_history(until: dt.date, settings: Settings) -> None:
    """Fetch, validate and tally the pitches before a day that the lake lacks.

    Args:
        until: The first day that is not history.
        settings: What the command line and the environment say.

    Raises:
        BackstopError: fetching failed; the message is its sentence.
    """
    plan.check_day(House(machine.own_home(settings)), until)
    with job.at_work(settings, f"history before {until}") as work:
        _history(work, until)


def backtest(first: dt.date, last: dt.date, settings: Settings, out: Path) -> None:
    """Fetch the history that a range of days needs, predict each day from the days before it, write the predictions.

    Args:
        first: First day.
        last: Last day; it must be over.
        settings: What the command line and the environment say.
        out: A .parquet or .csv file: game_id, player_id, market, line, prob_over, one row per prop.

    Raises:
        UsageError: nothing of a regular season was played in the range.
        BackstopError: fetching failed; the message is its sentence.
    """
    console = tables.terminal()
    until = last + dt.timedelta(days=1)
    settings = with_season_before(settings, first)
    plan.check_day(House(machine.own_home(settings)), until)
    with job.at_work(settings, f"history before {until}") as work:
        _history(work, until)
        began = time.monotonic()
        fitted = refit.latest(work.up.house.lake, first)
        predictions = walk.run(project.tallies(work.up.house), first, last, fitted=fitted)
        if predictions.is_empty():
            raise UsageError(_nothing_to_predict(work.up.house, first, last))
    export.write(predictions, out)
    seconds = time.monotonic() - began
    if first <= fitted.saw:
        seen = min(last, fitted.saw)
        console.print(
            f"[yellow]in sample[/yellow] {first} to {seen}: {fitted.version} was fitted on days up to {fitted.saw}",
            soft_wrap=True,
        )
    console.print(f"{predictions.height:,} predictions from {first} to {last} in {seconds:.1f} s, written to {out}")


def _nothing_to_predict(house: House, first: dt.date, last: dt.date) -> str:
    """Say why a back-test of some days is empty: what it walks through are the tallies of regular seasons."""
    played = (
        schedules.finished_games(house, last + dt.timedelta(days=1)).filter(pl.col("game_date") >= first)["games"].sum()
    )
    if not played:
        return f"No game was played from {first} to {last}; nothing to predict, nothing written."
    return (
        f"None of the {played} games from {first} to {last} is of a regular season with pitches kept, which alone are "
        "walked through; nothing written. Project a day of the postseason with backstop refresh."
    )


def with_season_before(settings: Settings, first: dt.date) -> Settings:
    """Keep history from the season before a range on, unless it was said from when: April rests on the year before."""
    if "history_first_season" in settings.model_fields_set:
        return settings
    season = max(min(settings.history_first_season, first.year - 1), STATCAST_SINCE)
    return settings.model_copy(update={"history_first_season": season})


def _history(work: job.Job, until: dt.date) -> None:
    from flows.history import history_refresh  # noqa: PLC0415 - Prefect reads the environment that was just made

    show.history(work.console, work.run(history_refresh, until))


def grade(day: dt.date, settings: Settings) -> None:
    """Settle and score a published slate, and print the grade by market.

    Raises:
        BackstopError: there is no such slate, or fetching failed; the message is its sentence.
    """
    with job.at_work(settings, f"slate-grade {day}") as work:
        from flows.grade import slate_grade  # noqa: PLC0415 - Prefect reads the environment that was just made

        show.grade(work.console, work.run(slate_grade, day))
        work.console.print(f"run page  {work.page}", soft_wrap=True)


def stop(settings: Settings) -> None:
    """End what a run with `keep`, or a deployment for development, left up under this home."""
    ended = kept.stop(services.base_of(settings.home.absolute()))
    tables.terminal().print("\n".join(f"ended {each}" for each in ended) or "nothing was left running")
