"""The gate of a host: limits concurrent requests and decides who may ask now.

Requests wait in the order live, props, history, first come first served within each. The width adapts below the cap
(see `width`); a feed that names a pause closes the gate for everybody. This module is the gate of one process;
`lease` makes the processes share the cap.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from backstop.errors import RateLimited
from backstop.net.item import Priority
from backstop.net.width import Latency, Width

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backstop.net.terms import Terms

RANK: Final[dict[Priority, int]] = {Priority.LIVE: 0, Priority.PROPS: 1, Priority.HISTORY: 2}


class Word(StrEnum):
    """What an answer says about the host's load."""

    GOOD = "good"
    CONGESTED = "congested"
    SILENT = "silent"


@dataclass
class Visit:
    """One request's stay behind the gate; the caller says how it went.

    Attributes:
        kind: Requests of one kind take about as long.
        started_at: Loop time at which it was admitted.
        word: What the answer says about the host's load; silent counts neither way.
    """

    kind: str
    started_at: float
    word: Word = Word.SILENT


@dataclass
class Pace:
    """Starts per second, as a virtual schedule (generic cell rate algorithm, ITU-T I.371).

    Attributes:
        interval_s: Seconds between starts.
        burst: Starts that may happen at once after a quiet time.
    """

    interval_s: float
    burst: int
    _next_at: float = float("-inf")

    def reserve(self, now: float) -> float:
        """Book the next free start and return the seconds until then."""
        start = max(now, self._next_at)
        self._next_at = start + self.interval_s
        allowed_early = self.interval_s * (self.burst - 1)
        return max(0.0, start - allowed_early - now)


@dataclass(order=True)
class _Waiter:
    rank: int
    ticket: int
    ready: asyncio.Future[None] = field(compare=False)
    patience_s: float = field(compare=False)


class Gate:
    """At most `slots` requests in flight, in order of priority.

    Args:
        terms: The limits at this host.

    Attributes:
        in_flight: Requests behind the gate now.
        wants: Requests before and behind the gate, by rank of their priority.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.width = Width(terms.cap, float(min(terms.first_width, terms.cap)))
        self.in_flight = 0
        self.wants = [0, 0, 0]
        self._latency = Latency()
        self._waiting: list[_Waiter] = []
        self._order = itertools.count()
        self._closed_until = float("-inf")
        self._reopening: asyncio.TimerHandle | None = None
        self._pace = Pace(1 / terms.per_second, terms.burst) if terms.per_second else None

    @property
    def slots(self) -> int:
        """Requests that this process may have in flight now."""
        return self.width.slots

    @property
    def waiting(self) -> int:
        """Requests before the gate."""
        return sum(1 for waiter in self._waiting if not waiter.ready.done())

    def ticket(self) -> int:
        """Draw a place in the queue; a request that is tried again keeps its own."""
        return next(self._order)

    @asynccontextmanager
    async def visit(
        self, priority: Priority, kind: str = "", *, ticket: int | None = None, patience_s: float = math.inf
    ) -> AsyncIterator[Visit]:
        """Wait for a slot, hold it, give it back whatever happens.

        Args:
            priority: Who goes first.
            kind: Requests of one kind take about as long.
            ticket: Place in the queue within the priority; a new one when not given.
            patience_s: A pause of the host that is longer is not waited for.

        Raises:
            RateLimited: the host asked for a longer pause.
        """
        loop = asyncio.get_running_loop()
        rank = RANK[priority]
        self.wants[rank] += 1
        try:
            await self._enter(rank, self.ticket() if ticket is None else ticket, patience_s)
            try:
                await self._await_turn(patience_s)
                visit = Visit(kind, loop.time())
                try:
                    yield visit
                finally:
                    self._learn(visit, loop.time())
            finally:
                self.in_flight -= 1
        finally:
            self.wants[rank] -= 1
            self._left()

    def pause(self, seconds: float) -> None:
        """Let nobody in for that long, as a feed asked with `Retry-After`; who has less patience is told at once."""
        now = asyncio.get_running_loop().time()
        self._closed_until = max(self._closed_until, now + seconds)
        left_s = self._closed_until - now
        for waiter in self._waiting:
            if waiter.patience_s < left_s and not waiter.ready.done():
                waiter.ready.set_exception(_paused(left_s))

    def admit(self) -> None:
        """Let in as many as there are free slots, best priority first."""
        while self._waiting and self.in_flight < self.slots:
            if not self._open():
                return
            waiter = heapq.heappop(self._waiting)
            if not waiter.ready.done():
                self.in_flight += 1
                waiter.ready.set_result(None)

    async def _enter(self, rank: int, ticket: int, patience_s: float) -> None:
        left_s = self._closed_until - asyncio.get_running_loop().time()
        if left_s > patience_s:
            raise _paused(left_s)
        if not self._waiting and self.in_flight < self.slots and self._open():
            self.in_flight += 1
            return
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiter(rank, ticket, ready, patience_s))
        self._short()
        try:
            await ready
        except asyncio.CancelledError:
            # admitted in the same moment: the slot goes to the next; who was turned away holds none
            if ready.done() and not ready.cancelled() and ready.exception() is None:
                self.in_flight -= 1
            ready.cancel()
            raise

    def _short(self) -> None:
        """Act when a request has to wait."""
        self.admit()

    def _left(self) -> None:
        """Act when a request has gone, with or without its answer."""
        self.admit()

    def _open(self) -> bool:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._closed_until:
            return True
        if self._reopening is None:
            self._reopening = loop.call_at(self._closed_until, self._reopen)
        return False

    def _reopen(self) -> None:
        self._reopening = None
        self.admit()

    async def _await_turn(self, patience_s: float) -> None:
        """Wait, with a slot, for the next start that pace and pause allow: a pause may be asked for meanwhile."""
        loop = asyncio.get_running_loop()
        await self._keep_pace()
        while (left_s := self._closed_until - loop.time()) > 0:
            if left_s > patience_s:
                raise _paused(left_s)
            await asyncio.sleep(left_s)
            await self._keep_pace()

    async def _keep_pace(self) -> None:
        if self._pace is not None:
            await asyncio.sleep(self._pace.reserve(asyncio.get_running_loop().time()))

    def _learn(self, visit: Visit, now: float) -> None:
        if visit.word is Word.CONGESTED:
            self._congested(visit.started_at, now)
        elif visit.word is Word.GOOD:
            steady = self._latency.observe(visit.kind, now - visit.started_at)
            if steady and self.in_flight >= self.slots:  # a width that is not used up was not tested
                self._good()

    def _good(self) -> None:
        self.width.good()

    def _congested(self, started_at: float, now: float) -> None:
        self.width.bad(started_at=started_at, now=now)


def _paused(seconds: float) -> RateLimited:
    return RateLimited(
        f"The host asked for a pause that lasts another {seconds:.0f} s, longer than the request may take; ask again "
        "after it.",
        retry_after_s=seconds,
    )
