"""Calibration: p' = logistic(a * logit(p) + b) per market (Platt, 1999), fitted on earlier seasons only.

A fit carries the last day it saw, and is refused for any day up to it.
"""

from __future__ import annotations

import datetime as dt
import functools
from importlib import resources
from typing import Final

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from backstop.errors import DataError
from backstop.props.kernel import Floats

NEWTON_STEPS: Final = 50
CONVERGED: Final = 1e-10
LARGEST_LOG_ODDS: Final = 700.0
"""Beyond it the exponential leaves the range of doubles."""

FEWEST: Final = 500
"""Predictions of a market below which no calibration is fitted: its standard error would exceed what it corrects."""


class Platt(BaseModel):
    """Slope and intercept on the log-odds."""

    model_config = ConfigDict(frozen=True)

    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0

    def apply(self, p: Floats) -> Floats:
        """Return calibrated probabilities; 0 and 1 stay what they are, order is kept (the slope is positive)."""
        inside = (p > 0.0) & (p < 1.0)
        safe = np.where(inside, p, 0.5)
        log_odds = np.log(safe) - np.log1p(-safe)
        moved = np.clip(self.slope * log_odds + self.intercept, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
        return np.where(inside, 1.0 / (1.0 + np.exp(-moved)), p)


class Calibration(BaseModel):
    """One fit.

    Attributes:
        version: Its name, part of every prop's `model_version`.
        trained_on: The seasons and source behind it.
        last_day: The last day whose outcomes it saw.
        markets: Platt per market.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    trained_on: str
    last_day: dt.date
    markets: dict[str, Platt]

    def of(self, market: str) -> Platt:
        """Return a market's Platt; a market that was not fitted is left as it is."""
        return self.markets.get(market, Platt())

    def or_none(self, first: dt.date) -> Calibration:
        """Return this fit, or one that changes nothing when this one saw days from `first` on."""
        if self.last_day < first:
            return self
        return NOT_CALIBRATED

    def refuse_training_days(self, first: dt.date) -> None:
        """Check that the fit saw nothing of the days from `first` on.

        Raises:
            DataError: it did.
        """
        if self.last_day >= first:
            raise DataError(
                f"Calibration {self.version} was fitted on days up to {self.last_day} and cannot judge {first}; use "
                "one that was fitted on earlier days.",
                source="calibration",
            )


NOT_CALIBRATED: Final = Calibration(version="uncalibrated", trained_on="nothing", last_day=dt.date.min, markets={})
"""Changes nothing."""


def fit(predictions: pl.DataFrame, *, version: str, trained_on: str, last_day: dt.date) -> Calibration:
    """Fit one Platt per market by logistic regression (Newton's method).

    A market whose outcomes fell as its probabilities rose is left out, and so is one whose probabilities or outcomes
    are all alike, or split at one probability: so few games or so like players tell nothing.

    Args:
        predictions: `market`, `prob_over` not calibrated and strictly between 0 and 1, `outcome` (true when over);
            all lines of a market count together.
        version: Name of the fit.
        trained_on: The seasons and source behind it.
        last_day: The last day in the predictions.
    """
    inside = predictions.filter((pl.col("prob_over") > 0) & (pl.col("prob_over") < 1))
    found = {}
    for (market,), rows in inside.sort("market").group_by("market", maintain_order=True):
        platt = _platt(rows["prob_over"].to_numpy(), rows["outcome"].cast(pl.Float64).to_numpy())
        if len(rows) >= FEWEST and platt and platt[0] > 0:
            found[str(market)] = Platt(slope=platt[0], intercept=platt[1])
    return Calibration(version=version, trained_on=trained_on, last_day=last_day, markets=found)


def _platt(p: Floats, outcome: Floats) -> tuple[float, float] | None:
    """Return slope and intercept; `None` where no finite ones are likeliest."""
    if np.ptp(p) == 0:
        return None
    x = np.column_stack([np.ones_like(p), np.log(p) - np.log1p(-p)])
    b = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        q = 1.0 / (1.0 + np.exp(-np.clip(x @ b, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)))
        try:
            step = np.linalg.solve(x.T @ (x * (q * (1 - q))[:, None]), x.T @ (outcome - q))
        except np.linalg.LinAlgError:
            break
        b = b + step
        if np.abs(step).max() < CONVERGED:
            return round(float(b[1]), 4), round(float(b[0]), 4)
    return None


@functools.cache
def default() -> Calibration:
    """Return the calibration that ships with the package."""
    text = resources.files("backstop.props").joinpath("calibration.json").read_text(encoding="utf-8")
    return Calibration.model_validate_json(text)
