"""Calibration: p' = logistic(a * logit(p) + b) per market (Platt), fitted on earlier seasons only."""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np
from pydantic import BaseModel, ConfigDict

from backstop.props.kernel import Floats


class Platt(BaseModel):
    """Slope and intercept on the log-odds."""

    model_config = ConfigDict(frozen=True)

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, p: Floats) -> Floats:
        """Return calibrated probabilities; 0 and 1 stay what they are, order is kept (the slope is positive)."""
        inside = (p > 0.0) & (p < 1.0)
        safe = np.where(inside, p, 0.5)
        log_odds = np.log(safe) - np.log1p(-safe)
        return np.where(inside, 1.0 / (1.0 + np.exp(-(self.slope * log_odds + self.intercept))), p)


class Calibration(BaseModel):
    """One fit: its version, its training window, one Platt per market."""

    model_config = ConfigDict(frozen=True)

    version: str
    trained_on: str
    markets: dict[str, Platt]

    def of(self, market: str) -> Platt:
        """Return a market's Platt; a market that was not fitted is left as it is."""
        return self.markets.get(market, Platt())


@functools.cache
def default() -> Calibration:
    """Return the calibration that ships with the package."""
    text = resources.files("backstop.props").joinpath("calibration.json").read_text(encoding="utf-8")
    return Calibration.model_validate_json(text)
