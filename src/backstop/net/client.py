"""The fetcher: an item in, its complete answer out, or the reason why not.

An item passes these doors in order: coalescer (is the same request under way?), budget (may it cost this?), then as
often as retries allow: breaker (is the feed up?), gate (is there a slot?), the request itself, the look at what came,
and the archive.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from backstop.errors import StoreUnavailable, UpstreamError, UpstreamRefused, UsageError
from backstop.limits import MAX_RESPONSE_BYTES
from backstop.net import breaker, retry
from backstop.net.archive import Archive
from backstop.net.budget import Budget, SharedBudget
from backstop.net.calls import SharedCalls
from backstop.net.coalesce import Coalescer
from backstop.net.door import Door
from backstop.net.exchange import Host
from backstop.net.gate import Gate
from backstop.net.item import Answer, Item
from backstop.net.lease import LeasedGate
from backstop.net.link import BEAT_S, Link
from backstop.net.secrets import Redactor, guard_logs, require_key
from backstop.net.terms import Terms, terms_of
from backstop.settings import Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from redis.asyncio import Redis

    from backstop.clock import Clock
    from backstop.net.breaker import BreakerTerms, Moved
    from backstop.net.health import FeedHealth
    from backstop.net.meter import Counts
    from backstop.net.retry import RetryTerms

REPLAY: Final = "replay:"


@dataclass(frozen=True, slots=True)
class _Place:
    """What the feeds at one address share."""

    host: Host
    gate: Gate
    calls: SharedCalls | None

    async def open(self) -> None:
        if isinstance(self.gate, LeasedGate):
            await self.gate.open()
        if self.calls is not None:
            await self.calls.open()

    async def close(self) -> None:
        await self.host.close()
        if isinstance(self.gate, LeasedGate):
            with contextlib.suppress(StoreUnavailable):  # the lease runs out by itself
                await self.gate.close()


class Fetcher:
    """Fetches items of every feed; an async context manager.

    Args:
        settings: Addresses, keys, time limits.
        clock: Stamps answers.
        redis: Shares gate, breaker, coalescer and credits between processes; `None` keeps them in this one.
        archive: Keeps answers and answers conditional requests; `None` keeps nothing.
        terms: Limits per feed; those of `net.terms` where not given.
        retry_terms: How often and how patiently to try again.
        breaker_terms: When a breaker opens.
        max_bytes: Bytes of a decoded answer at most.
        beat_s: Seconds between signs of life to the other workers; leases last three times as long.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        redis: Redis | None = None,
        archive: Archive | None = None,
        terms: Mapping[Feed, Terms] | None = None,
        retry_terms: RetryTerms = retry.DEFAULT,
        breaker_terms: BreakerTerms = breaker.DEFAULT,
        max_bytes: int = MAX_RESPONSE_BYTES,
        beat_s: float = BEAT_S,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._link = None if redis is None else Link(redis, beat_s=beat_s)
        self._archive = archive
        self._terms = dict(terms or {})
        self._retry_terms = retry_terms
        self._breaker_terms = breaker_terms
        self._max_bytes = max_bytes
        self._redactor = Redactor.of(settings)
        guard_logs(self._redactor)
        self._coalescer: Coalescer[Answer] = Coalescer()
        self._places: dict[str, _Place] = {}
        self._doors: dict[Feed, Door] = {}
        self._listeners: list[Callable[[Moved], None]] = []
        self._replay = self._replayed(settings)

    @staticmethod
    def _replayed(settings: Settings) -> Archive | None:
        if not settings.upstream.startswith(REPLAY):
            return None
        return Archive(Path(settings.upstream.removeprefix(REPLAY)))

    async def __aenter__(self) -> Self:
        """Open the doors of every feed.

        Raises:
            ConfigurationError: an address is none.
            StoreUnavailable: Redis was given and cannot be reached.
        """
        if self._replay is not None:
            return self
        for feed in Feed:
            self._doors[feed] = self._build(feed)
        if self._link is not None:
            await self._link.open()
            for place in self._places.values():
                await place.open()
            for door in self._doors.values():
                await door.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(StoreUnavailable):  # what is not told now runs out by itself
            for door in self._doors.values():
                await door.close()
        for place in self._places.values():
            await place.close()
        if self._link is not None:
            await self._link.close()
        self._places.clear()
        self._doors.clear()

    def listen(self, listener: Callable[[Moved], None]) -> None:
        """Call the listener with every transition of a breaker, on the loop: it must not block."""
        self._listeners.append(listener)

    async def fetch(
        self, item: Item, inspect: Callable[[bytes], None] | None = None, *, budget_s: float | None = None
    ) -> Answer:
        """Return the complete answer to an item.

        Args:
            item: What to ask.
            inspect: Raises `UpstreamMalformed` or `RowCapReached` on content that is wrong although HTTP said 200.
            budget_s: Seconds for the request with its retries, counted from when the gate lets it in.

        Raises:
            UpstreamError: why there is none.
            ConfigurationError: the feed needs a key or another address.
        """
        if self._replay is not None:
            return await self._from_replay(self._replay, item, inspect)
        require_key(item, self._settings)
        counts = self._door(item.feed).counts
        counts.items += 1
        key = (item.fingerprint, inspect)
        counts.joined += self._coalescer.under_way(key)
        try:
            answer = await self._coalescer.share(key, lambda: self._ask(item, inspect, budget_s))
        except UpstreamError:
            counts.failures += 1
            raise
        counts.answers += 1
        # an answer under another name is the same bytes: one call, each caller's own item in it
        return answer if answer.item == item else dataclasses.replace(answer, item=item)

    async def fetch_many(
        self,
        items: Sequence[Item],
        inspect: Callable[[bytes], None] | None = None,
        on_done: Callable[[Item, Answer | UpstreamError], None] | None = None,
        *,
        budget_s: float | None = None,
    ) -> list[Answer | UpstreamError]:
        """Fetch items at once, as wide as the gate allows; failures of feeds are values in the order of the items.

        Args:
            items: What to ask.
            inspect: As for `fetch`.
            on_done: Called on the loop as each item ends: it must not block.
            budget_s: As for `fetch`, for each item.

        Raises:
            BackstopError: not a feed's failure but, say, a wrong setting; the other items are cancelled.
        """

        async def one(item: Item) -> Answer | UpstreamError:
            outcome: Answer | UpstreamError
            try:
                outcome = await self.fetch(item, inspect, budget_s=budget_s)
            except UpstreamError as error:
                outcome = error
            if on_done is not None:
                on_done(item, outcome)
            return outcome

        tasks = [asyncio.ensure_future(one(item)) for item in items]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def health(self) -> list[FeedHealth]:
        """Return the state of every feed, as this process knows it."""
        now = asyncio.get_running_loop().time()
        return [door.health(now) for door in self._doors.values()]

    def counts(self) -> dict[str, Counts]:
        """Return what was counted since the fetcher opened, by feed; `meter.METERS` names the metrics."""
        return {feed.value: door.counts for feed, door in self._doors.items()}

    async def _ask(self, item: Item, inspect: Callable[[bytes], None] | None, budget_s: float | None) -> Answer:
        calls = self._places[self._door(item.feed).host.base].calls
        if calls is None:
            return await self._lead(item, inspect, budget_s)
        answer, anothers = await calls.share(item, lambda: self._lead(item, inspect, budget_s))
        self._door(item.feed).counts.joined += anothers
        if anothers and inspect is not None:
            inspect(answer.body)  # the other worker may have looked with other eyes
        return answer

    async def _lead(self, item: Item, inspect: Callable[[bytes], None] | None, budget_s: float | None) -> Answer:
        deadline = retry.Deadline(self._settings.request_budget_s if budget_s is None else budget_s)
        door = self._door(item.feed)
        attempts = 0

        async def attempt() -> Answer:
            nonlocal attempts
            attempts += 1
            door.counts.retries += attempts > 1
            return await door.attempt(item, inspect, deadline)

        async with door.budget.reserved(item):
            answer = await retry.with_retries(attempt, deadline, self._retry_terms, source=item.feed.value)
        return answer if attempts == 1 else dataclasses.replace(answer, attempts=attempts)

    async def _from_replay(self, archive: Archive, item: Item, inspect: Callable[[bytes], None] | None) -> Answer:
        answer = await asyncio.to_thread(archive.latest, item)
        if answer is None:
            raise UpstreamRefused(
                f"The archive {archive.root} holds no answer of {item.feed.value} to {item.table} {item.key} "
                f"({item.path}); run once against the feed itself with this archive.",
                source=item.feed.value,
            )
        if inspect is not None:
            inspect(answer.body)
        return answer

    def _door(self, feed: Feed) -> Door:
        door = self._doors.get(feed)
        if door is None:
            raise UsageError("This fetcher is not open; use it as `async with Fetcher(...) as fetcher`.")
        return door

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
            on_move=self._moved,
            link=link,
        )

    def _place(self, feed: Feed) -> _Place:
        base = self._settings.url_of(feed)
        if base not in self._places:
            terms = self._terms.get(feed) or terms_of(feed, self._settings)
            host = Host(base, self._settings, limit=self._max_bytes)
            link = self._link
            gate = Gate(terms) if link is None else LeasedGate(base, terms, link)
            calls = None if link is None else SharedCalls(base, link, self._archive)
            self._places[base] = _Place(host, gate, calls)
        return self._places[base]

    def _moved(self, move: Moved) -> None:
        for listener in self._listeners:
            listener(move)
