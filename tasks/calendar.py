"""The season at a glance: a grid of days, each with the condition of its slate, as an artifact."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING, Final

from backstop.stages import days
from backstop.stages.days import Condition
from tasks import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backstop.stages.days import Day
    from backstop.stages.house import House

LOUD: Final = frozenset({Condition.DEGRADED, Condition.FAILED, Condition.MISSING})
"""Conditions that somebody should look at stand out; words, because colours need a font that not every browser has."""

WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def show(house: House, first: dt.date, last: dt.date) -> None:
    """Put the calendar of a range beside the run."""
    known = days.of_range(house, first, last)
    artifacts.markdown("ledger-calendar", markdown(known), f"{first} to {last}")


def markdown(known: Sequence[Day]) -> str:
    """Draw a month per table, a week per row, a cell per day; what needs a look stands out."""
    lines = ["# Calendar of slates", ""]
    for (year, month), of_month in groupby(known, key=lambda each: (each.day.year, each.day.month)):
        lines += _month(dt.date(year, month, 1), list(of_month))
    total = days.count(known)
    lines.append(", ".join(f"{total.get(condition, 0)} {condition}" for condition in Condition))
    return "\n".join([*lines, *_open_days(known)])


def _month(first: dt.date, of_month: list[Day]) -> list[str]:
    lines = [f"**{first:%B %Y}**", "", f"| week | {' | '.join(WEEK)} |", f"| --- {'| :---: ' * len(WEEK)}|"]
    for (_, week), of_week in groupby(of_month, key=lambda each: each.day.isocalendar()[:2]):
        cells = {each.day.weekday(): _cell(each) for each in of_week}
        lines.append(f"| {week} | {' | '.join(cells.get(number, '') for number in range(len(WEEK)))} |")
    return [*lines, ""]


def _cell(day: Day) -> str:
    said = f"{day.day.day} {day.condition}"
    return f"**{said}**" if day.condition in LOUD else said


def _open_days(known: Iterable[Day]) -> list[str]:
    """List the days that somebody should look at."""
    wrong = [each for each in known if each.condition is Condition.FAILED]
    if not wrong:
        return []
    return [
        "",
        "| failed | why |",
        "| --- | --- |",
        *(f"| {each.day} | {artifacts.cell(each.reason)} |" for each in wrong),
    ]
