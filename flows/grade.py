"""The morning after: what was published, against what happened."""

from __future__ import annotations

import datetime as dt

from prefect import flow

from tasks import fan, grade, slate, validate


@flow(name="slate-grade", flow_run_name="grade {day}", timeout_seconds=1800)
def slate_grade(day: dt.date) -> grade.GradeSummary:
    """Fetch the day's final box scores, settle every published prop, and score the probabilities.

    Args:
        day: A slate whose games are over.
    """
    calendar = validate.validate_games(fan.fetches(slate.plan_schedule(day), "schedule"), day)
    boxes = fan.fetches(grade.plan_boxes(day, calendar), "box scores")
    return grade.grade_slate(day, validate.validate_players(boxes, day))
