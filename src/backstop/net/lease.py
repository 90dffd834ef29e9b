"""The gate of many processes: slots are leased in Redis, so that all of them together stay within the cap.

A worker leases as many slots as its fair share is worth and uses them for many requests, so that a request costs no
round trip. It asks again when requests have to wait, when another worker is short (told by message), when the host
slows down or speeds up, and at every sign of life. A worker that is killed gives no sign of life: its lease runs out
and the slots are free. A worker that cannot reach Redis lets nobody in once its lease ran out, and gives up what it has
under way, for others may hold the slots by then. After a Redis came back without its data, nobody who held slots
before gets more until all have told what they hold; a worker that is the first to ask and held none cannot know.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from backstop.errors import StoreUnavailable
from backstop.net import keys, scripts
from backstop.net.gate import Gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backstop.net.gate import Visit
    from backstop.net.item import Priority
    from backstop.net.link import Link
    from backstop.net.terms import Terms


class LeasedGate(Gate):
    """A gate whose slots are leased.

    Args:
        host: The host; workers with one host share.
        terms: The limits at this host.
        link: The line to the other workers.
    """

    def __init__(self, host: str, terms: Terms, link: Link) -> None:
        super().__init__(terms)
        self._host = host
        self._link = link
        self._held = 0
        self._target = 0
        self._valid_until = float("-inf")
        self._unsent_good = 0
        self._congested_since: float | None = None
        self._pause_s = 0.0
        self._asked: tuple[int, ...] = (0, 0, 0)
        self._again = False
        self._asking: asyncio.Task[None] | None = None
        self._ceiling: int | None = None
        self._crowd = False
        self._under_way: set[asyncio.Timeout] = set()

    async def open(self) -> None:
        """Begin to hear of the others and to renew the lease."""
        await self._link.hear(keys.channel(self._host), self._hear)
        self._link.every_beat(self._renew)
        width = await self._link.read(keys.gate(self._host)[3], "value")
        self.width.value = float(width) if width else self.width.value

    async def close(self) -> None:
        """Give every slot back at once."""
        if self._asking is not None:
            self._asking.cancel()
        if self._valid_until > float("-inf"):
            args = [keys.channel(self._host), self._link.worker]
            await self._link.run(scripts.LEAVE, keys.gate(self._host), args)

    @property
    def slots(self) -> int:
        """Requests that this process may have in flight now."""
        if asyncio.get_running_loop().time() >= self._valid_until:
            return 0
        slots = min(self._held, self._target)
        return slots if self._ceiling is None else min(slots, self._ceiling)

    @asynccontextmanager
    async def visit(
        self, priority: Priority, kind: str = "", *, ticket: int | None = None, patience_s: float = math.inf
    ) -> AsyncIterator[Visit]:
        """Wait for a slot, hold it for as long as the lease lasts, give it back whatever happens.

        Raises:
            RateLimited: the host asked for a longer pause.
            StoreUnavailable: the lease ran out meanwhile; the request was given up.
        """
        async with super().visit(priority, kind, ticket=ticket, patience_s=patience_s) as visit:
            lease = asyncio.timeout_at(self._valid_until)
            try:
                async with lease:
                    self._under_way.add(lease)
                    yield visit
            except TimeoutError as error:
                if not lease.expired():
                    raise
                raise StoreUnavailable(
                    f"The slot at {self._host} was held until its lease ran out: Redis was not reached for "
                    f"{self._link.lease_ms / 1000:.0f} s, and others may use the slot by now. It was given up; "
                    "ask again when Redis answers."
                ) from error
            finally:
                self._under_way.discard(lease)

    def pause(self, seconds: float) -> None:
        """Let nobody in for that long, in any process."""
        super().pause(seconds)
        self._pause_s = max(self._pause_s, seconds)
        self._ask()

    def _short(self) -> None:
        self.admit()
        cap = self.terms.cap
        if any(min(now, cap) > told for now, told in zip(self.wants, self._asked, strict=True)):
            self._ask()

    def _left(self) -> None:
        self.admit()
        # growth is news once a round; slots above the share, or unused ones, may be wanted elsewhere
        spare = self._held > self._target or (self._crowd and sum(self.wants) < self._held)
        if spare or self._unsent_good >= max(1, self._held):
            self._ask()

    def _good(self) -> None:
        self._unsent_good += 1

    def _congested(self, started_at: float, now: float) -> None:  # noqa: ARG002 - Redis has its own now
        self._congested_since = max(started_at, self._congested_since or started_at)
        self._ask()

    def _hear(self, message: str) -> None:
        if message == "gate":
            self._ask()

    async def _renew(self) -> None:
        if self._valid_until > float("-inf") or any(self.wants):
            self._ask()

    def _ask(self) -> None:
        """Ask for slots; what comes up while an asking is under way makes one more after it."""
        self._again = True
        if self._asking is None:
            self._asking = self._link.spawn(self._ask_while_needed())

    async def _ask_while_needed(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._lease()
        except StoreUnavailable as error:
            if asyncio.get_running_loop().time() >= self._valid_until:
                self._turn_away(error)
        finally:
            self._asking = None

    async def _lease(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        good, self._unsent_good = self._unsent_good, 0
        since, self._congested_since = self._congested_since, None
        pause_s, self._pause_s = self._pause_s, 0.0
        cap = self.terms.cap
        self._asked = tuple(min(want, cap) for want in self.wants)
        # while the answer is on its way, no more may come in than were told of: it may take slots away
        in_use = self._ceiling = self.in_flight
        try:
            held, target, width, pausing_ms, crowd = await self._link.run(
                scripts.LEASE,
                keys.gate(self._host),
                [
                    keys.channel(self._host), "", self._link.worker, self._link.lease_ms, cap,
                    self.terms.first_width, in_use, *self._asked, good,
                    -1 if since is None else int((began - since) * 1000), int(pause_s * 1000),
                    int(self._valid_until > float("-inf")),
                ],
            )  # fmt: skip
        except StoreUnavailable:
            self._held = min(self._held, in_use)  # it may have been done all the same
            self._asked = (0, 0, 0)
            raise
        finally:
            self._ceiling = None
        self._held, self._target, self._crowd = held, target, bool(crowd)
        self.width.value = float(width)
        self._valid_until = began + self._link.lease_ms / 1000  # counted from before the asking: rather too short
        for lease in self._under_way:
            if not lease.expired():
                lease.reschedule(self._valid_until)
        if pausing_ms > 0:
            super().pause(pausing_ms / 1000)
        self.admit()

    def _turn_away(self, error: StoreUnavailable) -> None:
        """Fail those who wait: without a lease nobody may go, and nobody knows for how long."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.ready.done():
                waiter.ready.set_exception(StoreUnavailable(error.message, source=error.source))

    async def _keep_pace(self) -> None:
        if self.terms.per_second is None:
            return
        args = ["", 1000 / self.terms.per_second, self.terms.burst]
        wait_ms = await self._link.run(scripts.PACE, [keys.pace(self._host)], args)
        await asyncio.sleep(wait_ms / 1000)
