"""Runs that die or stall between two steps of a write: a day is closed as it was kept, or done again, never better."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import LeaseHeld, StaleVersion
from backstop.lake.ledger import LEASE_S
from backstop.lake.reconcile import Repair, reconcile
from backstop.lake.states import State
from backstop.stages import publish, rebuild, turn
from backstop.stages.keep import Checked, keep
from backstop.stages.outcome import Outcome
from backstop.stages.project import FEATURES
from backstop.store.loader import SlateWriter
from tests.stages.rows import DAY, games
from tests.stages.test_keep import checked
from tests.stages.test_killed_publish import KEY, PROPS, ROWS, refresh, terms
from tests.stages.test_publish import staged

TABLE = "core_games"
STEPS = {"quarantine": ("quarantine", "put"), "write": ("lake", "write"), "settle": ("quarantine", "settle")}


class Died(Exception):
    """Stands for the end of a process: nothing after it is run."""


@contextlib.contextmanager
def dying(house, after: str):
    """Let the run inside the block die when it has done a step; its lease is over afterwards."""
    room, name = getattr(house, STEPS[after][0]), STEPS[after][1]
    original = getattr(room, name)

    def last(*args, **given):
        original(*args, **given)
        raise Died

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Died):
        patch.setattr(room, name, last)
        yield
    house.clock.advance(LEASE_S + 1)


def repaired(house) -> list[Repair]:
    return reconcile(house.lake, house.ledger, house.quarantine, [TABLE], run_id="reconcile")


def counts(house) -> tuple[int, int, int, int]:
    """Rows in, loaded and quarantined as the ledger has them, and rows that are open in quarantine."""
    entry = house.ledger.entry(TABLE, KEY)
    return entry.rows_in, entry.rows_loaded, entry.rows_quarantined, house.quarantine.list(TABLE, DAY).height


@pytest.mark.parametrize("after", ["write", "settle"])
@pytest.mark.parametrize("lacks", [(), ("2 of 15 games have no pitches", "3 pitches without a type")])
def test_a_day_that_was_kept_and_not_closed_is_closed_as_its_run_would_have(house, after, lacks):
    with dying(house, after):
        keep(house, checked(3, 1, degraded=lacks), "dead")
    (repair,) = repaired(house)
    entry = house.ledger.entry(TABLE, KEY)
    assert (repair.before, repair.after) == (State.RUNNING, entry.state)
    assert entry.state is (State.DEGRADED if lacks else State.COMPLETE)
    assert (entry.reason or "") == "; ".join(lacks)
    assert entry.suite_version == "core_games"
    assert counts(house) == (4, 3, 1, 1)
    assert house.ledger.missing(TABLE, [KEY]) == ([KEY] if lacks else [])
    assert repaired(house) == []


def test_a_replay_that_died_before_it_settled_is_done_again_and_counts_no_row_twice(house):
    keep(house, checked(3, 3), "before")
    again = checked(5, 1)
    with dying(house, "write"):
        keep(house, again, "dead")
    (repair,) = repaired(house)
    assert (repair.after, repair.reason) == (State.FAILED, "run dead died before it settled the rows refused before")
    assert house.ledger.missing(TABLE, [KEY]) == [KEY]
    keep(house, again, "next")
    assert house.ledger.entry(TABLE, KEY).state is State.COMPLETE
    assert counts(house) == (6, 5, 1, 1)
    assert repaired(house) == []


def test_a_row_that_somebody_dropped_is_counted_as_refused_still(house):
    keep(house, checked(3, 2), "before")
    house.quarantine.drop(house.quarantine.list(TABLE, DAY)["row_id"][:1].to_list(), because="never will be")
    with dying(house, "settle"):
        keep(house, checked(4, 2), "dead")
    (repair,) = repaired(house)
    assert repair.after is State.COMPLETE
    assert counts(house) == (6, 4, 2, 1)


def test_rows_of_the_run_before_do_not_complete_a_day_whose_run_died_before_its_own_were_written(house):
    keep(house, checked(3, 1), "before")
    with dying(house, "quarantine"):
        keep(house, checked(5, 0), "dead")
    (repair,) = repaired(house)
    assert (repair.after, repair.reason) == (State.FAILED, "run dead died before its rows were in the lake")
    assert house.lake.read(TABLE, DAY).height == 3


def test_the_same_rows_again_need_no_write_to_be_complete(house):
    keep(house, checked(3, 1), "before")
    with dying(house, "write"):
        keep(house, checked(3, 1), "dead")
    assert [each.after for each in repaired(house)] == [State.COMPLETE]
    assert counts(house) == (4, 3, 1, 1)


def test_a_day_without_games_whose_rows_of_before_are_in_the_lake_stays_closed(house):
    keep(house, checked(3, 0), "before")
    house.ledger.begin(TABLE, KEY, run_id="next")
    house.ledger.empty(TABLE, KEY, run_id="next", reason="every game was postponed")
    assert repaired(house) == []
    assert house.ledger.entry(TABLE, KEY).state is State.EMPTY_OK


def overtaken(house, step: str, by: Checked):
    """Let a run stall just before a step, past its lease, while another takes its day and ends."""
    room, name = getattr(house, STEPS[step][0]), STEPS[step][1]
    original = getattr(room, name)
    patch = pytest.MonkeyPatch()

    def stalled(*args, **given):
        patch.undo()
        house.clock.advance(LEASE_S + 1)
        keep(house, by, "successor")
        return original(*args, **given)

    patch.setattr(room, name, stalled)


def test_a_run_that_wakes_after_its_day_was_taken_over_writes_nothing(house):
    overtaken(house, "quarantine", checked(5, 0))
    with pytest.raises(LeaseHeld, match=r"taken over by run successor; run slow may not.*newer run's result counts"):
        keep(house, checked(3, 0), "slow")
    assert house.lake.read(TABLE, DAY).height == 5
    entry = house.ledger.entry(TABLE, KEY)
    assert (entry.run_id, entry.state, entry.rows_loaded) == ("successor", State.COMPLETE, 5)
    assert repaired(house) == []


def test_a_run_that_stalled_within_the_write_leaves_the_day_to_be_done_again(house):
    overtaken(house, "write", checked(5, 0))
    with pytest.raises(LeaseHeld):
        keep(house, checked(3, 0), "slow")
    entry = house.ledger.entry(TABLE, KEY)
    assert (entry.state, entry.reason) == (State.STALE, "run slow, which had lost its turn, replaced its rows")
    assert house.ledger.missing(TABLE, [KEY]) == [KEY]
    assert repaired(house) == []


def test_a_lease_begins_anew_when_the_rows_are_about_to_be_written(house, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE_S", 0.0)
    put, write = house.quarantine.put, house.lake.write

    def slow_put(*args, **given):
        house.clock.advance(LEASE_S - 1)
        return put(*args, **given)

    def slow_write(*args, **given):
        house.clock.advance(LEASE_S - 1)
        with pytest.raises(LeaseHeld, match="being worked on by run first"):
            turn.take(house, TABLE, KEY, "second")
        return write(*args, **given)

    monkeypatch.setattr(house.quarantine, "put", slow_put)
    monkeypatch.setattr(house.lake, "write", slow_write)
    keep(house, checked(3, 1), "first")
    assert house.ledger.entry(TABLE, KEY).state is State.COMPLETE


def test_a_slate_whose_turn_was_lost_is_not_flipped_and_its_rows_are_gone(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1))
    store.ledger.begin(PROPS, KEY, run_id="slow", lease_s=0)
    draft, batch = publish.open_draft(store, DAY, "slow"), staged(tmp_path, 1)
    loaded = publish.load(store, draft, batch)
    refresh(store, tmp_path, "successor", 2, seed=2)
    # the later draft wins already by its number: what is shown here is that the attempt is refused before it
    with pytest.raises(LeaseHeld, match=r"taken over by run successor; run slow may not"):
        publish.publish(store, draft, DAY, [batch], [loaded], 0, (), Outcome(PROPS, rows_in=ROWS, loaded=ROWS))
    assert (store.reader.slate(DAY).props_count, store.lake.read(PROPS, DAY).height) == (2 * ROWS, 2 * ROWS)
    assert not [key for key in store.redis.scan_iter("*") if b"draft" in key]


@contextlib.contextmanager
def stalling(room, name, meanwhile):
    """Let the first call of a step inside the block wait until something else has happened, past its run's lease."""
    original = getattr(room, name)
    with pytest.MonkeyPatch.context() as patch:

        def stalled(*args, **given):
            patch.undo()
            meanwhile()
            return original(*args, **given)

        patch.setattr(room, name, stalled)
        yield


@pytest.fixture
def taken_over(store, tmp_path, monkeypatch):
    """Let another run publish the day, over a run whose lease is over: two batches of other values."""
    store.lake.write("core_games", DAY, games(DAY, 1))

    def take():
        with monkeypatch.context() as patch:
            real = store.ledger.clock.now
            patch.setattr(store.ledger, "clock", FixedClock(real() + dt.timedelta(seconds=LEASE_S + 1)))
            refresh(store, tmp_path / "other", "successor", 2, seed=2)

    (tmp_path / "other").mkdir()
    return take


def whole(store) -> None:
    """Readers, lake and ledger have the successor's slate and nothing of the run that it overtook."""
    slate, entry = store.reader.slate(DAY), store.ledger.entry(PROPS, KEY)
    assert slate.meta["closing"]["run_id"] == entry.run_id == "successor"
    assert (entry.state, entry.rows_loaded) == (State.COMPLETE, 2 * ROWS)
    assert all(each.equal for each in rebuild.verify(store, [DAY]))
    assert store.reader.props(DAY).height == 2 * ROWS


def test_a_slate_that_is_overtaken_between_the_look_at_its_lease_and_the_flip_is_refused_by_its_number(
    store, tmp_path, taken_over
):
    with stalling(SlateWriter, "publish", taken_over), pytest.raises(StaleVersion, match="Version 2 is published"):
        refresh(store, tmp_path, "slow", 1, seed=1)
    whole(store)


def test_a_slate_that_is_overtaken_after_its_flip_leaves_the_lake_to_its_successor(store, tmp_path, taken_over):
    with stalling(publish, "keep_terms", taken_over), pytest.raises(LeaseHeld, match="taken over by run successor"):
        refresh(store, tmp_path, "slow", 1, seed=1)
    whole(store)
    # it was served for a while: on which terms is kept
    assert terms(store) == [(1, ROWS), (2, 2 * ROWS)]


@pytest.mark.parametrize("table", [FEATURES, PROPS, rebuild.SLATES])
def test_a_slate_that_is_overtaken_while_it_is_written_to_the_lake_is_served_whole_and_to_be_done_again(
    store, tmp_path, taken_over, table
):
    write = store.lake.write

    def stalled(name, day, frame):
        if name == table:
            store.lake.write = write
            taken_over()
        return write(name, day, frame)

    store.lake.write = stalled
    with pytest.raises(LeaseHeld, match="taken over by run successor"):
        refresh(store, tmp_path, "slow", 1, seed=1)
    slate, entry = store.reader.slate(DAY), store.ledger.entry(PROPS, KEY)
    assert (slate.meta["closing"]["run_id"], store.reader.props(DAY).height) == ("successor", 2 * ROWS)
    assert (entry.state, entry.reason) == (State.STALE, "run slow, which had lost its turn, replaced its rows")
    assert store.ledger.missing(PROPS, [KEY]) == [KEY]
    # what the lake has now is neither slate's: it takes no reader's away
    (left,) = rebuild.rebuild(store, [DAY])
    assert (left.version, left.restorable) == (None, False)
    refresh(store, tmp_path, "next", 2, seed=2)
    assert all(each.equal for each in rebuild.verify(store, [DAY]))


def test_a_slate_is_not_closed_by_a_run_that_lost_it(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1))
    store.ledger.begin(PROPS, KEY, run_id="slow", lease_s=0)
    refresh(store, tmp_path, "successor", 2, seed=2)
    with pytest.raises(LeaseHeld, match="taken over by run successor"):
        publish.mark(store, DAY, "slow", Outcome(PROPS, rows_in=ROWS, loaded=ROWS), ())
    entry = store.ledger.entry(PROPS, KEY)
    assert (entry.run_id, entry.state, entry.rows_loaded) == ("successor", State.COMPLETE, 2 * ROWS)
