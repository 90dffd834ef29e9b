"""The morning after: what was published, against what happened."""

from __future__ import annotations

from prefect import flow

from tasks import fan, grade, marks, runs, slate, validate
from tasks.forms import SomeDay


@flow(name="slate-grade", flow_run_name=runs.grade_name, timeout_seconds=1800, **marks.HOOKS)
def slate_grade(day: SomeDay = None) -> grade.GradeSummary:
    """Fetch the day's final box scores, settle every published prop, and score the probabilities.

    Args:
        day: A slate whose games are over; yesterday's by default.
    """
    day = day or runs.yesterday()
    calendar = validate.validate_games(fan.fetches(slate.plan_schedule(day), "schedule"), day)
    boxes = fan.fetches(grade.plan_boxes(day, calendar), "box scores")
    return grade.grade_slate(day, validate.validate_players(boxes, day))
