"""How far a Statcast rate that settles sooner corrects an outcome's rate: Poisson regression."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Parameters, Refinement
from backstop.fitting import regression
from backstop.fitting.rows import Rows
from backstop.props.kernel import Floats
from backstop.props.project import TURNS, turn_probabilities

HOME_RUN: Final = OUTCOMES.index("home_run")
DIGITS: Final = 3


def strikeouts(rows: Rows, base: Refinement, steady: float) -> Refinement:
    """Return the refinement of starters' strikeouts by swinging strikes, from rows without any."""
    starters = rows.joined("starter").drop_nulls("signal")
    expected = starters["turns"] * starters["lineup_strikeout"].list.mean()
    return _fit(starters, expected.to_numpy(), base, steady)


def home_runs(rows: Rows, base: Refinement, parameters: Parameters, steady: float) -> Refinement:
    """Return the refinement of batters' home runs by barrels, from rows without any."""
    batters = rows.joined("batter").drop_nulls("signal")
    chance = turn_probabilities(batters, parameters)[:, :, HOME_RUN].cumsum(axis=1)
    last = np.minimum(batters["turns"].to_numpy(), TURNS) - 1
    return _fit(batters, chance[np.arange(len(batters)), last], base, steady)


def _fit(people: pl.DataFrame, expected: Floats, base: Refinement, steady: float) -> Refinement:
    if people.is_empty():
        return base
    logs = people.select(pl.col("rate", "signal").log()).to_numpy()
    x = np.column_stack([np.ones(len(people)), logs])
    counted = people["refined_count"].to_numpy().astype(np.float64)
    towards = np.array([base.level, base.rate, base.signal])
    level, rate, signal = regression.poisson(x, counted, np.log(expected), towards, steady)
    return Refinement(
        level=round(float(level), DIGITS), rate=round(float(rate), DIGITS), signal=round(float(signal), DIGITS),
        signal_k=base.signal_k,
    )  # fmt: skip
