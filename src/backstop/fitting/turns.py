"""How often a place in the order comes up: one logistic regression per threshold on slot and home."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features.opportunity import MAX_TURNS
from backstop.features.parameters import Parameters
from backstop.fitting import regression
from backstop.props.kernel import Floats

PLACES: Final = 9
BY_LINE: Final = 6
"""From so many plate appearances on a straight line over the slots stands for nine numbers: they are rare."""

DIGITS: Final = 4


def fit(
    turns: pl.DataFrame, base: Parameters, steady: float
) -> dict[str, tuple[float, ...] | tuple[tuple[float, ...], ...]]:
    """Return `turns_by_slot` and `turns_home`.

    Args:
        turns: `Sums.turns` of the training window.
        base: What is assumed without data.
        steady: How much it is worth, see `fitting.regression`.
    """
    counted = turns.filter(pl.col("slot").is_between(1, PLACES))
    slot, home, reached, games = (
        counted[name].cast(pl.Float64).to_numpy() for name in ("slot", "is_home", "turns", "games")
    )
    places = np.eye(PLACES)[slot.astype(np.int64) - 1]
    by_slot, at_home = [], []
    for number, threshold in enumerate(range(2, MAX_TURNS + 1)):
        assumed, towards_home = np.asarray(base.turns_by_slot[number]), base.turns_home[number]
        basis = _line() if threshold >= BY_LINE else np.eye(PLACES)
        x = np.column_stack([places @ basis, home])
        towards = np.r_[np.linalg.lstsq(basis, assumed, rcond=None)[0], towards_home]
        fitted = regression.logistic(x, (reached >= threshold).astype(np.float64), games, towards, steady)
        by_slot.append(_rounded(basis @ fitted[:-1]))
        at_home.append(round(float(fitted[-1]), DIGITS))
    return {"turns_by_slot": tuple(by_slot), "turns_home": tuple(at_home)}


def _line() -> Floats:
    return np.column_stack([np.ones(PLACES), np.arange(PLACES) - (PLACES - 1) / 2])


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)
