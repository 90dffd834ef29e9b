"""What a run records for others to see: its process, on the server; the day that it holds, in the ledger.

Hooks of the flows. A run that is killed runs none of them; `tasks.dead` finds it by the mark that `sign` left.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.concurrency.sync import concurrency
from prefect.context import SyncClientContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import deployment
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Cancelled

from backstop import tables
from backstop.errors import BackstopError
from backstop.lake import lease
from backstop.lake.states import State as Stage
from backstop.stages.house import House
from backstop.store.keys import SPORT
from tasks import pages
from tasks.results import sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State

OWNER: Final = "backstop.owner"
"""Label of a flow run: the process that works on it, as `host/pid/start`."""

LEASE_S: Final = 3600.0
"""The flow's own time limit: a run that holds its day for longer is over."""

PLACE_LEASE_S: Final = 60.0
"""The shortest that Prefect renews in time."""


TABLES: Final[dict[str, tuple[str, ...]]] = {
    "slate-refresh": ("core_games", "core_players", "core_quotes", "core_pitches", "out_features", "out_props"),
    "odds-refresh": ("core_quotes", "out_props"),
    "history-refresh": ("core_games", "core_pitches", "core_tallies"),
    "calendar-refresh": ("core_games",),
    "slate-grade": ("core_box", "out_settled", "out_grades"),
}
"""Tables that a flow writes: tags of its runs. Task runs carry none: Prefect asks the server for the limits of every
set of tags before it starts a task, which took half of a small slate's time (benchmarks.orchestration)."""


def sign(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect names them
    """Write on the run which process works on it, and tag it with its sport, its dates and the tables it writes."""
    dates = [str(flow_run.parameters[name])[:10] for name in ("day", "first", "last") if flow_run.parameters.get(name)]
    tags = sorted({*flow_run.tags, SPORT, *dates, *TABLES.get(flow.name, ())})
    # a mark that the server refuses must not cost the run
    with SyncClientContext.get_or_create() as context, contextlib.suppress(PrefectHTTPStatusError):
        context.client.update_flow_run_labels(flow_run.id, {OWNER: lease.owner()})
        if tags != sorted(flow_run.tags):
            context.client.update_flow_run(flow_run.id, tags=tags)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Run flows inside the block without heartbeats.

    For runs whose process is watched otherwise: the command at the terminal, a day under a backfill. A synchronous flow
    waits up to a second for its heartbeat's thread when it ends (prefect.flow_engine._send_heartbeats).
    """
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@contextlib.contextmanager
def places(number: int) -> Iterator[None]:
    """Hold so many of the 25 places for days that are worked on at once over all workers, in runs of a deployment.

    A run takes its places once: on SQLite a server that is busy kept a day waiting for its own for more than a minute.
    Places whose holder was killed are free again after `PLACE_LEASE_S`.
    """
    if deployment.id is None:
        yield  # a command at the terminal is one process, whose own limit is enough
        return
    with concurrency("backstop-days", number, lease_duration=PLACE_LEASE_S, raise_on_lease_renewal_failure=False):
        yield


def hold(house: House, day: dt.date, run_id: str) -> None:
    """Take a day's slate in the ledger, so that nobody else works on it and everybody sees who does.

    Raises:
        LeaseHeld: another run works on it.
    """
    house.ledger.begin(tables.PROPS.name, day.isoformat(), run_id=run_id, lease_s=LEASE_S)


def off_day(house: House, day: dt.date, run_id: str, reason: str) -> None:
    """Close a day of which nothing can be published; the run holds it."""
    house.ledger.empty(tables.PROPS.name, day.isoformat(), run_id=run_id, reason=reason)


def let_go(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect names them
    """Close as failed what an unsuccessful run still holds, with its sentence as the reason."""
    house, run_id = House.current(), str(flow_run.id)
    if not house.has_ledger:
        return  # it failed before it could hold anything
    reason = sentence_of(state)
    # the ledger may be what failed; then the lease runs out by itself
    with contextlib.suppress(BackstopError):
        for entry in house.ledger.entries(states=[Stage.RUNNING], run_id=run_id):
            house.ledger.fail(entry.table, entry.key, run_id=run_id, reason=reason)


def end_those_under(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:
    """Cancel the runs under a cancelled one, and close what they held.

    A process that does not end within 30 seconds is killed with -9 in the middle of a day, which then says nothing.
    """
    unended = FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
    under = FlowRunFilterParentFlowRunId(any_=[flow_run.id])
    wanted = FlowRunFilter(parent_flow_run_id=under, state=FlowRunFilterState(type=unended))
    with get_client(sync_client=True) as client:
        for run in pages.every(client.read_flow_runs, flow_run_filter=wanted):
            let_go(flow, run, state)
            said = f"{flow_run.name} was cancelled, of which this is a part"
            client.set_flow_run_state(run.id, Cancelled(message=said), force=True)


SIGNED: Final[dict[str, Any]] = {"on_running": [sign]}
"""What every flow is declared with."""

HOOKS: Final[dict[str, Any]] = {
    "on_running": [sign],
    "on_failure": [let_go],
    "on_crashed": [let_go],
    "on_cancellation": [let_go, end_those_under],
}
"""What a flow is declared with that takes keys of the ledger."""
