"""How many batters a starter faces: least squares around his recent mean, and the residuals that are left."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features import opportunity
from backstop.features.parameters import Parameters, Workload
from backstop.fitting import regression
from backstop.fitting.rows import Rows
from backstop.props.kernel import Floats

BINS: Final = 7
"""Of expected batters faced, equally many starts each."""

FEWEST_PER_BIN: Final = 100
"""Starts below which a bin of its own is not worth having."""

KERNEL: Final = (0.25, 0.5, 0.25)
"""Smooths the residuals: one batter more or less is chance."""

DIGITS: Final = 5
TERMS: Final = tuple(name for name in Workload.model_fields if name != "opening")
"""Without `opening`, which stays what it is: few windows hold the weeks in which a season opens."""


def terms(rows: Rows, base: Workload, steady: float) -> Workload:
    """Return what is added to the mean of recent starts, from rows on which nothing is.

    A long rest while the season opens is taken as the base has it, and says nothing of a later one.
    """
    starters = rows.joined("starter")
    started, rest = pl.col("starts") > 0, pl.col("days_rest")
    relief, long_rest = pl.col("relief_share"), rest > opportunity.LONG_REST_DAYS
    opening = long_rest & (pl.col("season_age") <= opportunity.OPENING_DAYS) & (base.opening is not None)
    frame = starters.select(
        level=pl.lit(1.0), home=pl.col("is_home"), lineup_on_base="lineup_on_base",
        short_rest=rest < opportunity.SHORT_REST_DAYS, long_rest=long_rest & ~opening,
        relief_few=pl.when(started).then(relief / (1 + pl.col("starts"))),
        first_from_relief=~started & relief.is_not_null(), debut=~started & relief.is_null(),
    )  # fmt: skip
    x = frame.select(pl.col(name).cast(pl.Float64).fill_null(0.0) for name in TERMS).to_numpy()
    known = pl.col("batters_faced_mean") + opening.cast(pl.Float64).fill_null(0.0) * (base.opening or 0.0)
    y = starters.select(pl.col("turns") - known).to_series().to_numpy()
    towards = np.array([getattr(base, name) for name in TERMS])
    fitted = regression.least_squares(x, y, towards, steady)
    return base.model_copy(update={name: round(float(value), 3) for name, value in zip(TERMS, fitted, strict=True)})


def residuals(rows: Rows, parameters: Parameters) -> dict[str, tuple[float, ...] | tuple[tuple[float, ...], ...]]:
    """Return `workload_centres` and `workload_residuals` around the fitted terms, from rows without any.

    Nothing where fewer starts are known than one bin needs.
    """
    recent = rows.joined("starter").rename({"batters_faced_mean": "recent_mean"})
    starters = recent.with_columns(batters_faced_mean=opportunity.workload(parameters)).sort("batters_faced_mean")
    bins = min(BINS, len(starters) // FEWEST_PER_BIN)
    if bins < 2:  # noqa: PLR2004 - a mean lies between two centres
        return {}
    mean, faced = (starters[name].to_numpy().astype(np.float64) for name in ("batters_faced_mean", "turns"))
    first, size = parameters.workload_first, len(parameters.workload_residuals[0])
    off = np.clip(np.rint(faced - np.round(mean)).astype(np.int64) - first, 0, size - 1)
    parts = [part for part in np.array_split(np.arange(len(starters)), bins) if len(part)]
    centres = tuple(round(float(mean[part].mean()), 3) for part in parts)
    shapes = tuple(_smoothed(np.bincount(off[part], minlength=size).astype(np.float64)) for part in parts)
    return {"workload_centres": centres, "workload_residuals": shapes}


def _smoothed(counts: Floats) -> tuple[float, ...]:
    spread = np.convolve(counts, KERNEL)[1:-1]
    return tuple(round(float(share), DIGITS) for share in spread / spread.sum())
