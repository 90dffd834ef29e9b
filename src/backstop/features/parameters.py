"""Fitted numbers of the feature model, with the seasons they were fitted on.

They live in `parameters.json` beside this module. Nothing in it was fitted on a season that the back-test scores.
"""

from __future__ import annotations

import datetime as dt
import functools
from importlib import resources
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from backstop.features.rates import Floats

LAST_OF_SPRING: Final = 4
"""April: cold air, in which fewer balls leave the park, and pitchers who miss the plate more."""


class Workload(BaseModel):
    """Batters faced more or fewer than the mean of recent starts, fitted by least squares.

    Attributes:
        level: For everybody.
        home: The starter pitches at home.
        lineup_on_base: Per unit of the opposing line-up's on-base rate above the league's.
        short_rest: Fewer than five days since his last start.
        long_rest: More than twelve days since it, after the season's opening weeks.
        opening: More than twelve days since it, in the season's opening weeks; null in fits that knew no such term, and
            then as later.
        relief_few: Per unit of relief share / (1 + starts).
        first_from_relief: No start yet, but seen in relief.
        debut: Never seen.
    """

    model_config = ConfigDict(frozen=True)

    level: float
    home: float
    lineup_on_base: float
    short_rest: float
    long_rest: float
    opening: float | None = None
    relief_few: float
    first_from_relief: float
    debut: float


class Refinement(BaseModel):
    """Refinement of one outcome's rate by a Statcast rate that settles sooner, fitted by Poisson regression.

    Attributes:
        level: Log of the factor for everybody of whom the Statcast rate is known.
        rate: Exponent of his own shrunken rate over the league's.
        signal: Exponent of his Statcast rate over the league's.
        signal_k: Pitches or batted balls at the league's rate that steady his own.
    """

    model_config = ConfigDict(frozen=True)

    level: float
    rate: float
    signal: float
    signal_k: float


class Parameters(BaseModel):
    """What a fit produced.

    Attributes:
        version: Name of the fit.
        trained_on: The seasons and source behind it.
        last_day: The last day that the fit saw.
        season_weights: Weight of the season to date and of those before it in a player's counts.
        batter_k: Stabilisation points in plate appearances per outcome; `other_out` is what is left.
        pitcher_k: Likewise of starters.
        turns_by_slot: Log-odds of P(plate appearances >= n), n = 2..7, one row per threshold, nine slots each.
        turns_home: What is added for the team that bats last, per threshold.
        turns_on_base: What is added per unit of line-up on-base rate above the league's, per threshold.
        workload_centres: Mean batters faced at the centre of each bin of expected batters faced.
        workload_residuals: Per bin, the share of starts by residual from the rounded mean.
        workload_first: Residual of the first entry.
        workload_prior: Share of the league's mean batters faced that stands for two starts before a pitcher's first.
        workload: What is added to the mean of his recent starts, in batters: see `opportunity.workload`.
        strikeouts: A starter's strikeouts by his swinging strikes per pitch.
        home_runs: A batter's home runs by his barrels per batted ball.
        starter_experience: Upper ends, in batters faced over this and last season, of the experience buckets.
        starter_role: Per bucket, the outcome rates relative to the league's (the last bucket has no upper end).
        times_through: Per time through the order 1, 2, 3+: outcome rates relative to the starter's overall.
        home: Outcome rates of batters at home relative to both sides' mean; the visitors' are the reciprocal.
        april: Outcome rates of March and April relative to a season's; null in fits that knew no time of the year.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    trained_on: str
    last_day: dt.date
    season_weights: tuple[float, ...]
    batter_k: tuple[float, ...]
    pitcher_k: tuple[float, ...]
    turns_by_slot: tuple[tuple[float, ...], ...]
    turns_home: tuple[float, ...]
    turns_on_base: tuple[float, ...]
    workload_centres: tuple[float, ...]
    workload_residuals: tuple[tuple[float, ...], ...]
    workload_first: int
    workload_prior: float
    workload: Workload
    strikeouts: Refinement
    home_runs: Refinement
    starter_experience: tuple[float, ...]
    starter_role: tuple[tuple[float, ...], ...]
    times_through: tuple[tuple[float, ...], ...]
    home: tuple[float, ...]
    april: tuple[float, ...] | None = None

    def time_of_year(self, day: dt.date) -> tuple[float, ...] | None:
        """Return a time of the year's outcome rates relative to a season's; null where they are a season's."""
        return self.april if day.month <= LAST_OF_SPRING else None

    def turns_arrays(self) -> tuple[Floats, Floats, Floats]:
        """Return (slot by threshold, home per threshold, on-base per threshold)."""
        return np.asarray(self.turns_by_slot).T, np.asarray(self.turns_home), np.asarray(self.turns_on_base)

    def workload_arrays(self) -> tuple[Floats, int, Floats]:
        """Return (histograms by bin, residual of their first entry, centres of the bins)."""
        return np.asarray(self.workload_residuals), self.workload_first, np.asarray(self.workload_centres)


@functools.cache
def default() -> Parameters:
    """Return the parameters that ship with the package."""
    text = resources.files("backstop.features").joinpath("parameters.json").read_text(encoding="utf-8")
    return Parameters.model_validate_json(text)
