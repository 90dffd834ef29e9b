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
"""From so many plate appearances on, which are rare, a straight line over the slots stands for nine numbers."""

CENTRE: Final = (PLACES + 1) / 2
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
    for number, threshold in enumerate(range(2, BY_LINE)):
        towards = np.r_[base.turns_by_slot[number], base.turns_home[number]]
        reach = (reached >= threshold).astype(np.float64)
        fitted = regression.logistic(np.column_stack([places, home]), reach, games, towards, steady)
        by_slot.append(_rounded(fitted[:-1]))
        at_home.append(round(float(fitted[-1]), DIGITS))
    lines, homes = _lines(slot, home, reached, games, base, steady)
    return {"turns_by_slot": (*by_slot, *lines), "turns_home": (*at_home, *homes)}


def _lines(
    slot: Floats, home: Floats, reached: Floats, games: Floats, base: Parameters, steady: float
) -> tuple[list[tuple[float, ...]], list[float]]:
    """Return the rare thresholds: straight lines over the slots, all with one slope."""
    rare = range(BY_LINE, MAX_TURNS + 1)
    away, several = np.arange(1, PLACES + 1) - CENTRE, np.eye(len(rare))
    assumed = np.asarray(base.turns_by_slot[BY_LINE - 2 :])
    towards = np.r_[assumed.mean(axis=1), base.turns_home[BY_LINE - 2 :], (assumed @ away / (away @ away)).mean()]
    size = len(slot)
    x = np.column_stack(
        [
            np.repeat(several, size, axis=0),
            np.repeat(several, size, axis=0) * np.tile(home, len(rare))[:, None],
            np.tile(slot - CENTRE, len(rare)),
        ]
    )
    reach = np.concatenate([(reached >= threshold).astype(np.float64) for threshold in rare])
    fitted = regression.logistic(x, reach, np.tile(games, len(rare)), towards, steady)
    levels, homes = fitted[: len(rare)], fitted[len(rare) : -1]
    return [_rounded(level + fitted[-1] * away) for level in levels], [round(float(each), DIGITS) for each in homes]


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)
