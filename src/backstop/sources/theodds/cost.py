"""What prices cost on The Odds API, before they are asked for: the sum of the requests that would be made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from backstop.net.item import Item
from backstop.settings import Feed
from backstop.sources.theodds import events, props

FULL_DAY: Final = 15
"""Games of a day on which every club plays once; assumed as long as the schedule of the day is not known."""

HISTORY_HOUR_UTC: Final = 16
"""Noon Eastern, before any first pitch: the instant at which a past day's events are looked up."""


@dataclass(frozen=True)
class Estimate:
    """Credits of a plan, of the odds feed or of another paid one.

    Attributes:
        requests: Paid and free requests to the feed.
        most: Credits if every market asked is returned; an empty answer costs nothing.
        by_table: Credits per table.
        feed: Whose credits.
    """

    requests: int
    most: int
    by_table: tuple[tuple[str, int], ...]
    feed: Feed = Feed.THEODDS

    def sentence(self, *, left: int | None = None, floor: int = 0) -> str:
        """Say it in words, with what would remain."""
        said = f"{self.feed.value}: {self.requests} requests, at most {self.most} credits"
        if left is None:
            return f"{said}; how many are left is not known yet."
        remain = left - self.most
        verdict = "within" if remain >= floor else "NOT within"
        return f"{said} of {left}, {verdict} the floor of {floor}."


def estimate(items: Iterable[Item]) -> Estimate:
    """Add up what the items of the paid feed cost at most; items of other feeds are left out."""
    by_table: dict[str, int] = {}
    requests = 0
    for item in items:
        if item.feed is Feed.THEODDS:
            requests += 1
            by_table[item.table] = by_table.get(item.table, 0) + item.credits
    return Estimate(requests, sum(by_table.values()), tuple(sorted(by_table.items())))


def of_day(day: dt.date, games: int, markets: Sequence[str], *, past: bool) -> Estimate:
    """Return what the prices of a day's games cost at most: one list of events, one request per game.

    Args:
        day: The baseball day.
        games: How many are to be priced.
        markets: Keys that are asked of each.
        past: Whether the day is over: its prices come from the archive of the feed, which costs more.
    """
    at = history_instant(day)
    listed = pl.DataFrame({"event_id_theodds": ["any"] * games, "commence_at": [at] * games})
    prices = props.plan(listed, markets, "commence" if past else None) if games else []
    return estimate([*events.plan(day, at if past else None), *prices])


def history_instant(day: dt.date) -> dt.datetime:
    """Return the instant at which the events of a day that is over are looked up."""
    return dt.datetime.combine(day, dt.time(HISTORY_HOUR_UTC), dt.UTC)
