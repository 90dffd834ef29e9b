"""Which version of each slate is served: pushed by the publisher, read again after a reconnect, polled as a fallback.

Values of a version never change, so this small thing is all that has to be invalidated. Versions are ordered by the
pointer's `turn`, which Redis raises at every flip and every rollback: what is served later is newer, whatever its
version number. Nothing that was served is ever followed by something that was served before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from backstop.cache.line import Line
from backstop.cache.pointer import READ_POINTER, Freshness, Pointer, pointer_of
from backstop.errors import StoreError
from backstop.limits import SLATE_FRESH_S
from backstop.store import keys
from backstop.store.reader import State

if TYPE_CHECKING:
    from backstop.clock import Clock

POLL_S: Final = 1.0
"""How long a lost message can go unnoticed."""

RECONNECT_S: Final = 0.1
"""Pause between two tries to hear again: a restarted server is back for readers within its start and this."""

SILENT_S: Final = 3.0
"""A pointer that nobody could confirm for so many polls may be out of date: what it leads to is stale."""

FOLLOWED: Final = 64
"""Slates that are polled without anybody waiting for their news; the one that was asked for longest ago makes room for
a new one. Of slates that are waited for without being published so many are polled at a time, in turn."""


@dataclass(slots=True)
class PointerCounts:
    """What happened since the start."""

    heard: int = 0
    turns: int = 0
    polls: int = 0
    resubscribed: int = 0
    refused: int = 0


Prepare = Callable[[Pointer, Pointer], Awaitable[None]]
Listener = Callable[[Pointer | None, Pointer], None]


class Pointers:
    """Follows the pointers of the slates that are read.

    Args:
        line: To Redis.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
        poll_s: Seconds between two looks at every followed pointer.
        prepare: Awaited before a slate's readers are moved from one version to the next; bounded by its giver.
        now: Seconds of a clock that does not go back.
    """

    def __init__(
        self,
        line: Line,
        clock: Clock,
        *,
        fresh_s: float = SLATE_FRESH_S,
        poll_s: float = POLL_S,
        prepare: Prepare | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.line = line
        self.clock = clock
        self.fresh_s = fresh_s
        self.poll_s = poll_s
        self.prepare = prepare
        self.now = now
        self.counts = PointerCounts()
        self.listeners: list[Listener] = []
        self.announced: list[Callable[[], None]] = []
        self._known: dict[dt.date, Pointer] = {}
        self._wanted: Counter[dt.date] = Counter()
        self._confirmed: dict[dt.date, float] = {}
        self._floors: dict[dt.date, int] = {}
        self._locks: defaultdict[dt.date, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    def known(self, day: dt.date) -> Pointer | None:
        """Return what a slate's readers are served, as far as it is known here."""
        return self._known.get(day)

    def followed(self) -> list[dt.date]:
        """Return the slates whose pointers are followed, oldest day first."""
        return sorted(self._known)

    @contextlib.contextmanager
    def wanting(self, day: dt.date) -> Iterator[None]:
        """Follow a slate as long as somebody waits for its news, also before it is published."""
        self._wanted[day] += 1
        try:
            yield
        finally:
            self._wanted[day] -= 1
            if not self._wanted[day]:
                del self._wanted[day]

    def waiting(self) -> list[dt.date]:
        """Return the slates that somebody waits for and nobody saw published, the next to be polled first."""
        return [day for day in self._wanted if day not in self._known]

    async def pointer(self, day: dt.date) -> Pointer | None:
        """Return what a slate's readers are served, `None` when it was never published.

        Raises:
            StoreError: it is not known here and Redis cannot be asked.
        """
        known = self._known.get(day)
        if known is None:
            await self._ask([day])
            return self._known.get(day)
        if next(reversed(self._known)) != day:
            # the last in the dict is the last to lose its place
            self._known[day] = self._known.pop(day)
        return known

    def freshness(self, pointer: Pointer) -> Freshness:
        """Return how old a version is, and whether it may be called fresh."""
        by_clock = self.clock.now().timestamp() - pointer.published_us / 1e6
        by_server = self.now() + pointer.server_ahead_s - pointer.server_s
        age_s = max(by_clock, by_server, 0.0)
        confirmed = self.line.up and self.now() - self._confirmed.get(pointer.day, float("-inf")) <= SILENT_S
        fresh = confirmed and age_s <= self.fresh_s
        return Freshness(State.FRESH if fresh else State.STALE, age_s, confirmed)

    async def run(self) -> None:
        """Listen and poll until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._poll())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self, days: Sequence[dt.date] | None = None) -> None:
        """Ask Redis for pointers, by default of every followed slate and of those that are waited for.

        Raises:
            StoreError: it does not answer.
        """
        if days is None:
            next_ones = self.waiting()[:FOLLOWED]
            for day in next_ones:
                # callers choose these: however many they are, a look asks for so many, and for others the next time
                self._wanted[day] = self._wanted.pop(day)
            days = [*self._known, *next_ones]
        await self._ask(days)

    async def _listen(self) -> None:
        while True:
            try:
                client = await self.line.probe()
                await self._hear(client.pubsub())
            except StoreError:
                pass  # noted by the line; the poll and the next round find out when it is back
            except (RedisError, OSError) as error:
                self.line.lost(str(error))
            await asyncio.sleep(RECONNECT_S)

    async def _hear(self, pubsub: Any) -> None:
        async with contextlib.aclosing(pubsub):
            await pubsub.subscribe(keys.published())
            while True:
                message = await pubsub.get_message(timeout=self.poll_s)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    # comes after every reconnect too: whatever was published meanwhile was not heard
                    self.counts.resubscribed += 1
                    self._spawn(self._catch_up())
                elif message["type"] == "message":
                    self.counts.heard += 1
                    self._spawn(self._announced(message["data"]))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.poll_s)
            self.counts.polls += 1
            with contextlib.suppress(StoreError):
                if not self.line.up:
                    await self.line.probe()
                await self.look()

    async def _catch_up(self) -> None:
        with contextlib.suppress(StoreError):
            await self.look()
        self._tell_announced()

    async def _announced(self, data: bytes) -> None:
        """Look at the slate that a message names; the message itself proves nothing, the pointer does."""
        self._tell_announced()
        day = dt.date.fromisoformat(data.split(b"=")[0].decode())
        if day in self._known or day in self._wanted or day >= max(self._known, default=dt.date.min):
            with contextlib.suppress(StoreError):
                await self._ask([day])

    def _tell_announced(self) -> None:
        for listener in self.announced:
            listener()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, days: Sequence[dt.date]) -> None:
        """Read pointers and act on them."""
        async with self.line.using("reading pointers") as redis:
            if not days:
                await redis.ping()
                return
            pipeline = redis.pipeline(transaction=False)
            for day in days:
                pipeline.eval(READ_POINTER, 1, keys.SlateKeys(day).current)
            answers = await pipeline.execute()
        read_at = self.now()
        learned = []
        for day, answer in zip(days, answers, strict=True):
            try:
                pointer = pointer_of(day, answer, read_at)
            except StoreError:
                if len(days) == 1:
                    raise
                pointer = None  # one that is spoilt is no reason not to follow the others
            if pointer is None:
                # a server that lost its data, or had them spoilt: what is known stays, and is stale
                self._confirmed.pop(day, None)
            else:
                learned.append(self._learn(pointer, read_at))
        await asyncio.gather(*learned)

    async def _learn(self, pointer: Pointer, read_at: float) -> None:
        day = pointer.day
        async with self._locks[day]:
            known = self._known.get(day)
            if pointer.turn < self._floors.get(day, pointer.turn):
                # a server that lost its last seconds: what was already returned stays, as stale, until it is passed
                self.counts.refused += 1
                self._confirmed.pop(day, None)
                return
            if known is not None and known.turn != pointer.turn and self.prepare is not None:
                await self.prepare(known, pointer)
            self._known[day] = pointer
            self._confirmed[day] = read_at
            self._floors[day] = pointer.turn
            for spare in [each for each in self._known if each not in self._wanted][:-FOLLOWED]:
                del self._known[spare]
            if known is None or known.turn != pointer.turn:
                self.counts.turns += 1
                for listener in self.listeners:
                    listener(known, pointer)
