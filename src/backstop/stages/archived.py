"""Archived: when an archive is replayed, which of the recorded requests answers the one made now.

A home that grew day by day asked for its schedule in other ranges than a run that begins with nothing asks for.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING

from backstop.clock import days_between
from backstop.sources.statsapi import schedule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from backstop.net.archive import Archive
    from backstop.net.item import Item


def schedule_requests(archive: Archive, wanted: Sequence[dt.date]) -> tuple[list[Item], set[dt.date]]:
    """Return the schedule requests that were answered last about each of these days, oldest answer first.

    Args:
        archive: What is replayed.
        wanted: Days whose games are to be known.

    Returns:
        The requests, and the days that they cover; an answer may speak of other days too.
    """
    newest: dict[dt.date, tuple[dt.datetime, Item]] = {}
    for item, days in _candidates(wanted):
        entry = archive.last(item)
        if entry is None:
            continue
        for day in days:
            if day not in newest or newest[day][0] <= entry.fetched_at:
                newest[day] = entry.fetched_at, item
    chosen = {item.fingerprint: (at, item) for at, item in newest.values()}
    return [item for _, item in sorted(chosen.values(), key=lambda each: each[0])], set(newest)


def _candidates(wanted: Sequence[dt.date]) -> Iterator[tuple[Item, list[dt.date]]]:
    """Yield every request that may have been made about the days, each with those of them that it is about."""
    for year, month in sorted({(day.year, day.month) for day in wanted}):
        whole = _month(year, month)
        of_month = {day for day in wanted if (day.year, day.month) == (year, month)}
        for day in sorted(of_month):
            yield schedule.plan_day(day)[0], [day]
        for first in whole:
            for last in whole[first.day - 1 :]:
                if days := _within(of_month, first, last):
                    yield schedule.plan(first, last)[0], days


def _month(year: int, month: int) -> list[dt.date]:
    return days_between(dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1]))


def _within(days: Collection[dt.date], first: dt.date, last: dt.date) -> list[dt.date]:
    return [day for day in days if first <= day <= last]
