"""Credits that paid feeds have left, spread over the days that they have to last: who is asked for prices, how often.

The Odds API counts by the calendar month in which it is asked, of whichever slate: what is left above the floor lasts
to its end. SportRadar does not tell on which day its plan begins anew: what it has left lasts for a whole plan.
"""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Final

from backstop.settings import Feed
from backstop.sources.failover import ORDER, Purpose
from backstop.sources.sportradar import playerprops
from backstop.sources.theodds import cost, events
from backstop.stages import second

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from backstop.sources.failover import Choice
    from backstop.stages.house import House

PLAN_DAYS: Final = 30
"""Days of a SportRadar plan."""


def choose(house: House, day: dt.date, games: int, markets: Sequence[str]) -> Choice:
    """Choose who is asked for the prices of a day to come.

    The Odds API as long as its credits pay one refresh a day to the end of the month, SportRadar where they do not and
    its key is set.

    Args:
        house: The opened rooms.
        day: Today or tomorrow.
        games: How many are to be priced.
        markets: Keys that are asked of each.
    """
    most = cost.of_day(day, games, markets, past=False).most
    return second.choose(house, Purpose.ODDS, credits_needed=most, days=_days_left(house, Feed.THEODDS))


def asked(house: House, day: dt.date, games: int, markets: Sequence[str]) -> Feed:
    """Return the feed whose credits say when prices are asked for next: the chosen one, or who had to stand in for it.

    Where none can answer now, the first one with a key. Whoever stood in the last time, as for a key that is refused,
    will have to again; while its credits last they are spread too.
    """
    choice, keys = choose(house, day, games, markets), second.keys(house.settings)
    if not choice.usable:
        return next((feed for feed in ORDER[Purpose.ODDS] if feed in keys), choice.feed)
    if Feed.SPORTRADAR in keys and _stood_in(house, day):
        return choice.feed if refreshes(house, Feed.SPORTRADAR, day, games, markets) == 0 else Feed.SPORTRADAR
    return choice.feed


def refreshes(house: House, feed: Feed, day: dt.date, games: int, markets: Sequence[str]) -> int | None:
    """Return how many refreshes of the prices a day's share of a feed's credits pays.

    Returns:
        The number; `None` when the feed never told what is left.
    """
    known = left(house, feed)
    if known is None:
        return None
    share = max(known - house.settings.credit_floor, 0) / _days_left(house, feed)
    if feed is Feed.SPORTRADAR:
        return int(share / -(-games // playerprops.PAGE_EVENTS))
    return int(share / cost.of_day(day, games, markets, past=False).most)


def left(house: House, feed: Feed = Feed.THEODDS) -> int | None:
    """Return a paid feed's own last word on its credits, `None` when it gave none in this period."""
    known = [each.credits_left for each in house.bridge.health() if each.feed == feed]
    return known[0] if known else None


def _stood_in(house: House, day: dt.date) -> bool:
    """Return whether SportRadar gave the newest answer about a day's prices."""
    preferred, other = (house.archive.newest(plan(day)[0]) for plan in (events.plan, playerprops.plan))
    return other is not None and (preferred is None or preferred.fetched_at < other.fetched_at)


def _days_left(house: House, feed: Feed) -> int:
    """Return the days that a feed's credits have to last, this one included: to the end of the month by UTC."""
    if feed is Feed.SPORTRADAR:
        return PLAN_DAYS
    now = house.clock.now()
    return calendar.monthrange(now.year, now.month)[1] - now.day + 1
