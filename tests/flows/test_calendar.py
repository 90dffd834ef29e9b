"""The calendar: a cell for every day, and what needs a look stands out."""

from __future__ import annotations

import datetime as dt

from backstop.stages.days import Condition, Day
from tasks import calendar


def test_every_day_has_its_cell_and_what_needs_a_look_is_bold():
    days = [
        Day(dt.date(2025, 4, 29), Condition.COMPLETE),
        Day(dt.date(2025, 4, 30), Condition.FAILED, reason="the feed was down"),
        Day(dt.date(2025, 5, 1), Condition.EMPTY),
        Day(dt.date(2025, 5, 2), Condition.MISSING),
    ]
    text = calendar.markdown(days)
    assert "**April 2025**" in text
    assert "| 18 |  | 29 complete | **30 failed** |" in text
    assert "| 18 |  |  |  | 1 empty | **2 missing** |" in text
    assert "1 complete, 0 degraded, 1 empty, 1 failed, 0 running, 1 missing" in text
    assert "| 2025-04-30 | the feed was down |" in text
