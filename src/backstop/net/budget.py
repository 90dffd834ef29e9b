"""Credits of paid feeds: reserved before a request, settled by the feed's own word, never spent below a floor.

What a feed says is left is the truth; what is reserved by requests under way is taken off it. As long as a feed never
said anything, nothing is refused: its first answer tells. A word of an earlier period is none, for credits come back
with the next one: The Odds API counts by the calendar month. SportRadar counts from the day on which a plan began,
which it does not tell, so its word holds until the week is over; one request may then spend of the floor to learn more.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backstop.errors import OutOfCredits, StoreUnavailable
from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.net import keys, scripts
from backstop.settings import Feed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from backstop.clock import Clock
    from backstop.net.item import Item
    from backstop.net.link import Link
    from backstop.settings import Settings

MONTH_MS: Final = 32 * 24 * 3600 * 1000
"""Credits are counted by the month, so the count is kept a little longer than one."""

OVERTAKING: Final[dict[Feed, int]] = {Feed.SPORTRADAR: MAX_IN_FLIGHT_PER_HOST}
"""Credits that an answer can lie behind one that came before it: one for each request under way. Fewer used than that
is a plan that began anew within the week. The other feeds' periods are those of the calendar."""

RESET: Final[dict[Feed, str]] = {Feed.SPORTRADAR: "its plan to begin anew"}
"""What is waited for, where it is not the first of the month."""

_NEVER: Final = 10**12


@dataclass(frozen=True, slots=True)
class Balance:
    """A paid feed's word about credits.

    Attributes:
        left: Credits that remain.
        used: Credits used in this period; orders answers that overtake each other.
    """

    left: int
    used: int


def balance(headers: Mapping[str, str]) -> Balance | None:
    """Read what an answer says about credits; `None` when it says nothing, as most errors do.

    The Odds API counts `x-requests-remaining` and `x-requests-used`, SportRadar `x-plan-quota-current` of
    `x-plan-quota-allotted`.
    """
    left, used = _number(headers, "x-requests-remaining"), _number(headers, "x-requests-used")
    if left is not None and used is not None:
        return Balance(max(left, 0), used)
    current, allotted = _number(headers, "x-plan-quota-current"), _number(headers, "x-plan-quota-allotted")
    if current is not None and allotted is not None:
        return Balance(max(allotted - current, 0), current)  # what is over the plan is not owed
    return None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    try:
        return int(float(text)) if text else None  # some plans are told as `498.0`
    except ValueError:
        return None


@dataclass
class Budget:
    """The credits of one feed, for one process.

    Attributes:
        feed: Whose credits.
        floor: Credits that are never spent.
        clock: Says the period.
    """

    feed: Feed
    floor: int
    clock: Clock
    _left: int | None = None
    _used: int = 0
    _period: str = ""
    _reserved: dict[str, int] = field(default_factory=dict)
    _names: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def left(self) -> int | None:
        """Credits left by the feed's word; null when it said nothing in this period."""
        return self._left if self._period >= self._now() else None

    @contextlib.asynccontextmanager
    async def reserved(self, item: Item) -> AsyncIterator[None]:
        """Hold an item's credits while it is fetched.

        Raises:
            OutOfCredits: too few are left.
        """
        if not item.credits:
            yield
            return
        name = await self._reserve(item)
        try:
            yield
        finally:
            await asyncio.shield(self._release(name))

    async def note(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says about credits."""
        word = balance(headers)
        if word is not None:
            await self._settle(word, self._now())

    def _now(self) -> str:
        """Name the period in which a word of the feed holds; later ones sort behind."""
        now = self.clock.now()
        return f"{now:%G-W%V}" if self.feed is Feed.SPORTRADAR else f"{now:%Y-%m}"

    async def _reserve(self, item: Item) -> str:
        reserved, left = sum(self._reserved.values()), self.left
        if left is not None and left - reserved - item.credits < self.floor:
            raise self._refused(item, left, reserved)
        name = str(next(self._names))
        self._reserved[name] = item.credits
        return name

    async def _release(self, name: str) -> None:
        self._reserved.pop(name, None)

    async def _settle(self, word: Balance, period: str) -> None:
        back = self._used - word.used
        if period > self._period or (period == self._period and (back <= 0 or back > self._overtaking)):
            self._left, self._used, self._period = word.left, word.used, period

    @property
    def _overtaking(self) -> int:
        return OVERTAKING.get(self.feed, _NEVER)

    def _refused(self, item: Item, left: int, reserved: int) -> OutOfCredits:
        what = RESET.get(self.feed, "the reset on the 1st, ask for fewer markets")
        return OutOfCredits(
            f"{item.table} {item.key} costs up to {item.credits} credits of {self.feed.value}; {left} are left, "
            f"{reserved} of them reserved, and {self.floor} are never spent. Wait for {what} or lower "
            "BACKSTOP_CREDIT_FLOOR.",
            source=self.feed.value,
        )


class SharedBudget(Budget):
    """The credits of one feed's account, shared by all workers through Redis.

    Args:
        feed: Whose credits.
        settings: Hold the floor and the key that names the account.
        clock: Says the period.
        link: The line to the other workers.
    """

    def __init__(self, feed: Feed, settings: Settings, clock: Clock, link: Link) -> None:
        super().__init__(feed, settings.credit_floor, clock)
        secret = settings.key_of(feed)
        # the address belongs to the account: credits of the demo server are not those of the feed
        name = f"{feed.value}@{settings.url_of(feed)}"
        self._keys = keys.credits_of(keys.account(name, secret.get_secret_value() if secret else ""))
        self._link = link
        # a reservation outlives its request only when the worker was killed
        self._life_ms = int((settings.request_budget_s + settings.request_timeout_s) * 2000)

    async def open(self) -> None:
        """Learn what is left.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        await self._ask("", 0)

    async def _reserve(self, item: Item) -> str:
        name = f"{self._link.worker}-{next(self._names)}"
        granted, left, reserved = await self._ask(name, item.credits)
        if not granted:
            raise self._refused(item, left, reserved)
        return name

    async def _ask(self, name: str, amount: int) -> tuple[int, int, int]:
        period = self._now()
        args = ["", name, amount, self.floor, self._life_ms, period]
        granted, left, reserved = await self._link.run(scripts.RESERVE, self._keys, args)
        self._know(left, period)
        return granted, left, reserved

    async def _release(self, name: str) -> None:
        with contextlib.suppress(StoreUnavailable):  # the answer is here; the reservation runs out by itself
            await self._link.run(scripts.SETTLE, self._keys, [name, "", "", "", MONTH_MS, self._overtaking])

    async def _settle(self, word: Balance, period: str) -> None:
        args = ["", word.left, word.used, period, MONTH_MS, self._overtaking]
        self._know(await self._link.run(scripts.SETTLE, self._keys, args), period)

    def _know(self, left: int, period: str) -> None:
        self._left, self._period = None if left < 0 else left, period
