"""Credits of paid feeds: reserved before a request, settled by the feed's own word, never spent below a floor.

What a feed says is left is the truth; what is reserved by requests under way is taken off it. As long as a feed never
said anything, nothing is refused: its first answer tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backstop.errors import OutOfCredits
from backstop.net import keys, scripts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from backstop.clock import Clock
    from backstop.net.item import Item
    from backstop.net.link import Link
    from backstop.settings import Feed, Settings

MONTH_MS: Final = 32 * 24 * 3600 * 1000
"""Credits are counted by the month, so the count is kept a little longer than one."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A paid feed's word about credits.

    Attributes:
        left: Credits that remain.
        used: Credits used in this month; orders answers that overtake each other.
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
        return Balance(left, used)
    current, allotted = _number(headers, "x-plan-quota-current"), _number(headers, "x-plan-quota-allotted")
    if current is not None and allotted is not None:
        return Balance(allotted - current, current)
    return None


def estimate(items: Iterable[Item]) -> dict[Feed, int]:
    """Return the credits that items cost at most, by feed; feeds that cost nothing are left out."""
    costs: dict[Feed, int] = {}
    for item in items:
        if item.credits:
            costs[item.feed] = costs.get(item.feed, 0) + item.credits
    return costs


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
        clock: Says the month.
        left: Credits left by the feed's word; null when it never said.
    """

    feed: Feed
    floor: int
    clock: Clock
    left: int | None = None
    _used: int = 0
    _month: str = ""
    _reserved: dict[str, int] = field(default_factory=dict)
    _names: itertools.count[int] = field(default_factory=itertools.count)

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
            await self._settle(word, f"{self.clock.now():%Y-%m}")

    async def _reserve(self, item: Item) -> str:
        reserved = sum(self._reserved.values())
        if self.left is not None and self.left - reserved - item.credits < self.floor:
            raise self._refused(item, self.left, reserved)
        name = str(next(self._names))
        self._reserved[name] = item.credits
        return name

    async def _release(self, name: str) -> None:
        self._reserved.pop(name, None)

    async def _settle(self, word: Balance, month: str) -> None:
        if month > self._month or (month == self._month and word.used >= self._used):
            self.left, self._used, self._month = word.left, word.used, month

    def _refused(self, item: Item, left: int, reserved: int) -> OutOfCredits:
        return OutOfCredits(
            f"{item.table} {item.key} costs up to {item.credits} credits of {self.feed.value}; {left} are left, "
            f"{reserved} of them reserved, and {self.floor} are never spent. Wait for the reset on the 1st, ask for "
            "fewer markets or lower BACKSTOP_CREDIT_FLOOR.",
            source=self.feed.value,
        )


class SharedBudget(Budget):
    """The credits of one feed's account, shared by all workers through Redis.

    Args:
        feed: Whose credits.
        settings: Hold the floor and the key that names the account.
        clock: Says the month.
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
        _, left, _ = await self._link.run(scripts.RESERVE, self._keys, ["", "", 0, self.floor, self._life_ms])
        self.left = None if left < 0 else left

    async def _reserve(self, item: Item) -> str:
        name = f"{self._link.worker}-{next(self._names)}"
        args = ["", name, item.credits, self.floor, self._life_ms]
        granted, left, reserved = await self._link.run(scripts.RESERVE, self._keys, args)
        self.left = None if left < 0 else left
        if not granted:
            raise self._refused(item, left, reserved)
        return name

    async def _release(self, name: str) -> None:
        await self._link.run(scripts.SETTLE, self._keys, [name, "", "", "", MONTH_MS])

    async def _settle(self, word: Balance, month: str) -> None:
        left = await self._link.run(scripts.SETTLE, self._keys, ["", word.left, word.used, month, MONTH_MS])
        self.left = None if left < 0 else left
