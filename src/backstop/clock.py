"""Now, and the baseball day.

Time is passed in: a function that needs the hour takes a `Clock`, so that tests move it by hand.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from backstop.errors import UsageError

EASTERN = ZoneInfo("America/New_York")
"""The zone in which MLB dates its games (`officialDate`)."""

DAY_STARTS_AT_HOUR = 4
"""A baseball day runs 04:00 to 03:59:59 Eastern: games that end after midnight belong to the evening before."""


class Clock(Protocol):
    """Whatever tells the time."""

    def now(self) -> dt.datetime:
        """Return the current instant, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the current instant, in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved: for tests, and to look at a day as it was."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        """Return the instant it was set to."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move forward (or, with a negative number, back)."""
        self.at += dt.timedelta(seconds=seconds)


def baseball_day(instant: dt.datetime) -> dt.date:
    """Return the baseball day that an instant falls on.

    >>> baseball_day(dt.datetime(2025, 6, 16, 5, 30, tzinfo=dt.UTC)).isoformat()  # 01:30 in New York
    '2025-06-15'
    """
    return (instant.astimezone(EASTERN) - dt.timedelta(hours=DAY_STARTS_AT_HOUR)).date()


def parse_day(text: str) -> dt.date:
    """Read a `YYYY-MM-DD` date.

    Raises:
        UsageError: the text is not such a date.
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or text != day.isoformat():
        raise UsageError(f"{text!r} is not a date; expected YYYY-MM-DD, for example 2025-06-15.")
    return day


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return every date from `first` to `last`, both included; empty when `last` is earlier."""
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
