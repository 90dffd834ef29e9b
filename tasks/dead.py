"""Runs that died without reporting it: found by process or heartbeat, marked as crashed, what they held freed."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

from backstop.lake import lease
from tasks import pages
from tasks.marks import OWNER

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

SILENT_FOR: Final = dt.timedelta(minutes=10)
"""Three heartbeats of the default 180 seconds: a run that another machine works on and that says nothing is dead."""

NEVER_STARTED: Final = dt.timedelta(minutes=10)
"""A run that a worker took and that never ran: the worker died in between, and no other one takes it."""


def bury(client: SyncPrefectClient, say: Callable[[str], None], now: dt.datetime | None = None) -> list[UUID]:
    """Mark every run that died as crashed, with its open task runs; return their ids.

    A run is dead when the process that signed it, or the run above it, is gone from this machine, or when it lives on
    another one and has not been heard of for `SILENT_FOR`, or when it was submitted and never started.
    """
    now = now or dt.datetime.now(dt.UTC)
    buried = []
    for run in _open(client):
        why = _why_dead(client, run, now)
        if why:
            client.set_flow_run_state(run.id, Crashed(message=why), force=True)
            _bury_tasks(client, run.id, why)
            say(f"{run.name} is marked as crashed: {why}.")
            buried.append(run.id)
    return buried


def _open(client: SyncPrefectClient) -> list[FlowRun]:
    """Return the runs that say they are at work."""
    wanted = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    return pages.every(client.read_flow_runs, flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=wanted)))


def _why_dead(client: SyncPrefectClient, run: FlowRun, now: dt.datetime) -> str:
    """Return why a run is known to be dead, empty when it is not."""
    since = run.state.timestamp if run.state else None
    if since is None:
        return ""
    owner = _owner(client, run)
    if owner and lease.is_gone(owner):
        return f"its process {'/'.join(owner.split('/')[:2])} is gone"
    if run.state_type is StateType.PENDING:
        return "it was submitted and never started" if now - since > NEVER_STARTED else ""
    if owner and lease.is_known(owner):
        return ""
    if now - since < SILENT_FOR or _heard_of(client, run, now - SILENT_FOR):
        return ""
    return f"nothing was heard of it for {SILENT_FOR.seconds // 60} minutes"


def _owner(client: SyncPrefectClient, run: FlowRun) -> str:
    """Return who signed a run, or the run above one that is not signed yet; empty when that is not known.

    A run that waits has the signature of its last attempt, if any: that says nothing of this one.
    """
    signed = [] if run.state_type is StateType.PENDING else [run]
    for each in itertools.chain(signed, _above(client, run)):
        if owner := str((each.labels or {}).get(OWNER, "")):
            return owner
    return ""


def _heard_of(client: SyncPrefectClient, run: FlowRun, since: dt.datetime) -> bool:
    """Return whether a run, or the run that it is part of, gave a heartbeat."""
    ids = [run.id, *(each.id for each in _above(client, run))]
    body = {
        "limit": 1,
        "filter": {
            "occurred": {"since": since.isoformat()},
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{each}" for each in ids]},
        },
    }
    return bool(client._client.post("/events/filter", json=body).raise_for_status().json()["events"])  # noqa: SLF001 - the client has no method for it


def _above(client: SyncPrefectClient, run: FlowRun) -> Iterator[FlowRun]:
    """Yield the runs above a run, the nearest first; a day under a backfill is quiet itself."""
    known = {run.id}
    while run.parent_task_run_id is not None:
        above = client.read_task_run(run.parent_task_run_id).flow_run_id
        if above is None or above in known:
            break
        known.add(above)
        run = client.read_flow_run(above)
        yield run


def _bury_tasks(client: SyncPrefectClient, run_id: UUID, why: str) -> None:
    wanted = TaskRunFilterState(
        type=TaskRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED])
    )
    open_tasks = pages.every(
        client.read_task_runs,
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])),
        task_run_filter=TaskRunFilter(state=wanted),
    )
    for each in open_tasks:
        client.set_task_run_state(each.id, Crashed(message=why), force=True)
