"""The fetcher: an item in, its complete answer out, or the reason why not.

An item passes these doors in order: coalescer (is the same request under way?), budget (may it cost this?), then as
often as retries allow: breaker (is the feed up?), gate (is there a slot?), the request itself, the look at what came,
and the archive.
"""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from backstop.errors import LakeError, UpstreamError, UpstreamRefused
from backstop.net import address, breaker, retry
from backstop.net.archive import Archive
from backstop.net.coalesce import Coalescer
from backstop.net.doors import Doors
from backstop.net.item import Answer, Item
from backstop.net.link import BEAT_S, Link
from backstop.net.meter import Counts
from backstop.net.secrets import Redactor, guard_logs, require_key
from backstop.net.terms import Terms
from backstop.settings import Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from redis.asyncio import Redis

    from backstop.clock import Clock
    from backstop.net.breaker import BreakerTerms, Moved
    from backstop.net.health import FeedHealth
    from backstop.net.retry import RetryTerms

REPLAY: Final = "replay:"


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
        max_bytes: Bytes of a decoded answer at most; those of `net.terms` where not given.
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
        max_bytes: int | None = None,
        beat_s: float = BEAT_S,
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._retry_terms = retry_terms
        redactor = Redactor.of(settings)
        guard_logs(redactor)
        self._coalescer: Coalescer[Answer] = Coalescer()
        self._doors = Doors(
            settings,
            clock=clock,
            redactor=redactor,
            archive=archive,
            link=None if redis is None else Link(redis, beat_s=beat_s),
            terms=terms or {},
            breaker_terms=breaker_terms,
            max_bytes=max_bytes,
            on_move=self._moved,
        )
        self._listeners: list[Callable[[Moved], None]] = []
        self._replay = self._replayed(settings)

    @staticmethod
    def _replayed(settings: Settings) -> Archive | None:
        if not settings.upstream.startswith(REPLAY):
            return None
        return Archive(Path(settings.upstream.removeprefix(REPLAY)), replayed=True)

    async def __aenter__(self) -> Self:
        """Open the doors of every feed.

        Raises:
            ConfigurationError: an address is none.
            StoreUnavailable: Redis was given and cannot be reached.
        """
        if self._replay is None:
            await self._doors.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._doors.close()

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
            ConfigurationError: the feed needs a key or another address, or the upstream's server was not started.
        """
        if self._replay is not None:
            return await self._from_replay(self._replay, item, inspect)
        counts = self._doors.of(item.feed).counts
        counts.items += 1
        if (kept := await self._settled(item, inspect)) is not None:
            counts.answers += 1
            counts.archived += 1
            return kept
        address.require_server(self._settings)
        require_key(item, self._settings)
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
        bodies: bool = True,
    ) -> list[Answer | UpstreamError]:
        """Fetch items at once, as wide as the gate allows; failures of feeds are values in the order of the items.

        Args:
            items: What to ask.
            inspect: As for `fetch`.
            on_done: Called on the loop as each item ends: it must not block.
            budget_s: As for `fetch`, for each item.
            bodies: Whether the answers keep their bodies. Otherwise only `on_done` and the archive see them, and fifty
                answers take no more memory than those under way.

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
            return outcome if bodies or isinstance(outcome, UpstreamError) else dataclasses.replace(outcome, body=b"")

        tasks = [asyncio.ensure_future(one(item)) for item in items]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def learn_credits(self) -> None:
        """Learn what is left of paid feeds' credits, also by answers to other workers.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        await self._doors.learn_credits()

    def health(self) -> list[FeedHealth]:
        """Return the state of every feed, as this process knows it."""
        return self._doors.health()

    def counts(self) -> dict[str, Counts]:
        """Return what was counted since the fetcher opened, by feed."""
        return self._doors.counts()

    async def hosts(self) -> list[tuple[str, float]]:
        """Return the addresses asked within a week and when (Unix time, s), newest first; none without Redis.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        return await self._doors.hosts()

    async def totals(self) -> dict[str, Counts]:
        """Return what all workers counted, by feed; without Redis this one is all of them.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        return await self._doors.totals()

    async def _ask(self, item: Item, inspect: Callable[[bytes], None] | None, budget_s: float | None) -> Answer:
        calls = self._doors.calls_of(item.feed)
        if calls is None:
            return await self._lead(item, inspect, budget_s)
        answer, anothers = await calls.share(item, lambda: self._lead(item, inspect, budget_s))
        self._doors.of(item.feed).counts.joined += anothers
        if anothers and inspect is not None:
            inspect(answer.body)  # the other worker may have looked with other eyes
        return answer

    async def _lead(self, item: Item, inspect: Callable[[bytes], None] | None, budget_s: float | None) -> Answer:
        deadline = retry.Deadline(self._settings.request_budget_s if budget_s is None else budget_s)
        door = self._doors.of(item.feed)
        attempts = 0

        async def attempt() -> Answer:
            nonlocal attempts
            attempts += 1
            door.counts.retries += attempts > 1
            return await door.attempt(item, inspect, deadline)

        async with door.budget.reserved(item):
            answer = await retry.with_retries(attempt, deadline, self._retry_terms, source=item.feed.value)
        return answer if attempts == 1 else dataclasses.replace(answer, attempts=attempts)

    async def _settled(self, item: Item, inspect: Callable[[bytes], None] | None) -> Answer | None:
        """Return the archived answer of an item that cannot change any more; `None` when it must be asked for."""
        if item.settled_at is None or self._archive is None:
            return None
        try:
            answer = await asyncio.to_thread(self._archive.latest, item)
            if answer is None or answer.fetched_at < item.settled_at:
                return None
            if inspect is not None:
                inspect(answer.body)
        except (LakeError, UpstreamError):  # damaged, or of an older form: ask again
            return None
        return answer

    async def _from_replay(self, archive: Archive, item: Item, inspect: Callable[[bytes], None] | None) -> Answer:
        try:
            answer = await asyncio.to_thread(archive.latest, item)
        except LakeError as error:
            raise UpstreamRefused(f"{item.table} {item.key}: {error.message}", source=item.feed.value) from error
        if answer is None:
            raise UpstreamRefused(
                f"The archive {archive.root} holds no answer of {item.feed.value} to {item.table} {item.key} "
                f"({item.path}); run once against the feed itself with this archive.",
                source=item.feed.value,
            )
        if inspect is not None:
            inspect(answer.body)
        return answer

    def _moved(self, move: Moved) -> None:
        for listener in self._listeners:
            listener(move)
