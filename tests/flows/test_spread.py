"""A backfill over several workers: a run for every part, those that died begun again, and a part given up with its reason."""

from __future__ import annotations

import datetime as dt

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from backstop.stages.backfill import Backfill
from tasks import spread

pytestmark = pytest.mark.prefect

PLAIN, SCANT = "prices=true:degraded=false", "prices=false:degraded=true"
"""What parts of the tests do."""


class Workers:
    """Workers that end each run as they are told: states by the first day of its part, one for every attempt."""

    def __init__(self, monkeypatch, **ends):
        self.ends = {dt.date.fromisoformat(day.replace("_", "-")[1:]): list(states) for day, states in ends.items()}
        self.seen = []
        monkeypatch.setattr(spread, "LOOK_EVERY_S", 0.0)
        monkeypatch.setattr(spread.dead, "bury", lambda client, _say: self.work(client))

    def work(self, client):
        for first, states in self.ends.items():
            for run in runs(client, first):
                if states and not run.state.is_final() and run.id not in [each.id for each in self.seen]:
                    client.set_flow_run_state(run.id, Running(), force=True)
                    client.set_flow_run_state(run.id, states.pop(0), force=True)
                    self.seen.append(run)


def runs(client, first):
    keys = [f"backfill:{first}:{last}:{PLAIN}:{attempt}" for last in later(first) for attempt in range(1, 12)]
    keys += [key.replace(PLAIN, SCANT) for key in keys]
    wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=keys))
    return sorted(client.read_flow_runs(flow_run_filter=wanted), key=lambda each: each.idempotency_key)


def later(first):
    return [first + dt.timedelta(days=number) for number in range(4)]


def plan(first, number):
    days = tuple(first + dt.timedelta(days=each) for each in range(number))
    return Backfill(days[0], days[-1], days, {}, 70, None)


def spread_over(first, number, days, *, parallel=1, prices=True, degraded=False):
    """Spread so many days in parts of so many, as the task does."""
    return spread.over_workers.fn(plan(first, number), days, parallel, prices, degraded)


@pytest.fixture(autouse=True)
def _deployed(deployed):
    """The deployment on which parts are started."""


def test_a_range_is_cut_into_parts_and_each_is_started_once_with_what_the_whole_was_told(monkeypatch):
    workers = Workers(monkeypatch, _2025_05_01=[Completed()], _2025_05_03=[Completed()], _2025_05_05=[Completed()])
    assert spread_over(dt.date(2025, 5, 1), 5, 2, parallel=3, prices=False, degraded=True) == {}
    told = [run.parameters for run in sorted(workers.seen, key=lambda each: each.name)]
    same = {"parallel": 3, "prices": False, "degraded": True, "credit_limit": 70}
    assert told == [
        {"first": "2025-05-01", "last": "2025-05-02", **same},
        {"first": "2025-05-03", "last": "2025-05-04", **same},
        {"first": "2025-05-05", "last": "2025-05-05", **same},
    ]
    assert workers.seen[0].name == "backfill 2025-05-01 to 2025-05-02"
    assert "2025-05-01" in workers.seen[0].tags


def test_a_part_that_crashed_or_failed_is_started_again_under_the_next_key(monkeypatch):
    workers = Workers(monkeypatch, _2025_06_01=[Crashed(), Failed(), Completed()])
    assert spread_over(dt.date(2025, 6, 1), 2, 2) == {}
    keys = [run.idempotency_key for run in workers.seen]
    assert keys == [f"backfill:2025-06-01:2025-06-02:{PLAIN}:{attempt}" for attempt in (1, 2, 3)]


def test_a_part_that_fails_every_time_is_given_up_with_its_reason_for_each_of_its_days(monkeypatch):
    ends = [Failed(message="the feed is down")] * spread.ATTEMPTS
    workers = Workers(monkeypatch, _2025_07_01=ends, _2025_07_03=[Completed()])
    reasons = spread_over(dt.date(2025, 7, 1), 4, 2)
    said = "run backfill 2025-07-01 to 2025-07-02 ended as Failed: the feed is down"
    assert reasons == {dt.date(2025, 7, 1): said, dt.date(2025, 7, 2): said}
    assert len(workers.seen) == spread.ATTEMPTS + 1


def test_a_part_that_somebody_cancelled_is_not_started_again(monkeypatch):
    workers = Workers(monkeypatch, _2025_08_01=[Cancelled(message="not now")])
    reasons = spread_over(dt.date(2025, 8, 1), 1, 5)
    assert reasons == {dt.date(2025, 8, 1): "run backfill 2025-08-01 to 2025-08-01 ended as Cancelled: not now"}
    assert len(workers.seen) == 1


def test_the_same_backfill_joins_the_part_that_still_runs_and_passes_over_one_that_ended(monkeypatch):
    first = dt.date(2025, 9, 1)
    with get_client(sync_client=True) as client:
        fixed = {"parallel": 1, "prices": True, "degraded": False}
        ended = spread._start(client, (first,), fixed)
        client.set_flow_run_state(ended.id, Crashed(), force=True)
        second = spread._start(client, (first,), fixed)
        joined = spread._start(client, (first,), fixed)
    assert ended.id != second.id == joined.id
    assert joined.idempotency_key.endswith(":2")
    workers = Workers(monkeypatch, _2025_09_01=[Completed()])
    assert spread_over(first, 1, 1) == {}
    assert [run.id for run in workers.seen] == [second.id]


def test_a_backfill_with_prices_does_not_take_a_part_that_runs_without_them_for_its_own(monkeypatch):
    first = dt.date(2025, 10, 1)
    with get_client(sync_client=True) as client:
        without = spread._start(client, (first,), {"parallel": 1, "prices": False, "degraded": False})
        slower = spread._start(client, (first,), {"parallel": 2, "prices": False, "degraded": False})
        workers = Workers(monkeypatch, _2025_10_01=[Completed()])
        assert spread_over(first, 1, 1, prices=True) == {}
        assert [run.parameters["prices"] for run in workers.seen] == [True]
        assert slower.id == without.id, "how many days at once makes it no other work"
        assert not client.read_flow_run(without.id).state.is_final()
        client.set_flow_run_state(without.id, Cancelled(), force=True)


def test_runs_of_earlier_backfills_that_ended_are_no_attempts_of_this_one(monkeypatch):
    first = dt.date(2025, 11, 1)
    fixed = {"parallel": 1, "prices": True, "degraded": False}
    with get_client(sync_client=True) as client:
        for _ in range(spread.ATTEMPTS):
            client.set_flow_run_state(spread._start(client, (first,), fixed).id, Crashed(), force=True)
    workers = Workers(monkeypatch, _2025_11_01=[Crashed(), Completed()])
    assert spread_over(first, 1, 1) == {}
    numbers = [int(run.idempotency_key.rpartition(":")[2]) for run in workers.seen]
    assert numbers == [spread.ATTEMPTS + 1, spread.ATTEMPTS + 2]
