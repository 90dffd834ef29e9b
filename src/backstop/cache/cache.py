"""The cache: memory, then Redis, then whatever makes the value; one load for all who wait; warm across flips."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from backstop.cache.line import Line
from backstop.cache.loads import Loads
from backstop.cache.memory import Memory
from backstop.cache.namespaces import Collection, Namespace
from backstop.cache.pointer import Pointer
from backstop.cache.pointers import Pointers
from backstop.cache.pressure import level_of, memory_used
from backstop.errors import BackstopError, StoreError, StoreUnavailable, UsageError
from backstop.store.keys import SLATE_TTL_S

if TYPE_CHECKING:
    from types import TracebackType

    from backstop.clock import Clock

MAX_BYTES: Final = 256 * 1024 * 1024
"""Room for some thirty slates of 4,000 props, decoded and encoded."""

HAND_OVER_S: Final = 0.04
"""A flip waits this long for what was hot to be read again: with the message and the pointer read it stays within the
100 ms in which readers are to see a new version. What is left is read behind it."""

CARRY_IDS: Final = 256
"""Ids in one load at a flip: small enough that readers get their turn in between."""

CARRY_MOST: Final = 20_000
"""Hot entries that are read again at a flip."""

LINGER_S: Final = 1.0
"""Entries of a replaced version stay this long, for reads that began on it."""

TRIES: Final = 8
"""A read that a flip overtook starts again; flips come seconds apart, reads take milliseconds."""

T = TypeVar("T")


class Cache:
    """What every reader of slates goes through; an async context manager that follows pointers while it is open.

    Args:
        line: To Redis.
        clock: Tells how old a slate is.
        max_bytes: Bound on the first level.
        fresh_s: Seconds after which a slate is stale; the store's bound by default.
        used: Share of the machine's memory in use.
        now: Seconds of a clock that does not go back.
    """

    def __init__(
        self,
        line: Line,
        clock: Clock,
        *,
        max_bytes: int = MAX_BYTES,
        used: Callable[[], float] = memory_used,
        now: Callable[[], float] = time.monotonic,
        **pointers: Any,
    ) -> None:
        self.line = line
        self.pointers = Pointers(line, clock, prepare=self._hand_over, now=now, **pointers)
        self.memory = Memory(max_bytes, now=now)
        self.loads = Loads(line, self.memory, self._spawn)
        self.hits: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        self.carried = self.retried = 0
        self.pointers.listeners.append(self._turned)
        self._used = used
        self._collections: dict[str, Collection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []

    def add(self, *collections: Collection) -> None:
        """Make collections known.

        Raises:
            UsageError: one of that name is known already.
        """
        for each in collections:
            if each.name in self._collections:
                raise UsageError(f"A collection named {each.name!r} is in the cache already; give it another name.")
            self._collections[each.name] = each

    async def __aenter__(self) -> Self:
        self._running = [asyncio.create_task(self.pointers.run()), asyncio.create_task(self._mind_memory())]
        with contextlib.suppress(StoreError):
            # a server that is down at the start is no reason not to start: readers are told so
            await self.line.probe()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._running, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._running, *self._tasks, return_exceptions=True)
        await self.line.close()

    async def read(self, day: dt.date, work: Callable[[Pointer], Awaitable[T]]) -> tuple[Pointer, T] | None:
        """Do reads of one slate on one version, and return them only if that is still the version served.

        A read that was overtaken by a flip is done again, so that nobody gets an older version than somebody got
        before him. `None` when the slate was never published, or so long ago that its rows are not kept any more.

        Args:
            day: The slate.
            work: Reads with the pointer that it is given.

        Raises:
            StoreError: Redis is needed and does not answer, or refused.
        """
        for _ in range(TRIES):
            pointer = await self.pointers.pointer(day)
            if pointer is None:
                return None
            try:
                result = await work(pointer)
            except VersionGone as error:
                await self.pointers.look([day])
                now = self.pointers.known(day)
                if now is None or now.turn == pointer.turn:
                    if self.pointers.freshness(pointer).age_s > SLATE_TTL_S:
                        return None
                    raise StoreUnavailable(
                        f"{error.message} Redis lost it and names no other one; publish the day again "
                        "(`backstop redis rebuild` does it from the lake).",
                        source="redis",
                        retry_after_s=5.0,
                    ) from error
            else:
                now = self.pointers.known(day)
                if now is None or now.turn <= pointer.turn:
                    return pointer, result
            self.retried += 1
        raise StoreUnavailable(
            f"The slate of {day} changed {TRIES} times while it was read; ask again in a moment.",
            source="redis",
            retry_after_s=1.0,
        )

    async def get(self, collection: str, pointer: Pointer, name: str = "") -> Any:
        """Return one value of a version, `None` when the version has none of that id.

        Raises:
            StoreError: it is in no cache and Redis cannot be read.
        """
        value = self.memory.get((collection, pointer.edition, name))
        if value is not None:
            self.hits[collection] += 1
            return value
        return (await self._fill(self._collections[collection], pointer, [name]))[name]

    async def get_many(self, collection: str, pointer: Pointer, names: Sequence[str]) -> dict[str, Any]:
        """Return many values of a version by id; `None` for ids that the version has not.

        Raises:
            StoreError: some are in no cache and Redis cannot be read.
        """
        edition = pointer.edition
        found = {name: self.memory.get((collection, edition, name)) for name in names}
        missing = [name for name, value in found.items() if value is None]
        self.hits[collection] += len(found) - len(missing)
        if missing:
            found.update(await self._fill(self._collections[collection], pointer, missing))
        return found

    async def _fill(self, collection: Collection, pointer: Pointer, names: Sequence[str]) -> dict[str, Any]:
        self.misses[collection.name] += len(names)
        flights = self.loads.board(collection, pointer, names)
        try:
            # shielded: a reader that leaves must not take the value from the others who wait for it
            return {name: await asyncio.shield(flight) for name, flight in flights.items()}
        except StoreUnavailable:
            kept = {name: self.memory.peek((collection.name, pointer.edition, name)) for name in names}
            if any(value is None for value in kept.values()):
                raise
            return kept

    async def _hand_over(self, old: Pointer, new: Pointer) -> None:
        """Read what was hot under the old version again under the new one, before readers are moved to it."""
        if old.edition == new.edition:
            return
        carrying = self._spawn(self._carry(old, new))
        await asyncio.wait([carrying], timeout=HAND_OVER_S)
        self._spawn(self._forget(old))

    def _turned(self, old: Pointer | None, new: Pointer) -> None:
        """Read for a slate's first readers what those of the slate before it read most."""
        earlier = [day for day in self.pointers.followed() if day < new.day]
        before = self.pointers.known(earlier[-1]) if earlier else None
        if old is None and before is not None:
            self._spawn(self._carry(before, new))

    async def _carry(self, old: Pointer, new: Pointer) -> None:
        hot = self.memory.hot(old.edition)[:CARRY_MOST]
        by_collection: dict[str, list[str]] = {}
        for name, _, item in hot:
            if self._collections[name].carried:
                by_collection.setdefault(name, []).append(item)
        with contextlib.suppress(BackstopError):  # what cannot be read now is read when it is asked for
            for name, items in by_collection.items():
                for start in range(0, len(items), CARRY_IDS):
                    some = items[start : start + CARRY_IDS]
                    flights = self.loads.board(self._collections[name], new, some)
                    await asyncio.wait(flights.values())
                    self.carried += len(some)

    async def _forget(self, old: Pointer) -> None:
        """Drop a version's entries when reads that began on it are over, unless it is served again."""
        await asyncio.sleep(LINGER_S)
        now = self.pointers.known(old.day)
        if now is None or now.edition != old.edition:
            self.memory.drop(old.edition)

    async def _mind_memory(self) -> None:
        while True:
            self.memory.press(level_of(self._used(), self.memory.level))
            await asyncio.sleep(self.pointers.poll_s)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def namespace_of(self, collection: str) -> Namespace:
        """Return the namespace that a collection lives in."""
        return self._collections[collection].namespace


class VersionGone(StoreError):
    """A version is not in Redis any more: it was replaced longer ago than versions are kept, or its data were lost."""
