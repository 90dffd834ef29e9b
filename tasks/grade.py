"""The tasks of grading: settle what was published from box scores, score it, show how well it was calibrated."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass

import polars as pl
from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from backstop import tables
from backstop.errors import DataError
from backstop.props import grade, plot, settle
from backstop.stages import plan, receive
from backstop.stages.house import House
from backstop.stages.outcome import Outcome
from tasks.runs import say
from tasks.slate import Batches

SETTLED = "out_settled"
GRADES = "out_grades"


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


@task(name="plan-boxes", task_run_name="plan box scores of {day}", cache_policy=NO_CACHE, tags=["plan"])
def plan_boxes(day: dt.date, _calendar: Outcome) -> Batches:
    """Name the box scores of the day's games.

    Raises:
        DataError: no slate of the day was published, so there is nothing to grade.
    """
    house = House.current()
    if day not in house.lake.days(tables.PROPS.name):
        raise DataError(f"No slate of {day} is in the lake; refresh that day first.", source=tables.PROPS.name)
    return plan.box_batches(house, day)


@task(name="grade", task_run_name="grade slate {day}", cache_policy=NO_CACHE, tags=["report", "out_grades"])
def grade_slate(day: dt.date, _boxes: tuple[Outcome, Outcome]) -> GradeSummary:
    """Settle every published prop, keep the results, and score the probabilities."""
    house = House.current()
    settled = settle.settle(house.lake.read(tables.PROPS.name, day), receive.known(house, tables.BOX, day))
    grades, waiting = grade.grade(settled), settle.unsettled(settled)
    house.lake.write(SETTLED, day, settled)
    house.lake.write(GRADES, day, grades.with_columns(game_date=pl.lit(day)))
    create_table_artifact(key="slate-grade", table=grades.to_dicts(), description=f"Grade of {day} by market")
    if waiting.height:
        lines = ["| market | result | reason | props |", "| --- | --- | --- | ---: |"]
        lines += [f"| {' | '.join(str(value) for value in row)} |" for row in waiting.iter_rows()]
        create_markdown_artifact(key="slate-unsettled", markdown="\n".join(lines), description=f"Not decided on {day}")
    _picture(day, settled)
    say(f"Slate {day}: {settled.height:,} props, {waiting['props'].sum():,} void or open.")
    return GradeSummary(day, grades.to_dicts(), waiting.to_dicts())


def _picture(day: dt.date, settled: pl.DataFrame) -> None:
    """Put the calibration plot of all decided props beside the run."""
    decided = settled.filter(pl.col("result").is_in(["over", "under"]))
    if decided.is_empty():
        return
    chance = decided["prob_over"] / (decided["prob_over"] + decided["prob_under"])
    bins = grade.reliability(chance.to_numpy(), (decided["result"] == "over").cast(pl.Float64).to_numpy())
    png = base64.b64encode(plot.calibration_png(bins, f"CALIBRATION {day}")).decode()
    create_image_artifact(
        image_url=f"data:image/png;base64,{png}", key="slate-calibration", description=f"Calibration of {day}"
    )
