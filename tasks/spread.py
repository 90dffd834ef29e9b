"""A backfill over several workers: the range in runs of some days each, on the deployment that any worker serves."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.runtime import flow_run as this_run
from prefect.states import Cancelling

from tasks import dead, marks, pages, starts
from tasks.runs import say, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect import Flow
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from backstop.stages.backfill import Backfill

DEPLOYMENT: Final = "backfill/mlb-part"
"""Its queue is its own: in that of `backfill/mlb` the runs that wait for parts could hold every place."""

LOOK_EVERY_S: Final = 2.0
ATTEMPTS: Final = 5
"""Times that a part is started again after it crashed or failed; more is a fault that somebody should look at."""


@task(name="spread", task_run_name="spread over workers", cache_policy=NO_CACHE)
def over_workers(todo: Backfill, days: int, parallel: int, prices: bool, degraded: bool) -> dict[dt.date, str]:
    """Start a run for every part of the range, wait for all, and start those that died again.

    Returns:
        Why the run of a day's part did not complete, by day; empty when all did.
    """
    parts = [todo.todo[start : start + days] for start in range(0, len(todo.todo), days)]
    fixed = {"parallel": parallel, "prices": prices, "degraded": degraded, "credit_limit": todo.credits}
    attempts = dict.fromkeys(parts, 0)
    reasons: dict[dt.date, str] = {}
    with get_client(sync_client=True) as client:
        running = {part: _start(client, part, fixed, attempts) for part in parts}
        say(f"{len(parts)} runs of up to {days} days each are started on {DEPLOYMENT}.")
        while running:
            time.sleep(LOOK_EVERY_S)
            dead.bury(client, say)
            for part, run in list(running.items()):
                state = client.read_flow_run(run.id).state
                if state is None or not state.is_final():
                    continue
                del running[part]
                if state.is_completed():
                    continue
                if attempts[part] < ATTEMPTS and (state.is_crashed() or state.is_failed()):
                    warn(f"{run.name} ended as {state.name}; it is started again.")
                    running[part] = _start(client, part, fixed, attempts)
                else:
                    reasons |= dict.fromkeys(part, f"run {run.name} ended as {state.name}: {state.message}")
    return reasons


def _start(
    client: SyncPrefectClient, part: Sequence[dt.date], fixed: dict[str, Any], attempts: dict[Any, int]
) -> FlowRun:
    """Start a part under the first key that no dead run has used, and count the attempt."""
    first, last = part[0], part[-1]
    while True:
        attempts[tuple(part)] += 1
        key = f"backfill:{first}:{last}:{attempts[tuple(part)]}"
        known = starts.runs_under(client, [key]).get(key)
        if known is None or not starts.is_over(known):
            parameters = {"first": first.isoformat(), "last": last.isoformat(), **fixed}
            name, tags = f"backfill {first} to {last}", [str(first), *_whole(this_run.id)]
            run = starts.start(client, DEPLOYMENT, parameters, key, name, tags)
            if not set(tags) <= set(run.tags):  # a run that died began it: it is this one's part now
                client.update_flow_run(run.id, tags=sorted({*run.tags, *tags}))
            return run


def _whole(run_id: object) -> list[str]:
    """Return the tag of the parts of a run; none outside of a run."""
    return [f"part-of-{run_id}"] if run_id else []


def stop_parts(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect names them
    """Cancel the parts that a cancelled run, or one past its time, leaves behind; nobody else ends them.

    After another failure they go on.
    """
    if state.is_failed() and state.name != "TimedOut":
        return
    unended = FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED])
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=_whole(flow_run.id)), state=FlowRunFilterState(type=unended))
    with get_client(sync_client=True) as client:
        for part in pages.every(client.read_flow_runs, flow_run_filter=wanted):
            # one that no worker has taken is cancelled at once, the others by their workers
            client.set_flow_run_state(
                part.id, Cancelling(message=f"{flow_run.name} was ended, of which this is a part")
            )


HOOKS: Final[dict[str, Any]] = {
    **marks.HOOKS,
    "on_failure": [*marks.HOOKS["on_failure"], stop_parts],
    "on_cancellation": [stop_parts, *marks.HOOKS["on_cancellation"]],
}
"""What a flow is declared with that may be spread."""
