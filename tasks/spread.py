"""A backfill over several workers: the range in runs of some days each, on the deployment that any worker serves."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.runtime import flow_run as this_run
from prefect.states import Cancelling

from backstop.store.keys import SPORT
from tasks import dead, marks, pages, starts
from tasks.runs import say, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prefect import Flow
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from backstop.stages.backfill import Backfill

DEPLOYMENT: Final = f"backfill/{SPORT}-part"
"""Its queue is its own: in that of the backfill itself the runs that wait for parts could hold every place."""

PART_OF: Final = "part-of-"
"""Before the id of a run: the tag of its parts."""

_UNENDED: Final = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED])
)

LOOK_EVERY_S: Final = 2.0
ATTEMPTS: Final = 5
"""Times that a backfill starts a part that crashes or fails; more is a fault that somebody should look at."""


@task(name="spread", task_run_name="spread over workers", cache_policy=NO_CACHE)
def over_workers(todo: Backfill, days: int, parallel: int, prices: bool, degraded: bool) -> dict[dt.date, str]:
    """Start a run for every part of the range, wait for all, and start those that died again.

    Ctrl-C of the command that waits for them cancels them: nobody else would.

    Returns:
        Why the run of a day's part did not complete, by day; empty when all did.
    """
    parts = [todo.todo[start : start + days] for start in range(0, len(todo.todo), days)]
    fixed = {"parallel": parallel, "prices": prices, "degraded": degraded, "credit_limit": todo.credits}
    attempts = dict.fromkeys(parts, 1)
    reasons: dict[dt.date, str] = {}
    with get_client(sync_client=True) as client, _taken_along(client):
        running = {part: _start(client, part, fixed) for part in parts}
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
                    running[part] = _start(client, part, fixed)
                    attempts[part] += 1
                else:
                    reasons |= dict.fromkeys(part, f"run {run.name} ended as {state.name}: {state.message}")
    return reasons


@contextlib.contextmanager
def _taken_along(client: SyncPrefectClient) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if this_run.id:
            number = _stop(client, UUID(str(this_run.id)), str(this_run.name))
            warn(f"Interrupted: {number} parts that had not ended are cancelled; the same command does what is left.")
        raise


def _start(client: SyncPrefectClient, part: Sequence[dt.date], fixed: dict[str, Any]) -> FlowRun:
    """Start a part under the first key that no run has used which is over, or join one that does the same work."""
    first, last = part[0], part[-1]
    # how many days at once, and what may be spent, differ without the work being another
    work = ":".join(f"{name}={fixed.get(name)}".lower() for name in ("prices", "degraded"))
    for number in count(1):
        key = f"backfill:{first}:{last}:{work}:{number}"
        known = starts.runs_under(client, [key]).get(key)
        if known is None or not starts.is_over(known):
            break
    parameters = {"first": first.isoformat(), "last": last.isoformat(), **fixed}
    name, tags = f"backfill {first} to {last}", [str(first), *_whole(this_run.id)]
    run = starts.start(client, DEPLOYMENT, parameters, key, name, tags)
    if not set(tags) <= set(run.tags):  # another backfill began it: it is this one's part too
        client.update_flow_run(run.id, tags=sorted({*run.tags, *tags}))
    return run


def _whole(run_id: object) -> list[str]:
    """Return the tag of the parts of a run; none outside of a run."""
    return [f"{PART_OF}{run_id}"] if run_id else []


def stop_parts(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect names them
    """Cancel the parts that a cancelled run, or one past its time, leaves behind; nobody else ends them.

    After another failure they go on, and so do those that another backfill waits for.
    """
    if state.is_failed() and state.name != "TimedOut":
        return
    with get_client(sync_client=True) as client:
        _stop(client, flow_run.id, flow_run.name)


def _stop(client: SyncPrefectClient, whole: UUID, name: str) -> int:
    """Cancel the parts of a run that have not ended and that no other run waits for; return how many."""
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=_whole(whole)), state=_UNENDED)
    found = list(pages.every(client.read_flow_runs, flow_run_filter=wanted))
    mine = [part for part in found if not _is_waited_for(client, part, whole)]
    for part in mine:
        # one that no worker has taken is cancelled at once, the others by their workers
        client.set_flow_run_state(part.id, Cancelling(message=f"{name} was ended, of which this is a part"))
    return len(mine)


def _is_waited_for(client: SyncPrefectClient, part: FlowRun, ended: UUID) -> bool:
    """Return whether another backfill that is not over has joined a part."""
    wholes = {tag.removeprefix(PART_OF) for tag in part.tags if tag.startswith(PART_OF)} - {str(ended)}
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(each) for each in wholes]), state=_UNENDED)
    return bool(wholes and client.read_flow_runs(flow_run_filter=wanted, limit=1))


HOOKS: Final[dict[str, Any]] = {
    **marks.HOOKS,
    "on_failure": [*marks.HOOKS["on_failure"], stop_parts],
    "on_cancellation": [stop_parts, *marks.HOOKS["on_cancellation"]],
}
"""What a flow is declared with that may be spread."""
