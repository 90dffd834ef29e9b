"""One feed's door: an attempt passes breaker and gate, asks the host, and is judged."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING, Final

from backstop.errors import (
    BreakerOpen,
    LakeError,
    RateLimited,
    StoreUnavailable,
    UpstreamError,
    UpstreamMalformed,
    UpstreamUnavailable,
)
from backstop.net.breaker import Breaker, BreakerTerms, Moved, Pass, State
from backstop.net.breaker_shared import SharedBreaker
from backstop.net.budget import Budget, SharedBudget
from backstop.net.exchange import Host, Reply, TimedOut
from backstop.net.gate import Gate, Visit, Word
from backstop.net.health import FeedHealth
from backstop.net.item import Answer, Item
from backstop.net.meter import Counts
from backstop.net.reception import Reception
from backstop.net.refusal import SERVER_ERROR, TOO_MANY
from backstop.net.retry import Deadline, spent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from backstop.clock import Clock
    from backstop.net.archive import Archive, Entry
    from backstop.net.link import Link
    from backstop.net.secrets import Redactor
    from backstop.settings import Feed

log = logging.getLogger(__name__)

OVERLOADED: Final = 503


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
        self._reception = Reception(clock, redactor, archive)
        self._stirred = asyncio.Event()
        self._open_since: dt.datetime | None = None
        self._last_success_at: dt.datetime | None = None
        self._last_error: str | None = None
        self._untold = False

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

        Args:
            item: What to ask.
            inspect: The table's own look at the content.
            deadline: The item's time budget and place in the queue.

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
            try:
                answer = await self._reception.accept(item, reply, inspect, known)
            finally:
                await self._note(reply)  # after the answer is kept: it may be paid for
        except UpstreamError as error:
            if isinstance(error, RateLimited) and error.retry_after_s is not None:
                self.gate.pause(error.retry_after_s)
            self._report(leave, error)
            raise
        except BaseException:
            self._give_up(leave)
            raise
        self._report(leave, None)
        self.counts.revalidated += answer.revalidated
        return answer

    async def _note(self, reply: Reply) -> None:
        """Tell the budget; that the others cannot be told is no reason to lose what was paid for, and is said once."""
        try:
            await self.budget.note(reply.headers)
        except StoreUnavailable as error:
            level = logging.DEBUG if self._untold else logging.WARNING
            log.log(level, "%s: the other workers are not told what is left: %s", self.feed.value, error)
            self._untold = True
        else:
            self._untold = False

    async def _reply(self, item: Item, deadline: Deadline, known: Entry | None) -> tuple[Pass, Reply]:
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_breaker(item, deadline)
            async with self._visit(item, deadline) as visit:
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

    @contextlib.asynccontextmanager
    async def _visit(self, item: Item, deadline: Deadline) -> AsyncIterator[Visit]:
        if deadline.ticket is None:
            deadline.ticket = self.gate.ticket()
        kind = f"{item.feed}/{item.table}"
        patience_s = deadline.patience_s()
        try:
            async with self.gate.visit(item.priority, kind, ticket=deadline.ticket, patience_s=patience_s) as visit:
                yield visit
        except RateLimited as error:
            error.source = self.feed.value
            raise

    async def _wait_for_breaker(self, item: Item, deadline: Deadline) -> None:
        loop = asyncio.get_running_loop()
        while (wait_s := self.breaker.wait_s(loop.time())) > 0:
            left_s = deadline.left_s()
            if left_s <= 0 or (self.breaker.state is State.OPEN and wait_s > left_s):
                before = f" Its last answer here: {deadline.failure}" if deadline.failure else ""
                raise BreakerOpen(
                    f"{item.feed.value} failed too often and is left alone for another {wait_s:.1f} s; "
                    f"{item.table} {item.key} was not asked for. Ask again later or use another feed.{before}",
                    source=item.feed.value,
                    retry_after_s=wait_s,
                )
            stirred = self._stirred
            try:
                async with asyncio.timeout(min(wait_s, left_s)):
                    await stirred.wait()
            except TimeoutError:
                continue

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
            opened = move.after is State.OPEN
            self.counts.openings += opened
            why = f"{move.reason}; {self._last_error}" if opened and self._last_error else move.reason
            level = logging.WARNING if opened else logging.INFO
            log.log(level, "%s: breaker %s after %s: %s", move.feed, move.after.value, move.before.value, why)

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
