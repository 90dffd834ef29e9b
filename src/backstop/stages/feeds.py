"""Feeds: what is known of each feed now, over all workers, without asking any of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstop.net.meter import Counts

if TYPE_CHECKING:
    from backstop.net.health import FeedHealth
    from backstop.stages.house import House


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed's state and what was counted of it.

    Attributes:
        health: Breaker, gate, last success, credits; shared by all workers where there is a Redis.
        counts: Totals of all workers; of this process alone without Redis.
    """

    health: FeedHealth
    counts: Counts

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, instants as they are: one level, the counts under `counts`."""
        return {**dataclasses.asdict(self.health), "counts": dataclasses.asdict(self.counts)}


def status(house: House) -> list[FeedStatus]:
    """Return the state of every feed; none when answers are replayed from an archive.

    Opening the network room asks no feed anything and takes no slot of a gate.

    Raises:
        StoreUnavailable: the Redis that the settings name cannot be reached.
    """
    totals = house.bridge.totals()
    return [FeedStatus(health, totals.get(health.feed, Counts())) for health in house.bridge.health()]


def addresses(house: House) -> list[tuple[str, dt.datetime]]:
    """Return the addresses that were asked within a week, newest first: the demo server has another one every time.

    Raises:
        StoreUnavailable: the Redis that the settings name cannot be reached.
    """
    return [(host, dt.datetime.fromtimestamp(at, dt.UTC)) for host, at in house.bridge.hosts()]
