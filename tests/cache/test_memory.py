from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.cache.memory import ENTRY_BYTES, Memory, size_of
from backstop.cache.pressure import Level, level_of, memory_used


class Hand:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def key(name, edition="e", collection="c"):
    return (collection, edition, str(name))


def test_a_value_is_found_until_its_lifetime_is_over_and_peeked_at_after_that():
    now = Hand()
    memory = Memory(1 << 20, now=now)
    memory.put(key(1), b"one", 60)
    now.at = 59.9
    assert memory.get(key(1)) == b"one"
    now.at = 60.0
    assert memory.get(key(1)) is None
    assert memory.peek(key(1)) == b"one"
    assert (memory.counts.hits, memory.counts.misses, memory.counts.expired) == (1, 1, 1)


def test_the_least_recently_used_value_leaves_first():
    memory = Memory(4 * (ENTRY_BYTES + 200))
    for name in range(4):
        memory.put(key(name), bytes(50), 60)
    memory.get(key(0))
    for name in range(4, 7):
        memory.put(key(name), bytes(50), 60)
    assert memory.peek(key(0)) is not None
    assert memory.peek(key(1)) is None
    assert memory.counts.evicted >= 1


def test_a_value_that_would_push_out_everything_is_not_kept():
    memory = Memory(100_000)
    memory.put(key("small"), b"s", 60)
    memory.put(key("large"), bytes(30_000), 60)
    assert memory.peek(key("large")) is None
    assert memory.peek(key("small")) == b"s"
    assert memory.counts.refused == 1


def test_the_bytes_that_are_counted_are_the_bytes_that_are_taken():
    rng = random.Random(3)
    sizes = [rng.randrange(20, 3000) for _ in range(5000)]
    memory = Memory(1 << 30)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for name, size in enumerate(sizes):
            memory.put(key(600_000 + name), bytes(size), 60)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert memory.bytes == pytest.approx(taken, rel=0.1)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4000), st.sampled_from(Level)), max_size=80),
)
def test_the_bound_holds_whatever_is_put_and_however_memory_changes(steps):
    memory = Memory(20_000)
    for name, size, level in steps:
        memory.press(level)
        memory.put(key(name), bytes(size), 60)
        assert memory.bytes <= memory.bound
    entries = [memory._entries[each] for each in memory._entries]
    assert memory.bytes == sum(entry.size for entry in entries)


def test_pressure_shrinks_the_cache_at_once_and_gives_room_back_later():
    memory = Memory(100 * (ENTRY_BYTES + 300))
    for name in range(100):
        memory.put(key(name), bytes(200), 60)
    full = memory.bytes
    memory.press(Level.HIGH)
    assert memory.bytes <= memory.max_bytes / 2 < full
    memory.press(Level.CRITICAL)
    assert memory.bytes <= memory.max_bytes / 8
    assert memory.peek(key(99)) is not None
    memory.press(Level.CALM)
    assert memory.bound == memory.max_bytes


def test_a_level_is_left_only_well_below_its_threshold():
    seen, level = [], Level.CALM
    for used in (0.5, 0.86, 0.84, 0.81, 0.96, 0.94, 0.91, 0.89, 0.79):
        level = level_of(used, level)
        seen.append(level.name)
    assert seen == ["CALM", "HIGH", "HIGH", "HIGH", "CRITICAL", "CRITICAL", "CRITICAL", "HIGH", "CALM"]


def test_the_memory_in_use_is_the_containers_where_it_has_a_bound(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB\n")
    assert memory_used(tmp_path, meminfo) == pytest.approx(0.4)
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("950\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 50\n")
    assert memory_used(tmp_path, meminfo) == pytest.approx(0.9)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_used(tmp_path, meminfo) == pytest.approx(0.4)


def test_a_system_that_tells_nothing_presses_nothing(tmp_path):
    assert memory_used(tmp_path, tmp_path / "none") == 0.0


def test_a_value_that_knows_its_size_is_believed():
    class Told:
        size_bytes = 12_345

    assert size_of(Told()) == 12_345
    assert size_of(b"abc") == 36


def test_an_edition_is_dropped_whole_and_its_hottest_keys_are_known_before():
    memory = Memory(1 << 20)
    for name in range(3):
        memory.put(key(name, "old"), b"x", 60)
    memory.put(key(9, "new"), b"y", 60)
    memory.get(key(0, "old"))
    assert [each[2] for each in memory.hot("old")] == ["0", "2", "1"]
    assert memory.drop("old") == 3
    assert len(memory) == 1
    assert memory.get(key(9, "new")) == b"y"
