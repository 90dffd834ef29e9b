"""The ledger as a state machine, under many hands at once, and across migrations."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstop.clock import FixedClock
from backstop.errors import BackstopError, ConservationBroken, LeaseHeld
from backstop.lake.ledger import Ledger
from backstop.lake.schema import entries, metadata
from backstop.lake.states import CLOSING, State, may_follow

ACTIONS = ("expect", "begin", "complete", "degrade", "fail", "empty", "stale", "lose", "wait")


def act(ledger, action, run, rows):
    match action:
        case "expect":
            ledger.expect("t", ["k"])
        case "begin":
            ledger.begin("t", "k", run_id=run, lease_s=60)
        case "complete":
            ledger.complete(
                "t", "k", run_id=run, rows_in=rows, rows_loaded=rows // 2, rows_quarantined=rows - rows // 2
            )
        case "degrade":
            ledger.degrade("t", "k", run_id=run, reason="late", rows_in=rows, rows_loaded=0, rows_failed=rows)
        case "fail":
            ledger.fail("t", "k", run_id=run, reason="down", rows_in=rows)
        case "empty":
            ledger.empty("t", "k", run_id=run, reason="off day")
        case "stale":
            ledger.stale("t", ["k"], reason="corrected")
        case "lose":
            with pytest.raises(ConservationBroken):
                ledger.complete("t", "k", run_id=run, rows_in=rows + 1, rows_loaded=rows)
        case "wait":
            ledger.clock.advance(45)


step = st.tuples(st.sampled_from(ACTIONS), st.sampled_from(["r1", "r2"]), st.integers(0, 9))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, max_size=14))
def test_whatever_is_done_in_any_order_only_allowed_transitions_happen_and_rows_add_up(ledger, steps):
    with ledger.engine.begin() as connection:
        connection.execute(entries.delete())
    before = None
    for action, run, rows in steps:
        try:
            act(ledger, action, run, rows)
        except BackstopError:
            assert action not in {"expect", "stale", "wait", "lose"}
        after = ledger.entry("t", "k")
        state = None if after is None else after.state
        if state is not before:
            through_expected = before is None and state is State.EMPTY_OK
            corrected = before in CLOSING and state in CLOSING and after.run_id == run
            assert may_follow(before, state) or through_expected or corrected, f"{before} became {state}"
        if state in CLOSING and after.rows_in is not None:
            assert after.rows_in == after.rows_loaded + after.rows_quarantined + after.rows_failed
        if state is State.RUNNING:
            assert after.lease_until is not None
        elif after is not None:
            assert after.lease_until is None or state is State.EXPECTED
        before = state


def test_of_many_runs_at_once_exactly_one_gets_the_key(ledger):
    barrier = threading.Barrier(8)

    def begin(n: int) -> bool:
        barrier.wait()
        try:
            ledger.begin("t", "k", run_id=f"r{n}")
        except LeaseHeld:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 1


def test_many_keys_closed_at_once_are_all_closed(ledger):
    def work(n: int) -> None:
        ledger.begin("t", str(n), run_id="r")
        ledger.complete("t", str(n), run_id="r", rows_in=n, rows_loaded=n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))
    assert ledger.missing("t", [str(n) for n in range(60)]) == []
    assert sum(entry.rows_loaded for entry in ledger.entries("t")) == sum(range(60))


def test_more_keys_than_a_statement_holds_are_found(ledger):
    keys = [str(n) for n in range(1200)]
    assert ledger.expect("t", keys) == 1200
    assert ledger.missing("t", keys) == keys


def test_the_migrations_end_at_the_declared_table(ledger):
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": "ledger_version",
                "include_object": lambda _, name, kind, *__: not (kind == "table" and name == "ledger_version"),
            },
        )
        assert compare_metadata(context, metadata) == []


def test_four_processes_may_open_a_new_ledger_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite'}"
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(Ledger.connect, [url] * 4))
    assert [ledger.expect("t", ["k"]) for ledger in opened] == [1, 0, 0, 0]
    for ledger in opened:
        ledger.close()


def test_sqlite_keeps_a_write_ahead_log_and_readers_do_not_wait_for_a_writer(tmp_path):
    ledger = Ledger.connect(f"sqlite:///{tmp_path / 'ledger.sqlite'}", FixedClock(dt.datetime.now(dt.UTC)))
    ledger.expect("t", ["k"])
    with ledger.engine.begin() as writer:
        assert writer.execute(sa.text("pragma journal_mode")).scalar() == "wal"
        writer.execute(entries.update().values(reason="not yet"))
        assert ledger.entry("t", "k").reason is None
    assert ledger.entry("t", "k").reason == "not yet"
    ledger.close()


def test_instants_come_back_in_utc_from_either_database(ledger):
    ledger.clock.at = dt.datetime(2025, 6, 15, 12, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
    begun = ledger.begin("t", "k", run_id="r").begun_at
    assert (begun, begun.utcoffset()) == (ledger.clock.at, dt.timedelta(0))


@pytest.mark.parametrize("lost", ["loaded", "quarantined"])
def test_a_count_that_is_missing_breaks_the_close(ledger, lost):
    ledger.begin("t", "k", run_id="r")
    counts = {"rows_loaded": 3, "rows_quarantined": 2, f"rows_{lost}": 1}
    with pytest.raises(ConservationBroken):
        ledger.complete("t", "k", run_id="r", rows_in=5, **counts)
