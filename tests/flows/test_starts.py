"""Starting under a key: what died before it wrote anything is begun again after a pause, and nothing is begun twice."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from backstop.stages import due
from backstop.stages.due import Due
from tasks import starts, upkeep

pytestmark = pytest.mark.prefect

DAY = dt.date(2025, 8, 1)
DEPLOYMENT = "slate-refresh/mlb"


@pytest.fixture(autouse=True)
def _deployed(deployed):
    """The deployment on which runs are started."""


@pytest.fixture
def client():
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def key():
    return f"slate-refresh:{DAY}:{uuid4()}"


def asked(client, key, after=dt.timedelta(0)):
    """Ask for the run of a key, so long after now."""
    now = dt.datetime.now(dt.UTC) + after
    return starts.start_until_it_works(client, DEPLOYMENT, {"day": str(DAY)}, key, "refresh", [str(DAY)], now)


def end(client, run, state):
    client.set_flow_run_state(run.id, state, force=True)


@pytest.mark.parametrize("state", [Crashed, Failed])
def test_a_run_that_died_is_begun_again_once_its_pause_is_over_and_the_pauses_grow(client, key, state):
    run = asked(client, key)
    for number, pause in enumerate([*due.RETRY_AFTER, due.RETRY_AFTER[-1]], 2):
        end(client, run, state())
        assert asked(client, key, pause - dt.timedelta(minutes=1)).id == run.id
        run = asked(client, key, pause)
        assert (run.idempotency_key, run.name) == (f"{key}:{number}", f"refresh ({number})")
        assert run.parameters == {"day": str(DAY)}
        assert {"mlb", str(DAY)} <= set(run.tags)


def test_a_run_that_the_server_cancelled_as_one_too_many_is_begun_again(client, key):
    run = asked(client, key)
    end(client, run, Cancelled(message="Deployment concurrency limit reached."))
    assert asked(client, key).id == run.id
    assert asked(client, key, due.RETRY_AFTER[0]).idempotency_key == f"{key}:2"


@pytest.mark.parametrize("state", [Completed, Cancelled, Running])
def test_a_run_that_lives_or_was_ended_on_purpose_stays_the_only_one(client, key, state):
    run = asked(client, key)
    end(client, run, state())
    assert asked(client, key, dt.timedelta(days=2)).id == run.id
    assert list(starts.runs_under(client, [key, f"{key}:2"])) == [key]


def test_of_a_row_of_equal_runs_a_cancelled_one_is_left_out_and_the_next_is_begun(client, key, monkeypatch):
    monkeypatch.setattr(due, "RETRY_AFTER", (dt.timedelta(0),))
    prices = Due("odds-refresh", DAY, str(uuid4()), "games are to begin", after="run")
    run_id = upkeep.start_runs.fn([prices])[prices.key]
    client.set_flow_run_state(run_id, Cancelled(message="Cancelled in the UI"), force=True)
    (again,) = upkeep.start_runs.fn([prices]).values()
    assert client.read_flow_run(again).idempotency_key == f"{prices.key}:2"
    end(client, client.read_flow_run(again), Completed())
    assert upkeep.start_runs.fn([prices]) == {prices.key: again}


def test_prices_are_left_to_the_refresh_of_the_whole_slate_unless_that_is_not_begun(client, key, monkeypatch):
    slate = Due("slate-refresh", DAY, str(uuid4()), "line-ups are posted")
    prices = Due("odds-refresh", DAY, str(uuid4()), "games are to begin", after="run")
    others = Due("odds-refresh", DAY + dt.timedelta(days=1), str(uuid4()), "games are to begin", after="run")
    begun = upkeep.start_runs.fn([prices, slate, others])
    assert set(begun) == {slate.key, others.key}
    assert not starts.runs_under(client, [prices.key])
    end(client, client.read_flow_run(begun[slate.key]), Failed())
    assert prices.key in upkeep.start_runs.fn([slate, prices]), "the slate waits its pause: prices do not wait with it"
    waiting = Due("slate-refresh", DAY, str(uuid4()), "line-ups are posted")
    deployment = client.read_deployment_by_name(DEPLOYMENT)
    client.pause_deployment(deployment.id)
    try:
        later = Due("odds-refresh", DAY, str(uuid4()), "games are to begin", after="run")
        assert set(upkeep.start_runs.fn([waiting, later])) == {later.key}
    finally:
        client.resume_deployment(deployment.id)


def test_two_schedulers_at_once_start_one_run_more(client, key):
    end(client, asked(client, key), Crashed())

    def scheduler():
        with get_client(sync_client=True) as own:
            return asked(own, key, due.RETRY_AFTER[0]).id

    # each with the server's address of this test
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(copy_context().run, scheduler) for _ in range(4)]
        assert len({each.result() for each in answers}) == 1
    assert sorted(starts.runs_under(client, [f"{key}:{number}" for number in range(2, 5)])) == [f"{key}:2"]


def test_after_the_most_runs_nothing_is_begun_any_more(client, key, monkeypatch):
    monkeypatch.setattr(starts, "MOST", 2)
    for _ in range(2):
        last = asked(client, key, dt.timedelta(days=1))
        end(client, last, Crashed())
    assert asked(client, key, dt.timedelta(days=2)).id == last.id
    assert list(starts.runs_under(client, [f"{key}:2", f"{key}:3"])) == [f"{key}:2"]


def test_reconcile_starts_what_died_again_and_says_meanwhile_how_it_ended(client, key, monkeypatch):
    told = []
    monkeypatch.setattr(upkeep, "say", told.append)
    monkeypatch.setattr(upkeep, "warn", told.append)
    wanted = Due("slate-refresh", DAY, key.rpartition(":")[2], "line-ups are posted")

    def started():
        (run_id,) = upkeep.start_runs.fn([wanted]).values()
        return client.read_flow_run(run_id)

    first = started()
    end(client, first, Crashed())
    assert started().id == first.id
    monkeypatch.setattr(due, "RETRY_AFTER", (dt.timedelta(0),))
    assert started().idempotency_key == f"{key}:2"
    name = f"slate-refresh {DAY} {wanted.slot}"
    assert told == [
        f"{name} is started.",
        f"{name} ended as Crashed and slate-refresh {DAY} is due still.",
        f"{name} (2) is started.",
    ]
