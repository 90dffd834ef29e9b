"""What the network room counts, declared once with its meaning; `/health/detailed` shows it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from backstop.errors import StoreUnavailable
from backstop.net import keys, scripts

if TYPE_CHECKING:
    from backstop.net.link import Link

REMEMBERED_MS: Final = 30 * 24 * 3600 * 1000
"""Totals of a feed that nobody asks are known for a month; a counter that begins anew is no news to a scraper."""


@dataclass(slots=True)
class Counts:
    """Totals of one feed since its fetcher opened, in this worker.

    Attributes:
        items: Items asked for, shared ones included.
        requests: Requests put on the wire.
        answers: Complete answers given to callers.
        failures: Items that ended in an error.
        retries: Requests after the first of an item.
        joined: Items that shared another's call, in this worker or another.
        archived: Answers that needed no request: they lay in the archive and cannot change.
        revalidated: Answers whose archived body the feed confirmed (304).
        received_bytes: Decoded content received.
        openings: Times the breaker opened by this worker's requests.
    """

    items: int = 0
    requests: int = 0
    answers: int = 0
    failures: int = 0
    retries: int = 0
    joined: int = 0
    archived: int = 0
    revalidated: int = 0
    received_bytes: int = 0
    openings: int = 0


class SharedCounts:
    """What all workers counted of a feed: each adds what it counted since it last told, at every sign of life.

    Args:
        host: Where the feed is found.
        feed: Its name.
        own: What this worker counts.
        link: The line to the other workers.
    """

    def __init__(self, host: str, feed: str, own: Counts, link: Link) -> None:
        self._host = host
        self._key = keys.counts(host, feed)
        self._own = own
        self._told = Counts()
        self._link = link

    def open(self) -> None:
        """Begin to tell."""
        self._link.every_beat(self.tell)

    async def tell(self) -> None:
        """Add what is new, if anything is.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        if self._own != self._told:
            await self._link.remember(self._host)
            await self.totals()

    async def totals(self) -> Counts:
        """Return what all workers counted, this one up to now.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        now, before = dataclasses.replace(self._own), self._told
        new = {field.name: getattr(now, field.name) - getattr(before, field.name) for field in fields(Counts)}
        args = [part for name, amount in new.items() if amount for part in (name, amount)]
        self._told = now  # before the call: what is told twice would be counted twice, for good
        try:
            flat = await self._link.run(scripts.ADD, [self._key], [REMEMBERED_MS, *args])
        except StoreUnavailable:
            self._told = Counts(**{name: getattr(self._told, name) - amount for name, amount in new.items()})
            raise
        known = {flat[at].decode(): int(flat[at + 1]) for at in range(0, len(flat), 2)}
        return Counts(**{field.name: known.get(field.name, 0) for field in fields(Counts)})
