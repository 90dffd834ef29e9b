"""The days of a season and the condition of each: what backfills skip, what the calendar shows, what `status` says."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import days_between
from backstop.lake import lease
from backstop.lake.states import State
from backstop.stages.schedules import SEASON_CLOSES, SEASON_OPENS, finished_games, is_to_be_played

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstop.lake.ledger import Entry
    from backstop.stages.house import House


class Condition(StrEnum):
    """How far the slate of a day is."""

    COMPLETE = "complete"
    DEGRADED = "degraded"
    EMPTY = "empty"
    FAILED = "failed"
    RUNNING = "running"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Day:
    """One day's slate.

    Attributes:
        day: The baseball day.
        condition: How far it is.
        props: Rows published, 0 when none are.
        reason: Why it is not complete; empty when it is.
        run_id: The run that closed it last; null when none did.
        closed_at: When it was closed last, UTC; null when it never was.
        attempts: Runs that have worked on it since it was last done.
    """

    day: dt.date
    condition: Condition
    props: int = 0
    reason: str = ""
    run_id: str | None = None
    closed_at: dt.datetime | None = None
    attempts: int = 0


def of_range(house: House, first: dt.date, last: dt.date) -> list[Day]:
    """Return every day from `first` to `last`, both included, by two queries of the ledger."""
    keys = [day.isoformat() for day in days_between(first, last)]
    return _conditions(house, keys)


def of_seasons(house: House, last: dt.date) -> list[Day]:
    """Return the days of every season that is kept, up to `last`."""
    spans = (
        days_between(dt.date(year, *SEASON_OPENS), min(dt.date(year, *SEASON_CLOSES), last))
        for year in range(house.settings.history_first_season, last.year + 1)
    )
    return _conditions(house, [day.isoformat() for span in spans for day in span])


def in_season(day: dt.date) -> bool:
    """Return whether games that count can be played on a day.

    >>> in_season(dt.date(2025, 12, 24))
    False
    """
    return SEASON_OPENS <= (day.month, day.day) <= SEASON_CLOSES


def count(days: Iterable[Day]) -> dict[Condition, int]:
    """Return how many days are in each condition; conditions without a day are left out."""
    return dict(Counter(day.condition for day in days))


def _conditions(house: House, keys: list[str]) -> list[Day]:
    props = {entry.key: entry for entry in house.ledger.entries(tables.PROPS.name, keys)}
    off = {entry.key for entry in house.ledger.entries(tables.GAMES.name, keys, states=[State.EMPTY_OK])}
    closed = [key for key, entry in props.items() if entry.state is State.EMPTY_OK and key not in off]
    for key in _with_games_since(house, closed):
        del props[key]
    now = house.clock.now()
    return [_day(key, props.get(key), key in off, now) for key in keys]


def _with_games_since(house: House, closed: list[str]) -> list[str]:
    """Return which of the days that were closed as empty have games to play and a past to project them from.

    A day that is asked for before its games are listed is honestly empty, until they are.
    """
    days = sorted(map(dt.date.fromisoformat, closed))
    if not days:
        return []
    listed = house.lake.scan(tables.GAMES.name, days[0], days[-1]).filter(is_to_be_played())
    playing = {*listed.select(pl.col("game_date").unique()).collect()["game_date"]} & {*days}
    first = finished_games(house, max(playing))["game_date"].min() if playing else None
    return [day.isoformat() for day in playing if isinstance(first, dt.date) and first < day]


def _day(key: str, entry: Entry | None, off: bool, now: dt.datetime) -> Day:
    day = dt.date.fromisoformat(key)
    if off or (entry is None and not in_season(day)):
        return Day(day, Condition.EMPTY, reason="no games" if off else "out of season")
    if entry is None or entry.state is State.EXPECTED:
        return Day(day, Condition.MISSING, reason="never published")
    condition, reason = _condition(entry, now)
    props = entry.rows_loaded or 0
    return Day(day, condition, props, reason, entry.run_id, entry.closed_at, entry.attempts)


def _condition(entry: Entry, now: dt.datetime) -> tuple[Condition, str]:
    if entry.state is State.COMPLETE:
        return Condition.COMPLETE, ""
    if entry.state is State.EMPTY_OK:
        return Condition.EMPTY, entry.reason or "no games"
    if entry.state is State.DEGRADED:
        return Condition.DEGRADED, entry.reason or ""
    if entry.state is State.RUNNING and not is_dead(entry, now):
        return Condition.RUNNING, f"run {entry.run_id} works on it"
    if entry.state is State.RUNNING:
        return Condition.FAILED, f"run {entry.run_id} died before it was published"
    return Condition.FAILED, entry.reason or str(entry.state)


def is_dead(entry: Entry, now: dt.datetime) -> bool:
    """Return whether the run that holds a key has ended without closing it, or has been silent for its whole lease."""
    if entry.lease_until is None or entry.lease_until <= now:
        return True
    return entry.lease_owner is not None and lease.is_gone(entry.lease_owner)
