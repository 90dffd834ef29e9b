"""The tasks of grading: ask for the final box scores, grade, put the result beside the run."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from backstop.stages import grade, plan, settled
from backstop.stages.house import House
from backstop.stages.outcome import Outcome
from tasks import artifacts, marks
from tasks.runs import run_id, say, warn
from tasks.slate import Batches


@dataclass(frozen=True)
class GradeSummary:
    """What grading a slate came to.

    Attributes:
        day: The slate.
        grades: One row per market and model version.
        open: Props that are not decided, by market, result and reason.
    """

    day: dt.date
    grades: list[dict[str, object]]
    open: list[dict[str, object]]


@task(name="plan-boxes", task_run_name="plan box scores of {day}", cache_policy=NO_CACHE)
def plan_boxes(day: dt.date, _calendar: Outcome) -> Batches:
    """Name the box scores of the day's games.

    Raises:
        DataError: no slate of the day was published, so there is nothing to grade.
        LeaseHeld: another run grades the day.
    """
    house = House.current()
    grade.check_published(house, day)
    grade.begin(house, day, run_id(), marks.LEASE_S)
    return plan.box_batches(house, day)


@task(name="grade", task_run_name="grade slate {day}", cache_policy=NO_CACHE)
def grade_slate(day: dt.date, boxes: tuple[Outcome, Outcome]) -> GradeSummary:
    """Grade the slate and show the scores, what is not decided, and the calibration picture.

    A day whose box scores did not all come, or whose games are not all over, is graded with a gap, so that it is graded
    once more.
    """
    house = House.current()
    open_games = settled.not_over(house, day)  # before the settling: a game that ends meanwhile is told as open
    graded = grade.grade_slate(house, day)
    # gaps by game are answers that did not come; one about the whole day is a rule that it breaks, which stays so
    owed = [gap for outcome in boxes for gap in outcome.gaps if gap.key != day.isoformat()]
    rows = graded.grades.height
    counts: dict[str, Any] = {"run_id": run_id(), "rows_in": rows, "rows_loaded": rows}
    if owed or open_games:
        first = f"{owed[0].key}: {owed[0].reason}" if owed else ""
        reason = "; ".join(filter(None, [first, open_games]))
        house.ledger.degrade(grade.GRADES, day.isoformat(), reason=reason, **counts)
        if owed:
            warn(f"{len(owed)} box scores are owed; the slate is graded once more when they come.")
        if open_games:
            warn(f"{open_games}; the slate is graded once more when it can be.")
    else:
        house.ledger.complete(grade.GRADES, day.isoformat(), **counts)
    artifacts.table("slate-grade", graded.grades.to_dicts(), f"Grade of {day} by market")
    if graded.waiting.height:
        lines = ["| market | result | reason | props |", "| --- | --- | --- | ---: |"]
        lines += [
            f"| {' | '.join(artifacts.cell(str(value)) for value in row)} |" for row in graded.waiting.iter_rows()
        ]
        artifacts.markdown("slate-unsettled", "\n".join(lines), f"Not decided on {day}")
    if graded.calibration:
        picture = f"data:image/png;base64,{base64.b64encode(graded.calibration).decode()}"
        artifacts.image("slate-calibration", picture, f"Calibration of {day}")
    say(f"Slate {day}: {graded.settled:,} props, {graded.waiting['props'].sum():,} void or open.")
    return GradeSummary(day, graded.grades.to_dicts(), graded.waiting.to_dicts())
