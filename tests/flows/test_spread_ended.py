"""A spread backfill that is ended from outside takes its parts along; backfills that wait keep no part from running."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Cancelling, Completed, Failed, Running
from prefect.types.entrypoint import EntrypointType

from backstop.stages.backfill import Backfill
from deployments.catalog import POOL
from flows.backfill import backfill
from tasks import pages, spread
from tests.flows.spreading import spreading
from tests.operations.checkout import ROOT
from tests.operations.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]

WITHIN_S = 120


@pytest.fixture
def client(deployed):
    with get_client(sync_client=True) as client:
        yield client


def parts_of(client, run_id):
    """The parts of a run, by their first day."""
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"part-of-{run_id}"]))
    return sorted(client.read_flow_runs(flow_run_filter=wanted), key=lambda each: each.parameters["first"])


def part(client, monkeypatch, run_id, first, **work):
    monkeypatch.setattr(spread, "this_run", type("Context", (), {"id": run_id}))
    return spread._start(client, (first,), {"parallel": 1, **work})


@pytest.fixture
def worker(client, tmp_path):
    """A worker of a pool in which `spreading` alone is deployed; nobody takes the parts."""
    client.create_work_pool(WorkPoolCreate(name="spreading", type="process"))
    made = spreading.to_deployment("it", work_pool_name="spreading", entrypoint_type=EntrypointType.MODULE_PATH)
    made.job_variables = {"working_dir": str(ROOT)}
    made.apply()
    environment = {
        **os.environ,
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "BACKSTOP_HOME": str(tmp_path / "home"),
    }
    program = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "spreading"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=log, stderr=log)
    yield process
    process.terminate()
    process.wait(60)


def test_cancelling_a_spread_backfill_cancels_the_parts_that_are_not_ended(client, worker):
    known = client.read_deployment_by_name("spreading/it")
    run = client.create_flow_run_from_deployment(known.id, parameters={"first": "2024-05-01", "number": 4})
    until(lambda: len(parts_of(client, run.id)) == 4, "the parts to be started", WITHIN_S)
    done, working, *_ = parts_of(client, run.id)
    client.set_flow_run_state(done.id, Completed(), force=True)
    client.set_flow_run_state(working.id, Running(), force=True)
    client.set_flow_run_state(run.id, Cancelling())
    until(lambda: client.read_flow_run(run.id).state.name == "Cancelled", "the run to be cancelled", WITHIN_S)
    assert [each.state.name for each in parts_of(client, run.id)] == [
        "Completed",
        "Cancelling",
        "Cancelled",
        "Cancelled",
    ]
    (message,) = {each.state.message for each in parts_of(client, run.id) if each.state.is_cancelling()}
    assert message == f"{run.name} was ended, of which this is a part"
    client.set_flow_run_state(working.id, Cancelled(), force=True)  # as its worker would


@pytest.mark.parametrize(
    ("hooks", "state", "left"),
    [
        ("on_cancellation_hooks", Cancelling(), 0),
        ("on_failure_hooks", Failed(name="TimedOut"), 0),
        ("on_failure_hooks", Failed(message="the server was away"), 3),
    ],
)
def test_parts_go_with_a_backfill_that_is_cancelled_or_past_its_time_and_outlive_one_that_failed(
    client, monkeypatch, rooms, hooks, state, left
):
    monkeypatch.setattr(pages, "PAGE", 2)
    run, other = (client.create_flow_run(backfill) for _ in range(2))
    mine = [part(client, monkeypatch, run.id, dt.date(2024, 6, each)) for each in (1, 2, 3)]
    others = part(client, monkeypatch, other.id, dt.date(2024, 6, 4))
    with rooms.environment():
        for hook in getattr(backfill, hooks):
            hook(backfill, run, state)
    ended = [each for each in mine if client.read_flow_run(each.id).state.is_cancelled()]
    assert len(ended) == 3 - left
    assert client.read_flow_run(others.id).state.is_scheduled()
    for each in (*mine, others):
        client.set_flow_run_state(each.id, Cancelled(), force=True)


def test_ctrl_c_of_the_command_that_waits_cancels_the_parts_that_nobody_else_waits_for(client, monkeypatch):
    run, other = (client.create_flow_run(backfill) for _ in range(2))
    days = tuple(dt.date(2024, 7, each) for each in (1, 2, 3))
    shared = part(client, monkeypatch, other.id, days[0], prices=True, degraded=False)
    monkeypatch.setattr(spread, "this_run", type("Context", (), {"id": run.id, "name": run.name}))
    # in this module alone: a thread of the client's that sleeps somewhere else presses no keys
    monkeypatch.setattr(spread, "time", SimpleNamespace(sleep=lambda _: signal.raise_signal(signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        spread.over_workers.fn(
            Backfill(days[0], days[-1], days, {}, 0, None), days=1, parallel=1, prices=True, degraded=False
        )
    states = [(each.id == shared.id, each.state.is_cancelled()) for each in parts_of(client, run.id)]
    assert states == [(True, False), (False, True), (False, True)]
    client.set_flow_run_state(shared.id, Cancelled(), force=True)


def test_a_part_that_two_backfills_wait_for_goes_with_the_last_of_them(client, monkeypatch):
    first = dt.date(2024, 8, 1)
    dead, joining = (client.create_flow_run(backfill) for _ in range(2))
    begun = part(client, monkeypatch, dead.id, first)
    assert part(client, monkeypatch, joining.id, first).id == begun.id
    spread.stop_parts(backfill, dead, Cancelling())
    assert client.read_flow_run(begun.id).state.is_scheduled(), "somebody waits for it"
    client.set_flow_run_state(dead.id, Cancelled(), force=True)
    spread.stop_parts(backfill, joining, Cancelling())
    ended = client.read_flow_run(begun.id)
    assert ended.state.is_cancelled()
    assert {"backfill", "mlb", "2024-08-01", f"part-of-{dead.id}"} <= set(ended.tags)


def test_backfills_that_hold_every_place_of_their_queue_leave_their_parts_room(client, monkeypatch, deployed):
    first = dt.date(2024, 9, 1)
    waiting = [client.create_flow_run_from_deployment(deployed["backfill/mlb"]) for _ in range(4)]
    for each in waiting[:3]:
        client.set_flow_run_state(each.id, Running(), force=True)
    begun = part(client, monkeypatch, waiting[0].id, first)
    handed_out = {each.flow_run.id for each in client.get_scheduled_flow_runs_for_work_pool(POOL)}
    assert begun.id in handed_out
    assert waiting[3].id not in handed_out, "the limit holds for backfills"
    for each in (*waiting, begun):
        client.set_flow_run_state(each.id, Cancelled(), force=True)
