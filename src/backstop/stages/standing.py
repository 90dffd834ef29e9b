"""Are we all right? The season's slates, today's, the feeds, quarantine and the last runs, in one look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from backstop import tables
from backstop.clock import baseball_day
from backstop.errors import BackstopError
from backstop.lake.states import State
from backstop.stages import days, feeds, overdue, schedules
from backstop.stages.days import Condition, Day
from backstop.store.views import SlateView
from backstop.store.views import State as Served

if TYPE_CHECKING:
    from backstop.stages.feeds import FeedStatus
    from backstop.stages.house import House

T = TypeVar("T")

RECENT_DAYS: Final = 7
"""Days before today that are looked at one by one."""

LAST_CLOSED: Final = 5


@dataclass(frozen=True)
class Standing:
    """How things stand.

    Attributes:
        at: The instant of the look, UTC.
        season: Days of the running season by condition.
        recent: The last days, oldest first, today last.
        slate: What readers are served today; null when Redis does not answer.
        games: Games of today that count.
        first_pitch_at: Start of today's first game; null on an off day, and where none is determined yet.
        feeds: Each feed's state; empty when it cannot be told.
        quarantine: Open rows by table.
        closed: What was closed last in the ledger, newest first: table, key, state, run.
        problems: What somebody should look at, a sentence each; empty when all is right.
    """

    at: dt.datetime
    season: dict[Condition, int]
    recent: list[Day]
    slate: SlateView | None
    games: int
    first_pitch_at: dt.datetime | None
    feeds: list[FeedStatus]
    quarantine: dict[str, int]
    closed: list[tuple[str, str, State, str | None]]
    problems: list[str]


def look(house: House) -> Standing:
    """Return how things stand; what cannot be reached is a problem among the others, not an error."""
    now, problems = house.clock.now(), list[str]()
    today = baseball_day(now)
    recent = days.of_range(house, today - dt.timedelta(days=RECENT_DAYS), today)
    games = schedules.games_of(house, today)
    served = _reached(lambda: house.reader.slate(today), problems)
    known_feeds = _reached(lambda: feeds.status(house), problems) or []
    problems += _nothing(house)
    problems += _wrong(house, recent, today)
    problems += _today(house, recent[-1], served, games, now)
    problems += _schedule(house, now)
    problems += [_down(each) for each in known_feeds if each.health.breaker != "closed"]
    return Standing(
        at=now,
        season=days.count(each for each in days.of_seasons(house, today) if each.day.year == today.year),
        recent=recent,
        slate=served,
        games=games.height,
        first_pitch_at=schedules.first_pitch(games),
        feeds=known_feeds,
        quarantine=dict(house.quarantine.list().group_by("table").len().sort("table").iter_rows()),
        closed=_closed(house),
        problems=problems,
    )


def _reached(ask: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return ask()
    except BackstopError as error:
        problems.append(error.message)
        return None


def _nothing(house: House) -> list[str]:
    """Return that nothing was ever loaded: out of season no day would be missed."""
    if house.ledger.entries(tables.PROPS.name) or house.ledger.entries():
        return []
    made = "`backstop refresh DAY` publishes the slate of a day, `backstop backfill FIRST LAST` those of past days"
    other = "What another home has is shown once BACKSTOP_HOME names it."
    return [f"Nothing has been loaded yet into {house.settings.home}: {made}. {other}"]


def _wrong(house: House, recent: list[Day], today: dt.date) -> list[str]:
    """Return what is wrong with the last days: failed, never published, or not even known to have games."""
    wrong = [f"The slate of {each.day} failed: {each.reason}" for each in recent if each.condition is Condition.FAILED]
    missing = [each.day for each in recent if each.condition is Condition.MISSING]
    unknown = [day for day in missing if house.ledger.entry(tables.GAMES.name, day.isoformat()) is None]
    wrong += [
        f"The slate of {day} was never published; `backstop backfill {day} {day}` does it."
        for day in missing
        if day < today and day not in unknown
    ]
    if unknown:
        span = f"{unknown[0]}" if len(unknown) == 1 else f"{len(unknown)} days from {unknown[0]} to {unknown[-1]}"
        wrong.append(f"The schedule of {span} is not known; `reconcile` asks for it, is a worker running?")
    return wrong


def _today(house: House, day: Day, served: SlateView | None, games: pl.DataFrame, now: dt.datetime) -> list[str]:
    """Return what is wrong with today's slate: late, or due for so long that whoever should make it is not there."""
    first = games["start_at"].min()
    if not isinstance(first, dt.datetime):
        return []
    published = day.condition in {Condition.COMPLETE, Condition.DEGRADED}
    if not published and now > first - overdue.LATE_BEFORE:
        return [overdue.late(day, games)]
    to_begin = games.filter(pl.col("start_at") > now).height
    if not to_begin or (served is None and published) or (day.condition is Condition.FAILED and not published):
        return []  # nobody is owed anything; or it cannot be told; or that it failed is said among the last days
    if served is not None and published and served.published_at is None:
        again = f"`backstop redis rebuild --slate {day.day}` loads it from the lake"
        return [f"The slate of {day.day} is {day.condition} by the ledger, and Redis serves none; {again}."]
    view = served or SlateView(day.day, Served.MISSING)
    problems = list[str]()
    late = _reached(lambda: overdue.of_prices(house, view, to_begin, now), problems)
    late = late or _reached(lambda: overdue.of_slate(house, day, view, now - overdue.PATIENCE), problems)
    return [late] if late else problems


def _schedule(house: House, now: dt.datetime) -> list[str]:
    """Return that today's schedule is known and was to be asked for again long ago."""
    if house.ledger.entry(tables.GAMES.name, baseball_day(now).isoformat()) is None:
        return []  # said among the last days
    late = overdue.of_schedule(house, now - overdue.PATIENCE)
    return [late] if late else []


def _down(feed: FeedStatus) -> str:
    health = feed.health
    why = f": {health.last_error}" if health.last_error else ""
    return f"The breaker of {health.feed} is {health.breaker}, asked again in {health.retry_in_s:.0f} s{why}"


def _closed(house: House) -> list[tuple[str, str, State, str | None]]:
    """Return what was closed last."""
    watched = [each for table in (tables.PROPS.name, tables.PITCHES.name) for each in house.ledger.entries(table)]
    done = sorted((each for each in watched if each.closed_at is not None), key=lambda each: str(each.closed_at))
    return [(each.table, each.key, each.state, each.run_id) for each in reversed(done[-LAST_CLOSED:])]
