"""Reconcile: exactly what is due is started, once whoever asks; dead runs are found and what they held is freed."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId

from backstop.lake.states import State
from tests.flows.league import EARLY, OFF

pytestmark = pytest.mark.prefect

MORNING = dt.datetime.combine(EARLY + dt.timedelta(days=1), dt.time(14), dt.UTC)

HANGS = """
import time
from prefect import flow, task
from tasks import marks
from backstop.stages.house import House
import datetime as dt

@flow(name="hangs", **marks.HOOKS)
def hangs(day: dt.date):
    from tasks.runs import run_id
    marks.hold(House.current(), day, run_id())
    print(run_id(), flush=True)
    time.sleep(600)

hangs(dt.date(2025, 4, 8))
"""


def reconcile(rooms, at):
    from flows.reconcile import reconcile as flow

    with rooms.environment():
        return flow(at, return_state=True)


def runs_of(deployment_id, key_part):
    wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]))
    with get_client(sync_client=True) as client:
        return [run for run in client.read_flow_runs(flow_run_filter=wanted) if key_part in (run.idempotency_key or "")]


def test_an_off_day_is_empty_and_starts_nothing(rooms, league, deployed):
    rooms.settings |= {"upstream": league.base_url}
    noon = dt.datetime.combine(OFF, dt.time(16), dt.UTC)
    state = reconcile(rooms, noon)
    assert state.is_completed()
    assert not [key for key in state.result() if str(OFF) in key]
    assert rooms.house.ledger.entry("core_games", OFF.isoformat()).state is State.EMPTY_OK


def test_what_was_missed_is_started_once_by_two_schedulers(rooms, league, deployed):
    rooms.settings |= {"upstream": league.base_url}
    first = reconcile(rooms, MORNING)
    second = reconcile(rooms, MORNING + dt.timedelta(minutes=5))
    key = f"slate-refresh:{EARLY}:missed"
    assert key in first.result()
    assert key in second.result()
    (run,) = runs_of(deployed["slate-refresh/mlb"], key)
    assert run.parameters == {"day": EARLY.isoformat()}
    assert {"mlb", EARLY.isoformat()} <= set(run.tags)
    assert run.name == f"slate-refresh {EARLY} missed"


def test_a_deployment_that_is_paused_is_not_started(rooms, league, deployed):
    rooms.settings |= {"upstream": league.base_url}
    day = EARLY + dt.timedelta(days=4)

    def set_paused(*, paused):
        async def change():
            async with get_client() as client:
                await (client.pause_deployment if paused else client.resume_deployment)(deployed["slate-refresh/mlb"])

        asyncio.run(change())

    set_paused(paused=True)
    try:
        state = reconcile(rooms, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(14), dt.UTC))
    finally:
        set_paused(paused=False)
    assert not [key for key in state.result() if key.startswith("slate-refresh")]


def test_a_run_whose_process_was_killed_is_marked_as_crashed_and_its_day_is_free(rooms, league, deployed):
    rooms.settings |= {"upstream": league.base_url}
    from prefect.settings import PREFECT_API_URL

    with rooms.environment():
        environment = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value(), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
        process = subprocess.Popen([sys.executable, "-c", HANGS], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert rooms.house.ledger.entry("out_props", "2025-04-08").state is State.RUNNING
    assert reconcile(rooms, MORNING).is_completed()
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
    assert run.state.is_crashed()
    assert "is gone" in run.state.message
    entry = rooms.house.ledger.entry("out_props", "2025-04-08")
    assert entry.state is State.FAILED
    assert f"run {run_id} died" in entry.reason


def test_a_run_that_lives_is_left_alone(rooms, league, deployed):
    from prefect import flow

    from tasks import dead, marks

    @flow(name="lives", **marks.SIGNED)
    def lives():
        with get_client(sync_client=True) as client:
            return dead.bury(client, print)

    assert lives() == []


def test_reconcile_is_cheap_when_the_calendar_is_known(rooms, league, deployed):
    rooms.settings |= {"upstream": league.base_url}
    reconcile(rooms, MORNING)
    began = time.process_time()
    assert reconcile(rooms, MORNING).is_completed()
    assert time.process_time() - began < 5
