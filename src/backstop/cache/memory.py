"""The first level: values in this process, bounded by their measured bytes, least recently used out first."""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from backstop.cache.pressure import SHARES, Level

ENTRY_BYTES: Final = 400
"""What an entry takes beside its value and id: the key, the entry, its places in the ordered dict. Measured by
`tracemalloc` (tests/cache/test_memory.py holds it to that)."""

Key = tuple[str, str, str]
"""Collection, edition, id."""


@runtime_checkable
class Sized(Protocol):
    """A value that knows what it takes."""

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""


def size_of(value: Any) -> int:
    """Return the bytes that a value takes; one that is neither bytes nor text must tell it by itself."""
    if isinstance(value, Sized):
        return value.size_bytes
    return sys.getsizeof(value)


@dataclass(slots=True)
class Entry:
    """A value with its end of life and size."""

    value: Any
    expires: float
    size: int
    stored: float


@dataclass(slots=True)
class Counts:
    """What happened since the start. `expired` lookups are among the misses."""

    hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    expired: int = 0
    refused: int = 0


class Memory:
    """Keeps values of one event loop.

    Args:
        max_bytes: Bound on the bytes of all entries while memory is not short.
        now: Seconds of a clock that does not go back.
    """

    def __init__(self, max_bytes: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes = max_bytes
        self.level = Level.CALM
        self.bytes = 0
        self.counts = Counts()
        self._now = now
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bound(self) -> int:
        """Bytes allowed at the present pressure."""
        return int(self.max_bytes * SHARES[self.level])

    def get(self, key: Key) -> Any:
        """Return a value, `None` when it is not here or past its lifetime."""
        entry = self._entries.get(key)
        if entry is None:
            self.counts.misses += 1
            return None
        if entry.expires <= self._now():
            self.counts.misses += 1
            self.counts.expired += 1
            return None
        self._entries.move_to_end(key)
        self.counts.hits += 1
        return entry.value

    def peek(self, key: Key) -> Any:
        """Return a value even past its lifetime, uncounted: for when nothing better can be had."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def put(self, key: Key, value: Any, lifetime_s: float) -> None:
        """Keep a value; one that is larger than a quarter of the room is not kept: it would push out all others."""
        size = ENTRY_BYTES + sys.getsizeof(key[2]) + size_of(value)
        self._take(key)
        if size > self.bound / 4:
            self.counts.refused += 1
            return
        now = self._now()
        self._entries[key] = Entry(value, now + lifetime_s, size, now)
        self.bytes += size
        self.counts.stored += 1
        self._shrink()

    def press(self, level: Level) -> None:
        """Take or give back room as memory gets short or free."""
        self.level = level
        self._shrink()

    def hot(self, edition: str) -> list[Key]:
        """Return the keys of an edition, the most recently used first."""
        return [key for key in reversed(self._entries) if key[1] == edition]

    def drop(self, edition: str) -> int:
        """Forget an edition; returns how many entries it had."""
        doomed = [key for key in self._entries if key[1] == edition]
        for key in doomed:
            self._take(key)
        return len(doomed)

    def ages(self) -> Iterator[float]:
        """Yield the seconds since each entry was stored."""
        now = self._now()
        return (now - entry.stored for entry in self._entries.values())

    def _take(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size

    def _shrink(self) -> None:
        bound = self.bound
        while self.bytes > bound:
            _, entry = self._entries.popitem(last=False)
            self.bytes -= entry.size
            self.counts.evicted += 1
