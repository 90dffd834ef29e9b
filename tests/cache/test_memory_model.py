"""The first level against a list that does the same slowly: who is kept, who leaves, and what is counted."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from backstop.cache.memory import ENTRY_BYTES, Memory
from backstop.cache.pressure import SHARES, Level, memory_used

ROOM = 12_000
NAMES = st.sampled_from("abcdefgh")
EDITIONS = st.sampled_from(["one", "two"])


@dataclass
class Row:
    key: tuple[str, str, str]
    value: bytes
    size: int
    stored: float
    expires: float


@dataclass
class Model:
    """Entries in the order of their last use, the next to leave first."""

    rows: list[Row] = field(default_factory=list)
    bound: float = ROOM

    def row(self, key):
        return next((row for row in self.rows if row.key == key), None)

    def take(self, key):
        row = self.row(key)
        if row is not None:
            self.rows.remove(row)
        return row

    def shrink(self):
        left = 0
        while sum(row.size for row in self.rows) > self.bound:
            self.rows.pop(0)
            left += 1
        return left


class Levels(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.at = 0.0
        self.memory = Memory(ROOM, now=lambda: self.at)
        self.model = Model()
        self.told = {"hits": 0, "misses": 0, "expired": 0, "stored": 0, "evicted": 0, "refused": 0}

    @rule(name=NAMES, edition=EDITIONS, size=st.integers(0, 4000), lifetime_s=st.sampled_from([1.0, 60.0]))
    def put(self, name, edition, size, lifetime_s):
        key, value = ("c", edition, name), bytes(size)
        self.memory.put(key, value, lifetime_s)
        self.model.take(key)
        taken = ENTRY_BYTES + sys.getsizeof(name) + sys.getsizeof(value)
        if taken > self.model.bound / 4:
            self.told["refused"] += 1
            return
        self.told["stored"] += 1
        self.model.rows.append(Row(key, value, taken, self.at, self.at + lifetime_s))
        self.told["evicted"] += self.model.shrink()

    @rule(name=NAMES, edition=EDITIONS)
    def get(self, name, edition):
        key = ("c", edition, name)
        row = self.model.row(key)
        lives = row is not None and self.at < row.expires
        assert self.memory.get(key) == (row.value if lives else None)
        self.told["hits" if lives else "misses"] += 1
        self.told["expired"] += row is not None and not lives
        if lives:
            self.model.rows.append(self.model.take(key))

    @rule(name=NAMES, edition=EDITIONS)
    def peek(self, name, edition):
        row = self.model.row(("c", edition, name))
        assert self.memory.peek(("c", edition, name)) == (None if row is None else row.value)

    @rule(seconds=st.sampled_from([0.5, 1.0, 30.0]))
    def wait(self, seconds):
        self.at += seconds

    @rule(edition=EDITIONS)
    def drop(self, edition):
        gone = [row for row in self.model.rows if row.key[1] == edition]
        assert self.memory.drop(edition) == len(gone)
        self.model.rows = [row for row in self.model.rows if row not in gone]

    @rule(level=st.sampled_from(Level))
    def press(self, level):
        self.memory.press(level)
        self.model.bound = int(ROOM * SHARES[level])
        self.told["evicted"] += self.model.shrink()

    @invariant()
    def both_hold_the_same(self):
        assert len(self.memory) == len(self.model.rows)
        assert self.memory.bytes == sum(row.size for row in self.model.rows) <= self.memory.bound
        for edition in ("one", "two"):
            mine = [row.key for row in reversed(self.model.rows) if row.key[1] == edition]
            assert self.memory.hot(edition) == mine
        assert sorted(self.memory.ages()) == sorted(self.at - row.stored for row in self.model.rows)
        assert {name: getattr(self.memory.counts, name) for name in self.told} == self.told


TestLevels = Levels.TestCase
TestLevels.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("meminfo", "used"),
    [
        ("MemTotal: 1000 kB\nMemAvailable: 250 kB\n", 0.75),
        ("MemTotal: 1000 kB\nMemFree: 250 kB\n", 0.0),
        ("", 0.0),
    ],
)
def test_of_a_machine_that_does_not_tell_what_is_available_nothing_is_known(tmp_path, meminfo, used):
    (tmp_path / "meminfo").write_text(meminfo)
    assert memory_used(tmp_path / "no-cgroup", tmp_path / "meminfo") == pytest.approx(used)


@pytest.mark.parametrize(
    ("current", "stat", "used"),
    [
        ("900", "anon 900\ninactive_file 0\n", 0.9),
        ("900", "anon 300\ninactive_file 600\n", 0.3),
        ("500", "anon 0\ninactive_file 600\n", 0.0),
        ("900", "anon 900\n", 0.9),
    ],
)
def test_a_containers_pages_of_files_are_no_shortage(tmp_path, current, stat, used):
    for name, text in (("memory.max", "1000\n"), ("memory.current", current + "\n"), ("memory.stat", stat)):
        (tmp_path / name).write_text(text)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 1000 kB\n")
    assert memory_used(tmp_path, tmp_path / "meminfo") == pytest.approx(used)


def test_the_scarcer_of_container_and_machine_counts(tmp_path):
    for name, text in (("memory.max", "1000"), ("memory.current", "100"), ("memory.stat", "anon 100")):
        (tmp_path / name).write_text(text)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 200 kB\n")
    assert memory_used(tmp_path, tmp_path / "meminfo") == pytest.approx(0.8)
