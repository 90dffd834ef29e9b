"""One feed's door: an attempt passes breaker and gate, asks the host, and is judged."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import TYPE_CHECKING, Final

from backstop.errors import (
    BreakerOpen,
    LakeError,
    RateLimited,
    RowCapReached,
    UpstreamError,
    UpstreamMalformed,
    UpstreamUnavailable,
)
from backstop.net import content
from backstop.net.breaker import Breaker, BreakerTerms, Moved, Pass, State
from backstop.net.breaker_shared import SharedBreaker
from backstop.net.budget import Budget, SharedBudget
from backstop.net.exchange import Host, Reply, TimedOut
from backstop.net.gate import Gate, Word
from backstop.net.health import FeedHealth
from backstop.net.item import Answer, Item, Secret
from backstop.net.meter import Counts
from backstop.net.refusal import SERVER_ERROR, TOO_MANY, refusal
from backstop.net.retry import Deadline, spent

if TYPE_CHECKING:
    from collections.abc import Callable

    from backstop.clock import Clock
    from backstop.net.archive import Archive, Entry
    from backstop.net.link import Link
    from backstop.net.secrets import Redactor
    from backstop.settings import Feed

log = logging.getLogger(__name__)

OK: Final = 200
NOT_MODIFIED: Final = 304
OVERLOADED: Final = 503

INLINE_BYTES: Final = 64 * 1024
"""Bodies up to this size are hashed and compressed on the loop (0.2 ms); larger ones in a thread."""

KEPT_HEADERS: Final = frozenset(
    {"content-type", "date", "etag", "last-modified", "cache-control", "x-requests-remaining", "x-requests-used",
     "x-requests-last", "x-plan-quota-allotted", "x-plan-quota-current", "x-plan-qps-allotted"}
)  # fmt: skip


class Door:
    """What stands between an item and its feed.

    Args:
        feed: Whose door.
        host: The connections; feeds at one address share them.
        gate: The gate of that host.
        budget: The feed's credits.
        terms: When the breaker opens.
        clock: Stamps answers.
        redactor: Takes keys out of what is kept.
        archive: Where answers are kept; `None` keeps nothing.
        on_move: Called with every transition of the breaker.
        link: The line to the other workers; `None` when there are none.
    """

    def __init__(
        self,
        feed: Feed,
        host: Host,
        gate: Gate,
        budget: Budget,
        terms: BreakerTerms,
        *,
        clock: Clock,
        redactor: Redactor,
        archive: Archive | None,
        on_move: Callable[[Moved], None],
        link: Link | None = None,
    ) -> None:
        self.feed = feed
        self.host = host
        self.gate = gate
        self.budget = budget
        self.counts = Counts()
        self.breaker: Breaker | SharedBreaker = (
            Breaker(feed.value, terms, self._moved)
            if link is None
            else SharedBreaker(host.base, feed.value, terms, link, self._moved, self._stir)
        )
        self._on_move = on_move
        self._clock = clock
        self._redactor = redactor
        self._archive = archive
        self._stirred = asyncio.Event()
        self._open_since: dt.datetime | None = None
        self._last_success_at: dt.datetime | None = None
        self._last_error: str | None = None

    async def open(self) -> None:
        """Learn what the other workers know.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        if isinstance(self.breaker, SharedBreaker):
            await self.breaker.open()
        if isinstance(self.budget, SharedBudget):
            await self.budget.open()

    async def close(self) -> None:
        """Tell the other workers what they do not know yet.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        if isinstance(self.breaker, SharedBreaker):
            await self.breaker.close()

    async def attempt(self, item: Item, inspect: Callable[[bytes], None] | None, deadline: Deadline) -> Answer:
        """Ask once.

        Raises:
            UpstreamError: why there is no answer; `retryable` says whether another attempt is worth it.
        """
        known = self._archive.last(item) if self._archive is not None else None
        try:
            answer = await self._judged(item, inspect, deadline, known)
        except LakeError:  # a 304 for a body that is damaged here: ask for all of it
            answer = await self._judged(item, inspect, deadline, None)
        self._last_success_at = answer.fetched_at
        return answer

    async def _judged(
        self, item: Item, inspect: Callable[[bytes], None] | None, deadline: Deadline, known: Entry | None
    ) -> Answer:
        """Report to the breaker how the attempt went, whatever way it ends."""
        leave, reply = await self._reply(item, deadline, known)
        try:
            await self.budget.note(reply.headers)
            answer = await self._accept(item, reply, inspect, known)
        except UpstreamError as error:
            self._report(leave, error)
            raise
        except BaseException:
            self._give_up(leave)
            raise
        self._report(leave, None)
        return answer

    async def _reply(self, item: Item, deadline: Deadline, known: Entry | None) -> tuple[Pass, Reply]:
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_breaker(item, deadline)
            async with self.gate.visit(item.priority, f"{item.feed}/{item.table}") as visit:
                leave = await self.breaker.leave(loop.time())
                if not leave.granted:
                    continue
                left_s = deadline.left_s()
                if left_s <= 0:
                    self._give_up(leave)
                    raise spent(deadline, item.feed.value)
                self.counts.requests += 1
                try:
                    reply = await self.host.ask(item, within_s=left_s, conditions=_conditions(known))
                except UpstreamError as error:
                    visit.word = Word.CONGESTED if isinstance(error, TimedOut) else Word.SILENT
                    self._report(leave, error)
                    raise
                except BaseException:
                    self._give_up(leave)
                    raise
                visit.word = _word(reply.status)
                self.counts.received_bytes += len(reply.body)
                return leave, reply

    async def _wait_for_breaker(self, item: Item, deadline: Deadline) -> None:
        loop = asyncio.get_running_loop()
        while (wait_s := self.breaker.wait_s(loop.time())) > 0:
            left_s = deadline.left_s()
            if left_s <= 0 or (self.breaker.state is State.OPEN and wait_s > left_s):
                raise BreakerOpen(
                    f"{item.feed.value} failed too often and is left alone for another {wait_s:.1f} s; "
                    f"{item.table} {item.key} was not asked for. Ask again later or use another feed.",
                    source=item.feed.value,
                    retry_after_s=wait_s,
                )
            stirred = self._stirred
            try:
                async with asyncio.timeout(min(wait_s, left_s)):
                    await stirred.wait()
            except TimeoutError:
                continue

    async def _accept(
        self, item: Item, reply: Reply, inspect: Callable[[bytes], None] | None, known: Entry | None
    ) -> Answer:
        now = self._clock.now()
        if reply.status == NOT_MODIFIED and known is not None:
            return await self._revalidated(item, inspect, known, now)
        if reply.status != OK:
            error = refusal(item, reply.status, reply.headers, self._redactor.body(reply.body), now)
            if isinstance(error, RateLimited) and error.retry_after_s is not None:
                self.gate.pause(error.retry_after_s)
            raise error
        # only a server that was given a key can give it back
        body = reply.body if item.secret is Secret.NONE else self._redactor.body(reply.body)
        content.check(item, body)
        kept = [(name, value) for name, value in reply.headers.items() if name in KEPT_HEADERS]
        headers = self._redactor.headers(kept)
        try:
            if inspect is not None:
                inspect(body)
        except RowCapReached:
            # incomplete, but what was asked for: a replay must reach the cap and split as this run will
            await self._keep(item, body, headers, now)
            raise
        content_hash = await self._keep(item, body, headers, now)
        return Answer(item, OK, body, now, content_hash, headers)

    async def _revalidated(
        self, item: Item, inspect: Callable[[bytes], None] | None, known: Entry, now: dt.datetime
    ) -> Answer:
        if self._archive is None:
            raise UpstreamMalformed(
                f"{item.feed.value} answered {item.table} {item.key} with 304 although nothing is archived; ask again.",
                source=item.feed.value,
            )
        body = await asyncio.to_thread(self._archive.body, known.content_hash)
        if inspect is not None:
            inspect(body)
        self.counts.revalidated += 1
        self._archive.again(item, known, fetched_at=now, size=len(body))
        return Answer(item, OK, body, now, known.content_hash, known.headers, revalidated=True)

    async def _keep(self, item: Item, body: bytes, headers: tuple[tuple[str, str], ...], now: dt.datetime) -> str:
        if self._archive is None:
            return content.name_of(body)
        put = self._archive.put
        if len(body) <= INLINE_BYTES:
            return put(item, body, fetched_at=now, headers=headers, status=OK)
        return await asyncio.to_thread(put, item, body, fetched_at=now, headers=headers, status=OK)

    def _report(self, leave: Pass, error: UpstreamError | None) -> None:
        if error is not None:
            self._redactor.error(error)
            self._last_error = str(error)
        down = isinstance(error, UpstreamUnavailable | UpstreamMalformed) and not isinstance(error, RateLimited)
        self.breaker.report(leave, ok=not down, now=asyncio.get_running_loop().time())

    def _give_up(self, leave: Pass) -> None:
        if leave.probe:
            self.breaker.give_up(leave, asyncio.get_running_loop().time())
            self._stir()

    def _moved(self, move: Moved) -> None:
        if move.after is State.CLOSED:
            self._open_since = None
        elif self._open_since is None:
            self._open_since = self._clock.now()
        self._log(move)
        self._stir()
        self._on_move(move)

    def _log(self, move: Moved) -> None:
        """Count and log a transition in the one worker that caused it."""
        if move.here:
            self.counts.openings += move.after is State.OPEN
            level = logging.WARNING if move.after is State.OPEN else logging.INFO
            log.log(level, "%s: breaker %s after %s: %s", move.feed, move.after.value, move.before.value, move.reason)

    def _stir(self) -> None:
        """Wake everybody who waits for the breaker; who comes later waits for the next transition."""
        self._stirred.set()
        self._stirred = asyncio.Event()

    def health(self, now: float) -> FeedHealth:
        """Return the feed's state as this worker knows it, at a loop time."""
        shared = self.breaker if isinstance(self.breaker, SharedBreaker) else None
        seen = [self._last_success_at, shared.last_success_at if shared else None]
        return FeedHealth(
            feed=self.feed.value,
            host=self.host.base,
            breaker=self.breaker.state.value,
            open_since=shared.open_since if shared else self._open_since,
            retry_in_s=self.breaker.wait_s(now),
            gate_width=self.gate.width.slots,
            gate_cap=self.gate.terms.cap,
            in_flight=self.gate.in_flight,
            waiting=self.gate.waiting,
            last_success_at=max((at for at in seen if at is not None), default=None),
            last_error=self._last_error,
            credits_left=self.budget.left,
        )


def _conditions(known: Entry | None) -> dict[str, str]:
    if known is None:
        return {}
    validators = {"if-none-match": known.header("etag"), "if-modified-since": known.header("last-modified")}
    return {name: value for name, value in validators.items() if value}


def _word(status: int) -> Word:
    if status in {TOO_MANY, OVERLOADED}:
        return Word.CONGESTED
    return Word.GOOD if status < SERVER_ERROR else Word.SILENT
