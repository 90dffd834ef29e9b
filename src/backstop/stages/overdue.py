"""Whether readers wait for a slate that should have come: by the rules of `due`, and some patience.

The question behind the alert that wakes somebody, and behind `backstop status`. Nobody is owed anything on an off day,
in winter, after the last first pitch, or while an operator holds a version.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.clock import EASTERN, baseball_day
from backstop.stages import allowance, days, due, lineups, plan, schedules, second
from backstop.stages.days import Condition

if TYPE_CHECKING:
    from backstop.stages.days import Day
    from backstop.stages.house import House
    from backstop.store.views import SlateView

LATE_BEFORE: Final = dt.timedelta(minutes=30)
"""A slate that is not published so long before its first pitch is late: whoever reads it has to act by then."""

PATIENCE: Final = dt.timedelta(minutes=15)
"""What a refresh may be late: the next look, the run itself, and a failed try with its pause."""

FIRST_RUN_TAKES: Final = dt.timedelta(hours=1)
"""A slate's first run may fetch whole seasons; after its time limit it is over."""

SCHEDULE_KNOWN_BY_HOUR: Final = 11
"""Eastern: the earliest first pitches of a season; by then the day's games are known or nobody asks for them."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """What should have come by now.

    Attributes:
        day: Today, the baseball day.
        slate: Why readers of today's slate are owed a newer one, a sentence; empty when they are not.
        schedule: Why today's schedule should have been asked for again; empty when it is new enough.
        credits: Why today's prices cannot be asked for although there is a key; empty when they can.
    """

    day: dt.date
    slate: str = ""
    schedule: str = ""
    credits: str = ""


def look(house: House) -> Overdue:
    """Return what is overdue; a house in which nothing was ever done owes nothing.

    Raises:
        BackstopError: ledger, lake or Redis cannot be asked.
    """
    now = house.clock.now()
    today = baseball_day(now)
    if not house.has_ledger:
        return Overdue(today)
    (day,) = days.of_range(house, today, today)
    slate = of_slate(house, day, house.reader.slate(today), now)
    return Overdue(today, slate, of_schedule(house, now), of_credits(house, now))


def of_schedule(house: House, now: dt.datetime) -> str:
    """Return why today's schedule should have been asked for again; out of season nobody needs to."""
    today = baseball_day(now)
    if not days.in_season(today) or not due.calendar_is_old(house, now):
        return ""
    return f"The schedule of {today} is due; `reconcile` asks for it, is a worker running?"


def of_credits(house: House, now: dt.datetime) -> str:
    """Return why today's prices cannot be asked for although there is a key and games are to begin."""
    today = baseball_day(now)
    if plan.quotes_wanted(house) or due.prices_every(house, now) is not None:
        return ""
    known = {feed: allowance.left(house, feed) for feed in sorted(second.keys(house.settings), reverse=True)}
    left = " and ".join(f"{number} credits of {feed}" for feed, number in known.items() if number is not None)
    return f"{left} are left, too few for the prices of {today} and of the days after it."


def of_slate(house: House, day: Day, served: SlateView, now: dt.datetime) -> str:
    """Return why readers of a day's slate are owed a newer one, empty when they are not."""
    games = schedules.games_of(house, day.day)
    if games.is_empty():
        return _unknown(house, day, now)
    to_begin = games.filter(pl.col("start_at") > now).height
    if not to_begin or served.pinned:
        return ""
    if served.published_at is None:
        return _unpublished(house, day, games, now)
    if day.condition is Condition.FAILED:
        return f"The slate of {day.day} failed after it was published, and {to_begin} of its games are still to begin."
    if late := of_prices(house, served, to_begin, now):
        return late
    # also in the pause after a refresh that could not have them: readers wait all the same
    owed = None if day.condition in {Condition.RUNNING, Condition.EMPTY} else lineups.owed(house, day, now)
    return f"The slate of {day.day} is due: {owed.reason}." if owed else ""


def of_prices(house: House, served: SlateView, to_begin: int, now: dt.datetime) -> str:
    """Return why a published slate's prices are too old; empty where no key or no credits are left to ask with."""
    if not to_begin or served.pinned or served.published_at is None or plan.quotes_wanted(house):
        return ""
    every = due.prices_every(house, now)
    age = now - served.published_at
    if every is None or age <= every + PATIENCE:
        return ""
    return (
        f"The slate of {served.day} is {_minutes(age)} old, prices are due every {_minutes(every)}, "
        f"and {to_begin} of its games are still to begin."
    )


def _unknown(house: House, day: Day, now: dt.datetime) -> str:
    """Return that the games of a day in season are not known although they could be under way."""
    early = now.astimezone(EASTERN).hour < SCHEDULE_KNOWN_BY_HOUR
    if early or day.condition is not Condition.MISSING or house.ledger.entry(tables.GAMES.name, day.day.isoformat()):
        return ""
    return f"The schedule of {day.day} is not known; `reconcile` asks for it, is a worker running?"


def _unpublished(house: House, day: Day, games: pl.DataFrame, now: dt.datetime) -> str:
    first = games["start_at"].min()
    assert isinstance(first, dt.datetime)  # noqa: S101 - the column's type
    if day.condition is Condition.EMPTY or _is_first_run(house, day, now):
        return ""
    if now > first - LATE_BEFORE:
        return late(day, games)
    if day.condition is Condition.FAILED:
        return f"The slate of {day.day} failed and was never published: {day.reason}."
    run = due.slate(house, day, now)
    return f"The slate of {day.day} is due: {run.reason}." if run else ""


def late(day: Day, games: pl.DataFrame) -> str:
    """Say that a slate is not there although its games begin."""
    first = schedules.first_pitch(games)
    begins = (
        "the start of its first game is to be determined"
        if first is None
        else f"its first game begins at {eastern(first)}"
    )
    return f"The slate of {day.day} is {day.condition}; {begins}."


def _is_first_run(house: House, day: Day, now: dt.datetime) -> bool:
    entry = house.ledger.entry(tables.PROPS.name, day.day.isoformat())
    return (
        day.condition is Condition.RUNNING
        and day.attempts == 1
        and entry is not None
        and entry.begun_at is not None
        and now - entry.begun_at < FIRST_RUN_TAKES
    )


def eastern(instant: dt.datetime) -> str:
    """Write the time of day as clubs announce it.

    >>> eastern(dt.datetime(2025, 6, 15, 17, 5, tzinfo=dt.UTC))
    '13:05 Eastern'
    """
    return f"{instant.astimezone(EASTERN):%H:%M} Eastern"


def _minutes(span: dt.timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
