"""A turn that takes long: kept by who says that he works, lost with an error by who was silent for a minute.

Time passes only while somebody waits for a turn, so that minutes take no time and every order of steps can be set.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.errors import LakeError
from backstop.lake import turns
from backstop.lake.bucket import Bucket
from backstop.lake.quarantine import Quarantine
from backstop.lake.tables import Lake

FOLDER = "quarantine"
DAY = dt.date(2025, 6, 15)
LOST = r"turn at memory://\S+/quarantine went to another process, as this one had not moved for 60 s; .*Run again"


class Hours:
    """Time that passes while somebody waits; what is due by then happens."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.due and self.due[0][0] <= self.now:
            self.due.pop(0)[1]()


@pytest.fixture
def hours(monkeypatch):
    hours = Hours()
    monkeypatch.setattr(turns, "time", hours)
    return hours


@pytest.fixture
def bucket(tmp_path):
    return Bucket(f"memory://{tmp_path.name}/lake")


@pytest.fixture
def elsewhere(tmp_path):
    """The same place as another process sees it: spelled otherwise, as the threads of one process wait for each other."""
    return Bucket(f"memory:///{tmp_path.name}/lake")


def test_a_turn_whose_holder_goes_on_is_waited_for_however_long_it_takes(bucket, elsewhere, hours):
    turn = bucket.turn(FOLDER)
    renew = turn.__enter__()
    ended = (300, lambda: turn.__exit__(None, None, None))
    hours.due = [*((seconds, renew) for seconds in range(10, 300, 50)), ended]
    with elsewhere.turn(FOLDER):
        assert 300 <= hours.now < 301


def test_a_turn_whose_holder_stops_is_followed_a_minute_after_he_moved_last(bucket, elsewhere, hours):
    with bucket.turn(FOLDER) as renew:
        hours.due = [(10, renew), (40, renew)]
        with elsewhere.turn(FOLDER) as theirs:
            assert 100 <= hours.now < 101
            with pytest.raises(LakeError, match=LOST):
                renew()
            theirs()
        with pytest.raises(LakeError, match=LOST):
            renew()
    # what he gave back was not his any more
    with elsewhere.turn(FOLDER):
        assert elsewhere.names(FOLDER)[-1] == f"{turns.MARK}00000003"


def test_a_turn_costs_no_write_more_as_long_as_it_is_short(bucket, hours, monkeypatch):
    with bucket.turn(FOLDER) as renew:
        hours.now += turns.RENEW_S - 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bucket, "replace", None)
            renew()
        hours.now += 1
        before = bucket.read(turns._path(FOLDER, 1))
        renew()
        assert bucket.read(turns._path(FOLDER, 1)) == before + b" 1"


@pytest.mark.parametrize(
    ("found", "taken"), [(b"he 2", False), (b"he 1", True), (turns.FREE, True), (None, True)],
    ids=["renewed", "as it was", "given back", "removed by the one after"],
)  # fmt: skip
def test_who_follows_one_who_seemed_dead_looks_at_him_once_more(bucket, found, taken):
    """He moved after he had last been looked at: his own look for a greater number may have been before this one."""
    if found is not None:
        bucket.replace(turns._path(FOLDER, 1), found)
    assert turns._is_mine(bucket, FOLDER, 2, b"me", b"he 1") is taken
    assert turns._numbers(bucket, FOLDER) == ([2] if taken else [1])


@pytest.fixture
def rooms(bucket, elsewhere):
    """One quarantine in two processes, with a row in each of two files."""
    rooms = tuple(Quarantine(Lake(place)) for place in (bucket, elsewhere))
    for n in range(2):
        refused = pl.DataFrame({"row": [f'{{"n": {n}}}'], "rule": ["r"], "reason": ["x"]})
        rooms[0].put("core_games", DAY, refused, run_id="run", raw_ref=None)
    return rooms


def states(room) -> list[str]:
    return room.list(state=None)["state"].to_list()


@pytest.mark.parametrize(
    "change",
    [
        lambda room, ids: room.close(ids, "replayed", "by run 2", table="core_games", day=DAY),
        lambda room, _: room.compact("core_games", DAY),
        lambda room, _: room.put(
            "core_games", DAY, pl.DataFrame({"row": ["{}"], "rule": ["r"], "reason": ["x"]}), run_id="3", raw_ref=None
        ),
    ],
    ids=["close", "compact", "put"],
)
def test_who_stalled_with_files_that_he_had_read_overwrites_nothing_that_was_decided_meanwhile(
    rooms, hours, monkeypatch, change
):
    slow, other = rooms
    ids, read = slow.list()["row_id"].to_list(), Quarantine._files

    def stall(self, *given):
        found = list(read(self, *given))
        monkeypatch.setattr(Quarantine, "_files", read)
        assert other.drop(ids, because="looked at by hand") == 2
        return iter(found)

    monkeypatch.setattr(Quarantine, "_files", stall)
    with pytest.raises(LakeError, match=LOST):
        change(slow, ids)
    assert states(other) == ["dropped", "dropped"]
    assert hours.now >= turns.ABANDONED_S
    change(slow, ids)
    assert sorted(states(other))[:2] == ["dropped", "dropped"]
