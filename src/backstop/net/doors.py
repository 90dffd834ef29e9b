"""The doors of all feeds: built from the settings, opened and closed together; feeds at one address share the host."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstop.errors import StoreUnavailable, UsageError
from backstop.net.budget import Budget, SharedBudget
from backstop.net.calls import SharedCalls
from backstop.net.door import Door
from backstop.net.exchange import Host
from backstop.net.gate import Gate
from backstop.net.lease import LeasedGate
from backstop.net.meter import Counts, SharedCounts
from backstop.net.terms import Terms, terms_of, tightest
from backstop.settings import Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backstop.clock import Clock
    from backstop.net.archive import Archive
    from backstop.net.breaker import BreakerTerms, Moved
    from backstop.net.health import FeedHealth
    from backstop.net.link import Link
    from backstop.net.secrets import Redactor


@dataclass(frozen=True, slots=True)
class Place:
    """What the feeds at one address share."""

    host: Host
    gate: Gate
    calls: SharedCalls | None

    async def open(self) -> None:
        """Begin to share slots and calls with the other workers."""
        if isinstance(self.gate, LeasedGate):
            await self.gate.open()
        if self.calls is not None:
            await self.calls.open()

    async def close(self) -> None:
        """End the connections and give the slots back."""
        await self.host.close()
        if isinstance(self.gate, LeasedGate):
            with contextlib.suppress(StoreUnavailable):  # the lease runs out by itself
                await self.gate.close()


class Doors:
    """One door per feed.

    Args:
        settings: Addresses, keys, time limits.
        clock: Stamps answers.
        redactor: Takes keys out of what is kept.
        archive: Keeps answers; `None` keeps nothing.
        link: The line to the other workers; `None` when there are none.
        terms: Limits per feed; those of `net.terms` where not given.
        breaker_terms: When a breaker opens.
        max_bytes: Bytes of a decoded answer at most; those of `net.terms` where not given.
        on_move: Called with every transition of a breaker.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        redactor: Redactor,
        archive: Archive | None,
        link: Link | None,
        terms: Mapping[Feed, Terms],
        breaker_terms: BreakerTerms,
        max_bytes: int | None,
        on_move: Callable[[Moved], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._redactor = redactor
        self._archive = archive
        self._link = link
        self._terms = dict(terms)
        self._breaker_terms = breaker_terms
        self._max_bytes = max_bytes
        self._on_move = on_move
        self._places: dict[str, Place] = {}
        self._doors: dict[Feed, Door] = {}
        self._shared_counts: dict[Feed, SharedCounts] = {}

    async def open(self) -> None:
        """Build every door and learn what the other workers know.

        Raises:
            ConfigurationError: an address is none.
            StoreUnavailable: Redis was given and cannot be reached.
        """
        for feed in Feed:
            door = self._doors[feed] = self._build(feed)
            if self._link is not None:
                self._shared_counts[feed] = SharedCounts(door.host.base, feed.value, door.counts, self._link)
        if self._link is None:
            return
        await self._link.open()
        for place in self._places.values():
            await place.open()
        for door in self._doors.values():
            await door.open()
        for shared in self._shared_counts.values():
            shared.open()

    async def close(self) -> None:
        """End every connection; the other workers are told what they do not know yet."""
        with contextlib.suppress(StoreUnavailable):  # what is not told now runs out by itself
            for door in self._doors.values():
                await door.close()
            for shared in self._shared_counts.values():
                await shared.tell()
        for place in self._places.values():
            await place.close()
        if self._link is not None:
            await self._link.close()
        self._places.clear()
        self._doors.clear()
        self._shared_counts.clear()

    def of(self, feed: Feed) -> Door:
        """Return a feed's door.

        Raises:
            UsageError: the doors are not open.
        """
        door = self._doors.get(feed)
        if door is None:
            raise UsageError("This fetcher is not open; use it as `async with Fetcher(...) as fetcher`.")
        return door

    def calls_of(self, feed: Feed) -> SharedCalls | None:
        """Return what shares a feed's calls between workers; `None` when there are no others."""
        return self._places[self.of(feed).host.base].calls

    def health(self) -> list[FeedHealth]:
        """Return the state of every feed, as this process knows it."""
        now = asyncio.get_running_loop().time()
        return [door.health(now) for door in self._doors.values()]

    async def learn_credits(self) -> None:
        """Learn what is left by what the other workers were told; breakers are told by messages, credits are asked for.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        for door in self._doors.values():
            if isinstance(door.budget, SharedBudget):
                await door.budget.open()

    def counts(self) -> dict[str, Counts]:
        """Return what was counted since the doors opened, by feed."""
        return {feed.value: door.counts for feed, door in self._doors.items()}

    async def hosts(self) -> list[tuple[str, float]]:
        """Return the addresses that workers asked within a week; see `Link.hosts`."""
        return [] if self._link is None else await self._link.hosts()

    async def totals(self) -> dict[str, Counts]:
        """Return what all workers counted, by feed; without Redis this one is all of them.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        if not self._shared_counts:
            return self.counts()
        return {feed.value: await shared.totals() for feed, shared in self._shared_counts.items()}

    def _build(self, feed: Feed) -> Door:
        settings, link = self._settings, self._link
        place = self._place(feed)
        budget = (
            Budget(feed, settings.credit_floor, self._clock)
            if link is None
            else SharedBudget(feed, settings, self._clock, link)
        )
        return Door(
            feed,
            place.host,
            place.gate,
            budget,
            self._breaker_terms,
            clock=self._clock,
            redactor=self._redactor,
            archive=self._archive,
            on_move=self._on_move,
            link=link,
        )

    def _place(self, feed: Feed) -> Place:
        base = self._settings.url_of(feed)
        if base not in self._places:
            host = Host(base, self._settings, limit=self._max_bytes)
            here = [each for each in Feed if self._settings.url_of(each) == base]
            terms = tightest(self._terms.get(each) or terms_of(each, self._settings) for each in here)
            link = self._link
            gate = Gate(terms) if link is None else LeasedGate(base, terms, link)
            calls = None if link is None else SharedCalls(base, link, self._archive)
            self._places[base] = Place(host, gate, calls)
        return self._places[base]
