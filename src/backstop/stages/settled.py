"""When a day's statistics are final: scorers correct a day overnight, and its pitches are complete two days later."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.clock import EASTERN
from backstop.lake.states import State
from backstop.stages import schedules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.house import House

MORNING_HOUR: Final = 9
"""Eastern: scoring changes of the night are in the morning's box scores."""

SETTLED_AFTER: Final = dt.timedelta(days=2)
"""Next-morning Savant days lack games, intentional walks and automatic balls; two days later they are whole."""


def morning_after(day: dt.date) -> dt.datetime:
    """Return the instant from which a day's box scores are worth grading by.

    >>> morning_after(dt.date(2025, 7, 1)).isoformat()
    '2025-07-02T09:00:00-04:00'
    """
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(MORNING_HOUR), EASTERN)


def settled_at(day: dt.date) -> dt.datetime:
    """Return the instant from which what the feeds say of a day is whole.

    >>> settled_at(dt.date(2025, 7, 1)).isoformat()
    '2025-07-04T09:00:00-04:00'
    """
    return morning_after(day) + SETTLED_AFTER


NOT_OVER: Final = "not over"
"""How `not_over` ends: what the ledger says of a grade that waits for a game."""


def not_over(house: House, day: dt.date) -> str:
    """Return which of a day's games are not over by the schedule, in words that change with them; empty when all are.

    A suspended game stays under its day until it is resumed, weeks later at times.
    """
    games = schedules.games_of(house, day)
    over = (pl.col("abstract_status") == "Final").fill_null(value=False)
    left = games.filter(~over)["game_pk"].sort().to_list()
    if not left:
        return ""
    which = ", ".join(map(str, left))
    return f"games {which} are {NOT_OVER}" if len(left) > 1 else f"game {which} is {NOT_OVER}"


def without_scores(house: House, days: Sequence[dt.date]) -> list[dt.date]:
    """Return the days whose line-ups and box scores the lake lacks, has with gaps, or got before they were whole."""
    kept = [_closed_when_whole(house, table, days) for table in (tables.PLAYERS.name, tables.BOX.name)]
    return [day for day in days if not all(day in each for each in kept)]


def knows_line_ups(house: House, day: dt.date) -> bool:
    """Return whether the lake has what there is to know of a day's line-ups, with gaps or without."""
    return day in _closed_when_whole(house, tables.PLAYERS.name, [day], State.COMPLETE, State.DEGRADED)


def _closed_when_whole(house: House, table: str, days: Sequence[dt.date], *states: State) -> set[dt.date]:
    closed = house.ledger.entries(table, [day.isoformat() for day in days], states=states or [State.COMPLETE])
    by_day = {dt.date.fromisoformat(entry.key): entry.closed_at for entry in closed}
    whole = {day for day, at in by_day.items() if at is not None and at >= settled_at(day)}
    return whole & house.lake.days(table)
