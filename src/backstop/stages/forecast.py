"""Forecast: the requests that a refresh of a day would make, and what they cost at most, before anything is asked."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstop import tables
from backstop.clock import baseball_day
from backstop.settings import Feed
from backstop.sources.sportradar import playerprops
from backstop.sources.theodds import cost, events
from backstop.sources.theodds.cost import FULL_DAY
from backstop.stages import allowance, plan, schedules

if TYPE_CHECKING:
    from backstop.stages.house import House


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests for one table.

    Attributes:
        table: That they fill.
        feed: That answers them.
        requests: How many.
        credits: What they cost at most on a paid feed.
        note: Where the number comes from, when it is not certain.
    """

    table: str
    feed: str
    requests: int
    credits: int = 0
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self)


def forecast(house: House, day: dt.date) -> tuple[list[Asked], str]:
    """Return the requests by table, and a sentence on the credits.

    Raises:
        UsageError: there can be no slate of the day.
    """
    plan.check_day(house, day)
    known = day in house.lake.days(tables.GAMES.name)
    games = schedules.games_of(house, day).height if known else FULL_DAY
    guess = "" if known else f"assuming {FULL_DAY} games: the schedule of the day is not in the lake yet"
    months = sum(map(len, plan.schedule_batches(house, day)))
    known_days = sum(map(len, plan.pitch_batches(house, day)))
    lacking = len(house.ledger.missing(tables.GAMES.name, _history_keys(house, day)))
    more = f"and up to {lacking:,} days whose schedule is not known yet" if lacking else ""
    asked = [
        Asked(tables.GAMES.name, Feed.STATSAPI, months),
        Asked(tables.PITCHES.name, Feed.SAVANT, known_days, note=more),
        Asked(tables.BOX.name, Feed.STATSAPI, games, note=guess),
    ]
    reason = plan.quotes_wanted(house, day)
    if reason or not games:
        return asked, f"{reason or f'{day} has no games that count'}: no credits are spent."
    return _with_prices(house, day, asked, games, guess)


def _with_prices(house: House, day: dt.date, asked: list[Asked], games: int, guess: str) -> tuple[list[Asked], str]:
    past = day < baseball_day(house.clock.now())
    most = cost.of_day(day, games, plan.markets_of(house.settings), past=past)
    by_table = dict(most.by_table)
    choice = allowance.choose(house, day, games, plan.markets_of(house.settings))
    if choice.feed is Feed.SPORTRADAR and not past:
        pages = -(-games // playerprops.PAGE_EVENTS)
        most = cost.Estimate(pages, pages, ((playerprops.TABLE, pages),), Feed.SPORTRADAR)
        told = most.sentence(left=allowance.left(house, choice.feed), floor=house.settings.credit_floor)
        return [*asked, Asked(playerprops.TABLE, choice.feed, pages, pages, note=guess)], f"{choice.sentence()}. {told}"
    prices = [
        Asked(events.TABLE, Feed.THEODDS, most.requests - games, by_table[events.TABLE]),
        Asked(
            tables.QUOTES.name, Feed.THEODDS, games, by_table[tables.QUOTES.name],
            guess or "an event or two more or less is usual",
        ),
    ]  # fmt: skip
    left = allowance.left(house)
    return [*asked, *prices], most.sentence(left=left, floor=house.settings.credit_floor)


def _history_keys(house: House, day: dt.date) -> list[str]:
    return [each.isoformat() for each in schedules.season_days(house.settings.history_first_season, day)]
