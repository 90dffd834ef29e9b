"""Jobs on one machine by one command: run a flow with everything it needs, show what came of it."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from backstop.cli import tables
from backstop.clock import baseball_day
from backstop.demo import DEMO_DAY
from backstop.errors import BackstopError, UsageError
from backstop.props import backtest as walk
from backstop.stages import plan, project
from backstop.stages.house import House
from deployments import kept, machine, show

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from backstop.settings import Settings


def refresh(day: dt.date | None, settings: Settings, *, keep: bool = False) -> None:
    """Refresh a slate and print it.

    Args:
        day: The slate; the simulated day for the demo league, otherwise today.
        settings: What the command line and the environment say.
        keep: Whether to leave the servers up.

    Raises:
        BackstopError: the run failed; the message is its sentence.
    """
    console, began = tables.terminal(), time.monotonic()
    day = day or (DEMO_DAY if settings.upstream == "demo" else baseball_day(dt.datetime.now(dt.UTC)))
    plan.check_day(House(machine.own_home(settings)), day)
    with machine.started(settings, keep=keep) as up:
        from flows.slate import slate_refresh  # noqa: PLC0415 - Prefect reads the environment that was just made

        with show.progress(console, f"slate-refresh {day}"):
            state = slate_refresh(day, return_state=True)
        page = up.prefect.run_page(str(state.state_details.flow_run_id))
        show.result(console, up.house, _result(state, page), page, time.monotonic() - began)
    show.afterwards(console, up.settings, up.prefect, day, keep=keep)


def fetch_history(until: dt.date, settings: Settings) -> None:
    """Fetch, validate and tally the pitches before a day that the lake lacks.

    Args:
        until: The first day that is not history.
        settings: What the command line and the environment say.

    Raises:
        BackstopError: fetching failed; the message is its sentence.
    """
    console = tables.terminal()
    plan.check_day(House(machine.own_home(settings)), until)
    with machine.started(settings) as up:
        _history(console, up, until)


def backtest(first: dt.date, last: dt.date, settings: Settings, out: Path) -> None:
    """Fetch the history that a range of days needs, predict each day from the days before it, write the predictions.

    Args:
        first: First day.
        last: Last day; it must be over.
        settings: What the command line and the environment say.
        out: A .parquet or .csv file: game_id, player_id, market, line, prob_over, one row per prop.

    Raises:
        UsageError: nothing was played in the range.
        BackstopError: fetching failed; the message is its sentence.
    """
    console = tables.terminal()
    until = last + dt.timedelta(days=1)
    plan.check_day(House(machine.own_home(settings)), until)
    with machine.started(settings) as up:
        _history(console, up, until)
        began = time.monotonic()
        predictions = walk.run(project.tallies(up.house), first, last)
    if predictions.is_empty():
        raise UsageError(f"No game was played from {first} to {last}; nothing to predict, nothing written.")
    write = predictions.write_csv if out.suffix == ".csv" else predictions.write_parquet
    write(out)
    seconds = time.monotonic() - began
    console.print(f"{predictions.height:,} predictions from {first} to {last} in {seconds:.1f} s, written to {out}")


def _history(console: Console, up: machine.Machine, until: dt.date) -> None:
    from flows.history import history_refresh  # noqa: PLC0415 - Prefect reads the environment that was just made

    with show.progress(console, f"history before {until}"):
        state = history_refresh(until, return_state=True)
    show.history(console, _result(state, up.prefect.run_page(str(state.state_details.flow_run_id))))


def grade(day: dt.date, settings: Settings) -> None:
    """Settle and score a published slate, and print the grade by market.

    Raises:
        BackstopError: there is no such slate, or fetching failed; the message is its sentence.
    """
    console = tables.terminal()
    with machine.started(settings) as up:
        from flows.grade import slate_grade  # noqa: PLC0415 - Prefect reads the environment that was just made

        with show.progress(console, f"slate-grade {day}"):
            state = slate_grade(day, return_state=True)
        page = up.prefect.run_page(str(state.state_details.flow_run_id))
        show.grade(console, _result(state, page))
        console.print(f"run page  {page}", soft_wrap=True)


def stop(settings: Settings) -> None:
    """End what a run with `keep` left up under this home."""
    ended = kept.stop(settings.home)
    tables.terminal().print("\n".join(f"ended {each}" for each in ended) or "nothing was left running")


def _result(state: Any, page: str) -> Any:
    """Return what a flow returned.

    Raises:
        BackstopError: it failed; the message is its sentence and the address of its page.
    """
    if state.is_completed():
        return state.result()
    error = state.result(raise_on_failure=False)
    if isinstance(error, BackstopError):
        raise type(error)(
            f"The run failed: {error.message} Its page: {page}", source=error.source, retry_after_s=error.retry_after_s
        )
    sentence = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(state.message)
    raise BackstopError(f"The run failed: {sentence} Its page: {page}")
