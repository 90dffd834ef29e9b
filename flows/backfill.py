"""A range of past days, resumable: a day that is done costs nothing, a day that died is done again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner

from flows.history import history_refresh
from flows.slate import slate_refresh
from tasks import backfill as tasks
from tasks import fan, marks, results, spread
from tasks.forms import Credits, Parallel, SomeDay, Spread


@task(name="day", task_run_name="slate {day}", cache_policy=NO_CACHE)
def day_of_range(day: dt.date, prices: bool, meter: tasks.Meter) -> None:
    """Refresh one day as a run of its own under this one, and fail as it does.

    Its process is the parent's, whose heartbeat speaks for it.
    """
    with marks.unheard():
        state: Any = slate_refresh.with_options(timeout_seconds=None)(
            day, history=False, prices=prices, return_state=True
        )
    meter.advance(day, state.name)
    state.result()  # raises what the day failed of, so that its task is red too


@flow(
    name="backfill",
    flow_run_name="backfill {first} to {last}",
    task_runner=ThreadPoolTaskRunner(max_workers=25),  # type: ignore[arg-type]  # its futures are a subclass
    # ten seasons take some hours; a run that waits for ever would keep its place in the queue
    timeout_seconds=48 * 3600,
    **spread.HOOKS,
)
def backfill(
    first: SomeDay = None,
    last: SomeDay = None,
    parallel: Parallel = 2,
    prices: bool = True,
    degraded: bool = False,
    credit_limit: Credits = None,
    spread_days: Spread = 0,
) -> State[tasks.BackfillSummary]:
    """Publish the slate of every past day that lacks one; the same run again does only what is left.

    Args:
        first: First day; that of the first season that is kept by default.
        last: Last day; yesterday by default.
        parallel: Days at once.
        prices: Whether books are asked for prices, which may cost credits.
        degraded: Whether days that were published with gaps are done again.
        credit_limit: Credits that may be spent; 5,000 by default where they cost money.
        spread_days: Days per run of their own on any worker; 0 does every day in this run.
    """
    todo = tasks.plan_range(first, last, degraded, prices, credit_limit)
    if not todo.todo:
        return tasks.finished(tasks.report(todo, {}))
    history_refresh(todo.todo[-1] + dt.timedelta(days=1))
    # before the first slate: days that are done side by side know the same of the days before them
    results.gather(fan.box_scores(tasks.plan_box_scores(todo)), "core_box")
    if spread_days:
        return tasks.finished(tasks.report(todo, spread.over_workers(todo, spread_days, parallel, prices, degraded)))
    meter = tasks.Meter(todo)
    with marks.places(parallel):
        ended = list(results.bounded(day_of_range, [(day, prices, meter) for day in todo.todo], parallel))
    return tasks.finished(tasks.report(todo, {day: why for (day, *_), why in ended if why}))
