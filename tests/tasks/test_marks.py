"""What a run leaves where others look: its mark on the server, its days in the ledger and how they are let go."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from prefect import settings as prefect_settings
from prefect.context import SyncClientContext
from prefect.states import Cancelled, Crashed, Failed, Running

from backstop import tables
from backstop.errors import LeaseHeld
from backstop.lake import lease
from backstop.lake.states import State
from tasks import marks
from tests.operations.answering import Answering
from tests.stages.rows import DAY

PROPS = tables.PROPS.name
RUN = str(uuid.uuid4())
LABELLED, TAGGED = ("PATCH", f"/api/flow_runs/{RUN}/labels"), ("PATCH", f"/api/flow_runs/{RUN}")


@pytest.fixture
def prefect():
    script = {("GET", "/api/admin/version"): (200, "3.8.8"), LABELLED: (204, b""), TAGGED: (204, b"")}
    with Answering(script) as server:
        told = {prefect_settings.PREFECT_API_URL: f"{server.url}/api"}
        with prefect_settings.temporary_settings(told), SyncClientContext():
            yield server


def sign(name="slate-refresh", tags=(), **parameters):
    run = SimpleNamespace(id=RUN, tags=list(tags), parameters=parameters, name="a run")
    marks.sign(SimpleNamespace(name=name), run, Running())


def told(prefect):
    return {(method, path): body for method, path, body in prefect.asked if method == "PATCH"}


def test_a_run_is_signed_by_its_process_and_tagged_with_sport_dates_and_tables(prefect):
    sign("slate-grade", ["mine"], day="2025-06-15T00:00:00+00:00", first=None, other="2025-01-01")
    asked = told(prefect)
    assert asked[LABELLED] == {marks.OWNER: lease.owner()}
    assert asked[TAGGED]["tags"] == ["2025-06-15", "core_box", "mine", "mlb", "out_grades", "out_settled"]


def test_a_run_of_a_range_has_both_of_its_dates_and_a_flow_without_tables_none(prefect):
    sign("backfill", first="2025-06-01", last="2025-06-03")
    assert told(prefect)[TAGGED]["tags"] == ["2025-06-01", "2025-06-03", "mlb"]


def test_a_run_that_has_all_its_tags_is_not_tagged_again(prefect):
    sign("canary", ["mlb"])
    assert list(told(prefect)) == [LABELLED]


@pytest.mark.parametrize("status", [404, 409, 500])
def test_a_mark_that_the_server_refuses_does_not_cost_the_run(prefect, status):
    prefect.script[LABELLED] = (status, {"detail": "no"})
    with prefect_settings.temporary_settings({prefect_settings.PREFECT_CLIENT_MAX_RETRIES: 0}):
        sign()
    assert TAGGED not in told(prefect)


# a day in the ledger


def test_a_day_is_held_for_one_run_and_closed_by_it(house):
    marks.hold(house, DAY, RUN)
    held = house.ledger.entry(PROPS, str(DAY))
    assert (held.state, held.run_id) == (State.RUNNING, RUN)
    assert (held.lease_until - house.clock.now()).total_seconds() == pytest.approx(marks.LEASE_S, abs=60)
    with pytest.raises(LeaseHeld):
        marks.hold(house, DAY, "another")
    marks.off_day(house, DAY, RUN, "no games")
    closed = house.ledger.entry(PROPS, str(DAY))
    assert (closed.state, closed.reason) == (State.EMPTY_OK, "no games")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (Failed(message="2 gaps"), "FailedRun: 2 gaps"),
        (Crashed(message="its process is gone"), "CrashedRun: its process is gone"),
        (Cancelled(message="by hand"), "CancelledRun: by hand"),
    ],
)
def test_what_a_run_still_holds_is_failed_with_its_sentence_and_what_others_hold_is_not(house, state, reason):
    for table, key, run in (
        (PROPS, "2025-06-15", RUN),
        ("core_box", "2025-06-15", RUN),
        (PROPS, "2025-06-16", "another"),
    ):
        house.ledger.begin(table, key, run_id=run)
    house.ledger.begin("core_games", "2025-06-15", run_id=RUN)
    house.ledger.complete("core_games", "2025-06-15", run_id=RUN, rows_in=1, rows_loaded=1)
    marks.let_go(SimpleNamespace(name="slate-refresh"), SimpleNamespace(id=RUN), state)
    found = {(each.table, each.key): (each.state, each.reason) for each in house.ledger.entries()}
    assert found == {
        (PROPS, "2025-06-15"): (State.FAILED, reason),
        ("core_box", "2025-06-15"): (State.FAILED, reason),
        (PROPS, "2025-06-16"): (State.RUNNING, None),
        ("core_games", "2025-06-15"): (State.COMPLETE, None),
    }


def test_a_run_that_failed_before_there_was_a_ledger_makes_none(house):
    marks.let_go(SimpleNamespace(name="slate-refresh"), SimpleNamespace(id=RUN), Failed())
    assert not house.settings.ledger_file.exists()


def test_a_command_at_the_terminal_takes_no_places_of_the_workers(monkeypatch):
    monkeypatch.setattr(marks, "deployment", SimpleNamespace(id=None))
    monkeypatch.setattr(marks, "concurrency", None)  # would fail if it were asked
    with marks.places(25):
        pass


def test_no_heartbeat_is_sent_inside_of_the_block_and_again_after_it():
    setting = prefect_settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY
    with prefect_settings.temporary_settings({setting: 30}):
        with marks.unheard():
            assert setting.value() is None
        assert setting.value() == 30
