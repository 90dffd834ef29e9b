"""How past slates turned out, from the lake's grades and settled props."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from backstop.props.grade import reliability
from backstop.stages.grade import GRADES, SETTLED

if TYPE_CHECKING:
    import datetime as dt

    from backstop.lake.tables import Lake


def told(lake: Lake, days: int) -> dict[str, Any]:
    """Return grade and calibration of the latest graded days, oldest first."""
    latest = sorted(lake.days(GRADES))[-days:]
    return {"days": [_day(lake, day) for day in latest]}


def _day(lake: Lake, day: dt.date) -> dict[str, Any]:
    settled = lake.read(SETTLED, day).filter(pl.col("result").is_in(["over", "under"]))
    decided = pl.col("prob_over") / (pl.col("prob_over") + pl.col("prob_under"))
    chance = settled.select(decided).to_series().to_numpy()
    won = (settled["result"] == "over").cast(pl.Float64).to_numpy()
    bins = reliability(chance, won).to_dicts() if len(won) else []
    return {
        "date": day,
        "settled": settled.height,
        "markets": lake.read(GRADES, day).drop("game_date", strict=False).to_dicts(),
        "calibration": bins,
    }
