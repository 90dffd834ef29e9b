"""Grade: what was published against what happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.errors import DataError
from backstop.props import grade, plot, settle
from backstop.stages import receive

if TYPE_CHECKING:
    from backstop.stages.house import House

SETTLED = "out_settled"
GRADES = "out_grades"


@dataclass(frozen=True)
class Grade:
    """What grading a slate came to.

    Attributes:
        day: The slate.
        settled: Props with a known outcome, all those published.
        grades: One row per market and model version (`props.grade.grade`).
        waiting: Props that are void or open, by market, result and reason.
        calibration: A PNG picture of forecast against frequency; empty when nothing is decided.
    """

    day: dt.date
    settled: int
    grades: pl.DataFrame
    waiting: pl.DataFrame
    calibration: bytes


def check_published(house: House, day: dt.date) -> None:
    """Refuse a day of which no slate was published.

    Raises:
        DataError: there is none; the message says what to do.
    """
    if day not in house.lake.days(tables.PROPS.name):
        raise DataError(f"No slate of {day} is in the lake; refresh that day first.", source=tables.PROPS.name)


def grade_slate(house: House, day: dt.date) -> Grade:
    """Settle every published prop of a day from its box scores, keep the results, and score the probabilities.

    Raises:
        LakeError: no slate of the day was published.
    """
    settled = settle.settle(house.lake.read(tables.PROPS.name, day), receive.known(house, tables.BOX, day))
    grades = grade.grade(settled)
    house.lake.write(SETTLED, day, settled)
    house.lake.write(GRADES, day, grades.with_columns(game_date=pl.lit(day)))
    return Grade(day, settled.height, grades, settle.unsettled(settled), _picture(day, settled))


def _picture(day: dt.date, settled: pl.DataFrame) -> bytes:
    decided = settled.filter(pl.col("result").is_in(["over", "under"]))
    if decided.is_empty():
        return b""
    chance = decided["prob_over"] / (decided["prob_over"] + decided["prob_under"])
    won = (decided["result"] == "over").cast(pl.Float64)
    return plot.calibration_png(grade.reliability(chance.to_numpy(), won.to_numpy()), f"CALIBRATION {day}")
