"""The calendar: who plays today, and what became of earlier days that were not over."""

from __future__ import annotations

import datetime as dt

from prefect import flow

from tasks import fan, marks, slate, upkeep, validate
from tasks.forms import Instant


@flow(name="calendar-refresh", flow_run_name="calendar", timeout_seconds=600, **marks.SIGNED)
def calendar_refresh(at: Instant = None) -> dt.date:
    """Fetch, validate and keep the schedule of today and of earlier days whose games are not settled.

    Args:
        at: What counts as now.
    """
    day = upkeep.day_of(at)
    validate.validate_games(fan.fetches(slate.plan_schedule(day), "schedule"), day)
    return day
