"""The breaker of many processes: the same rules (see `breaker`), kept in Redis, so that one probe goes for all of them.

Each worker holds a view of the state, corrected by messages and by every answer of a script. While the view says
closed, a request costs no round trip: successes are counted here and sent along with the next failure or sign of life.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from typing import TYPE_CHECKING, Final

from backstop.errors import StoreUnavailable
from backstop.net import keys, scripts
from backstop.net.breaker import BreakerTerms, Moved, Pass, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from backstop.net.link import Link

KIND: Final = "breaker"
"""First field of the messages that tell of breakers."""

REMEMBERED_MS: Final = 7 * 24 * 3600 * 1000
"""State and last success of a feed that nobody asks are known for a week; counts leave with their window."""


def moved(message: str, worker: str = "") -> Moved | None:
    """Read a message: the transition of a breaker that it tells, `None` for every other message.

    Args:
        message: As it came on the channel.
        worker: Who reads; `here` is true of what this worker caused itself.
    """
    kind, _, rest = message.partition("|")
    if kind != KIND:
        return None
    feed, cause, before, after, wait_ms, _, reason = rest.split("|", 6)
    if before == after:
        return None
    pause_s = float(wait_ms) / 1000 if after == State.OPEN else 0.0
    return Moved(feed, State(before), State(after), reason, pause_s, here=cause == worker)


class SharedBreaker:
    """One worker's view of a feed's breaker.

    Args:
        host: Where the feed is found.
        feed: Its name.
        terms: When it opens.
        link: The line to the other workers.
        on_move: Called with every transition, whoever caused it.
        on_stir: Called when waiting requests should look again.
    """

    def __init__(
        self,
        host: str,
        feed: str,
        terms: BreakerTerms,
        link: Link,
        on_move: Callable[[Moved], None],
        on_stir: Callable[[], None],
    ) -> None:
        self.feed = feed
        self.terms = terms
        self.state = State.CLOSED
        self.open_since: dt.datetime | None = None
        self._host = host
        self._key = keys.breaker(host, feed)
        self._link = link
        self._on_move = on_move
        self._on_stir = on_stir
        self._until = 0.0
        self._good = 0
        self._bad = 0
        self._sending: asyncio.Task[None] | None = None
        self.last_success_at: dt.datetime | None = None

    async def open(self) -> None:
        """Learn the present state and hear of every change."""
        await self._link.hear(keys.channel(self._host), self._hear)
        self._link.every_beat(self._send)
        await self._report("", 0, 0)

    async def close(self) -> None:
        """Send what was counted and not sent.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        await self._send()

    def wait_s(self, now: float) -> float:
        """Seconds until a request may go at the earliest, 0 when closed."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._until - now)

    async def leave(self, now: float) -> Pass:
        """Say whether a request may go; in half-open only one may, over all workers.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        if self.state is State.CLOSED:
            return Pass(granted=True)
        if now < self._until:
            return Pass(granted=False, wait_s=self._until - now)
        token = secrets.token_hex(6)
        granted, probe, state, wait_ms = await self._link.run(
            scripts.ASK,
            [self._key],
            [*self._address(), token, *self._ms(self.terms.probe_s, self.terms.first_pause_s,
                                                self.terms.longest_pause_s), REMEMBERED_MS],
        )  # fmt: skip
        self._see(State(state.decode()), wait_ms / 1000)
        return Pass(granted=bool(granted), probe=bool(probe), wait_s=wait_ms / 1000, token=token if probe else "")

    def report(self, leave: Pass, *, ok: bool, now: float) -> None:  # noqa: ARG002 - Redis has its own now
        """Take in how a request went."""
        if leave.probe:
            self._link.spawn(self._send_probe(leave.token, ok=ok))
            return
        self._good += ok
        self._bad += not ok
        if not ok and self._sending is None:
            self._sending = self._link.spawn(self._send_failures())

    def give_up(self, leave: Pass, now: float) -> None:  # noqa: ARG002 - Redis has its own now
        """Take back a probe that was cancelled before it learned anything: another may go at once."""
        self._link.spawn(self._send_give_up(leave.token))

    async def _send_failures(self) -> None:
        try:
            while self._bad:
                await self._send()
        except StoreUnavailable:
            return  # counted still; the next beat sends them
        finally:
            self._sending = None

    async def _send(self) -> None:
        if self._good or self._bad:
            good, bad, self._good, self._bad = self._good, self._bad, 0, 0
            try:
                await self._report("", good, bad)
            except StoreUnavailable:
                self._good += good
                self._bad += bad
                raise

    async def _send_probe(self, token: str, *, ok: bool) -> None:
        try:
            await self._report(token, int(ok), int(not ok))
        except StoreUnavailable:
            return  # the probe counts as lost after its time

    async def _send_give_up(self, token: str) -> None:
        try:
            await self._link.run(scripts.GIVE_UP, [self._key], [*self._address(), token, REMEMBERED_MS])
        except StoreUnavailable:
            return

    async def _report(self, token: str, good: int, bad: int) -> None:
        terms = self.terms
        state, wait_ms, opened_at, success_at = await self._link.run(
            scripts.REPORT,
            [self._key],
            [*self._address(), token, good, bad, *self._ms(terms.window_s), terms.at_least, terms.failing_share,
             *self._ms(terms.first_pause_s, terms.longest_pause_s), REMEMBERED_MS],
        )  # fmt: skip
        self._see(State(state.decode()), wait_ms / 1000, float(opened_at))
        self.last_success_at = _instant(float(success_at))

    def _address(self) -> list[str]:
        return [keys.channel(self._host), "", self.feed, self._link.worker]

    @staticmethod
    def _ms(*seconds: float) -> list[int]:
        return [int(value * 1000) for value in seconds]

    def _hear(self, message: str) -> None:
        kind, _, rest = message.partition("|")
        if kind != KIND:
            return
        feed, _, _, after, wait_ms, opened_at, _ = rest.split("|", 6)
        if feed != self.feed:
            return
        self._see(State(after), float(wait_ms) / 1000, float(opened_at))
        move = moved(message, self._link.worker)
        if move is not None:
            self._on_move(move)
        self._on_stir()

    def _see(self, state: State, wait_s: float, opened_at_ms: float | None = None) -> None:
        self.state = state
        self._until = asyncio.get_running_loop().time() + wait_s
        if state is State.CLOSED:
            self.open_since = None
        elif opened_at_ms:
            self.open_since = _instant(opened_at_ms)


def _instant(ms: float) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC) if ms else None
