"""A backfill that a worker has, cancelled and retried as the pages of the Prefect UI do it: by the state of its run."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Cancelling, Running

from backstop.clock import days_between
from backstop.lake import lease
from backstop.lake.states import State
from backstop.store import embedded
from deployments.catalog import POOL
from flows.backfill import backfill, day_of_range
from flows.slate import slate_refresh
from tasks.marks import OWNER
from tests.flows.league import EARLY
from tests.operations.checkout import ROOT
from tests.operations.cluster import OVER, count
from tests.operations.servers import Worker
from tests.operations.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(400)]

WITHIN_S = 120
DAYS = days_between(EARLY, EARLY + dt.timedelta(days=3))
FIRST, *_, LAST = DAYS
ASIDE = LAST + dt.timedelta(days=1)
HERE = {"working_dir": str(ROOT)}

CANCEL = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": True}
RETRY = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}, "force": False}
"""What the buttons of the pages send (prefect/server/ui/assets)."""


@pytest.fixture
def client(deployed):
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def room(rooms, league):
    """A home whose Redis is nobody's child, so that it outlives every run."""
    redis_url = embedded.ensure(rooms.home / "redis")
    rooms.settings |= {"upstream": league.base_url, "redis_url": redis_url}
    yield rooms
    embedded.stop(rooms.home / "redis")


@pytest.fixture
def worker(client, room, tmp_path):
    """A worker that takes backfills alone: what other deployments have due is not this test's."""
    settings = {
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    worker = Worker("worker", tmp_path, settings, POOL)
    worker.command += ["--work-queue", "backfill"]
    with room.environment():
        worker.environment |= {name: value for name, value in os.environ.items() if name.startswith("BACKSTOP_")}
        worker.start()
    yield worker
    worker.stop()


def press(client, run, body):
    """Set a run's state as a button of the UI does."""
    answer = client._client.post(f"/flow_runs/{run.id}/set_state", json=body)
    answer.raise_for_status()
    assert answer.json()["status"] == "ACCEPT", answer.json()


def ended(client, run):
    """Return the final state of a run, none while it has none."""
    state = client.read_flow_run(run.id).state
    return state if state.type.value in OVER else None


def under(client, run):
    """The runs of days under a run, oldest day first."""
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
    found = client.read_flow_runs(flow_run_filter=wanted)
    return sorted((each for each in found if "day" in each.parameters), key=lambda each: each.parameters["day"])


def published(house):
    return [day for day in DAYS if house.reader.slate(day).version is not None]


def served(house, day):
    slate = house.reader.slate(day)
    return slate.version, slate.published_at


def retried_at(client, run):
    """When the button put the run back."""
    return max(each.timestamp for each in client.read_flow_run_states(run.id) if each.name == "AwaitingRetry")


def drafts(house):
    return list(house.redis.scan_iter(match="bs:*:draft:*"))


def hear_the_past(client, known):
    """Return when a new worker has cancelled a run of its own.

    It is told once more of what was cancelled in the minute before it was started, in order, and would take that for a
    run that was retried meanwhile (prefect.events.clients.PrefectEventSubscriber).
    """
    decoy = client.create_flow_run_from_deployment(
        known.id, parameters={"first": ASIDE.isoformat(), "last": ASIDE.isoformat()}, job_variables=HERE
    )
    until(lambda: client.read_flow_run(decoy.id).run_count == 1, "the decoy to run", WITHIN_S)
    press(client, decoy, CANCEL)
    assert until(lambda: ended(client, decoy), "the decoy to be cancelled", WITHIN_S).name == "Cancelled"


def test_a_cancelled_backfill_leaves_whole_days_and_its_retry_does_only_the_others(client, room, worker):
    house = room.house
    known = client.read_deployment_by_name("backfill/mlb")
    run = client.create_flow_run_from_deployment(
        known.id,
        parameters={"first": FIRST.isoformat(), "last": LAST.isoformat(), "parallel": 1},
        job_variables=HERE,
    )

    def first_is_done():
        assert not ended(client, run), ended(client, run)
        entry = house.ledger.entry("out_props", FIRST.isoformat())
        return entry is not None and entry.state in {State.COMPLETE, State.DEGRADED}

    until(first_is_done, "the first day to be published", WITHIN_S)
    press(client, run, CANCEL)
    state = until(lambda: ended(client, run), "the run to be cancelled", WITHIN_S)
    assert state.name == "Cancelled", state.message
    assert lease.is_gone(client.read_flow_run(run.id).labels[OWNER])
    assert worker.process.poll() is None
    assert house.ledger.entries(states=[State.RUNNING]) == []
    assert drafts(house) == []
    assert all(each.state.is_final() for each in under(client, run))
    done = published(house)
    assert FIRST in done
    assert LAST not in done, "it was cancelled in its middle"
    assert count(house, done)[1] == []
    before = {day: served(house, day) for day in done}
    assert before[FIRST][0] == 1

    # another worker takes it: this one may still have to say how the process ended, which Prefect would take for the end
    # of the retried run
    worker.stop()
    worker.start()
    hear_the_past(client, known)
    press(client, run, RETRY)
    state = until(lambda: ended(client, run), "the retried run to end", WITHIN_S)
    assert state.name == "Completed", state.message
    assert client.read_flow_run(run.id).run_count == 2
    assert {day: served(house, day) for day in done} == before, "nothing that was done is done again"
    since = retried_at(client, run)
    again = [each.parameters["day"] for each in under(client, run) if each.start_time > since]
    assert again == [day.isoformat() for day in DAYS if day not in done]
    assert published(house) == DAYS
    numbers, wrong = count(house, DAYS)
    assert (wrong, numbers["slates"]) == ([], len(DAYS))
    assert (house.ledger.entries(states=[State.RUNNING]), drafts(house)) == ([], [])


def test_a_day_that_was_killed_under_a_cancelled_backfill_is_closed_and_another_runs_day_is_not(client, room):
    house = room.house
    days = {}
    for name, day in (("cancelled", FIRST), ("other", LAST)):
        parent = client.create_flow_run(backfill, name=name)
        task_run = client.create_task_run(day_of_range, parent.id, dynamic_key="0")
        parameters = {"day": day.isoformat()}
        child = client.create_flow_run(
            slate_refresh, parameters=parameters, state=Running(), parent_task_run_id=task_run.id
        )
        house.ledger.begin("out_props", day.isoformat(), run_id=str(child.id))
        days[name] = parent, child, day
    run, child, day = days["cancelled"]
    with room.environment():
        for hook in backfill.on_cancellation_hooks:
            hook(backfill, run, Cancelling(message="Flow run was cancelled."))
    entry, state = house.ledger.entry("out_props", day.isoformat()), client.read_flow_run(child.id).state
    assert (entry.state, entry.reason) == (State.FAILED, "Flow run was cancelled.")
    assert (state.name, state.message) == ("Cancelled", "cancelled was cancelled, of which this is a part")
    other = days["other"][1]
    assert house.ledger.entry("out_props", LAST.isoformat()).state is State.RUNNING
    assert client.read_flow_run(other.id).state.is_running()
    client.set_flow_run_state(other.id, Cancelled(), force=True)
