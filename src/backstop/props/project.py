"""From features to the distribution of every market's outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Parameters, default
from backstop.props.kernel import Floats, at_least, count_distribution, ordered_sum, sum_distribution
from backstop.props.markets import MARKETS

TURNS: Final = 7
BASES: Final = {"single": 1, "double": 2, "triple": 3, "home_run": 4}
COUNTED: Final[dict[str, tuple[str, ...]]] = {
    "batter_hits": ("single", "double", "triple", "home_run"),
    "batter_home_runs": ("home_run",),
    "batter_strikeouts": ("strikeout",),
    "batter_walks": ("walk",),
}
"""Outcomes of a plate appearance that a batter's counting market counts."""

LINEUP_COLUMN: Final = {"pitcher_strikeouts": "lineup_strikeout"}
"""The nine chances per time through that a starter's market counts."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The distribution of one market for several players.

    Attributes:
        market: Market key.
        rows: Index of each player's row in the features that were projected.
        at_least: P(outcome >= n), n = 0..highest + 1, one row per player, not calibrated.
    """

    market: str
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    at_least: Floats


def project(
    features: pl.DataFrame, markets: list[str] | None = None, parameters: Parameters | None = None
) -> list[Projection]:
    """Return one projection per market for which the features hold players of its role.

    Args:
        features: `out_features`.
        markets: Market keys; all by default.
        parameters: Fitted numbers of the features.
    """
    wanted = list(MARKETS) if markets is None else markets
    fitted = parameters or default()
    role = features["role"]
    batters, starters = ((role == name).arg_true().to_numpy().astype(np.int64) for name in ("batter", "starter"))
    found = _batting(features[batters], wanted, fitted) if len(batters) else {}
    found |= _pitching(features[starters], wanted, fitted) if len(starters) else {}
    index = {"batter": batters, "starter": starters}
    return [Projection(key, index[MARKETS[key].role], at_least(found[key])) for key in wanted if key in found]


def turn_probabilities(features: pl.DataFrame, parameters: Parameters) -> Floats:
    """Return outcome probabilities of each plate appearance k = 1..7: (rows, 7, outcome).

    The starter's part changes with the time through the order; relief pitching takes the rest.
    """
    starter = features.select(f"vs_starter_{outcome}" for outcome in OUTCOMES).to_numpy()
    relief = features.select(f"vs_relief_{outcome}" for outcome in OUTCOMES).to_numpy()
    share = features.select(f"starter_share_{k}" for k in range(1, TURNS + 1)).to_numpy()
    times = np.asarray(parameters.times_through)
    turns = starter[:, None, :] * times[np.minimum(np.arange(TURNS), len(times) - 1)]
    turns /= ordered_sum(turns)[:, :, None]
    return np.asarray(turns * share[:, :, None] + relief[:, None, :] * (1 - share[:, :, None]))


def turns_distribution(features: pl.DataFrame) -> Floats:
    """Return P(plate appearances = n), n = 0..7."""
    reach = features.select(f"turns_at_least_{n}" for n in range(1, TURNS + 1)).to_numpy()
    edges = np.concatenate([np.ones((len(reach), 1)), reach, np.zeros((len(reach), 1))], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:])


def _batting(features: pl.DataFrame, wanted: list[str], parameters: Parameters) -> dict[str, Floats]:
    turns = turn_probabilities(features, parameters)
    tries = turns_distribution(features)
    found = {}
    for key, outcomes in COUNTED.items():
        if key in wanted:
            chance = ordered_sum(turns[:, :, [OUTCOMES.index(name) for name in outcomes]])
            found[key] = count_distribution(chance, tries, MARKETS[key].highest)
    if "batter_total_bases" in wanted:
        bases = np.stack([turns[:, :, OUTCOMES.index(name)] for name in BASES], axis=2)
        none = 1.0 - ordered_sum(bases)[:, :, None]
        values = np.concatenate([none, bases], axis=2)
        found["batter_total_bases"] = sum_distribution(values, tries, MARKETS["batter_total_bases"].highest)
    return found


def _pitching(features: pl.DataFrame, wanted: list[str], parameters: Parameters) -> dict[str, Floats]:
    tries = np.asarray(features["batters_faced_pmf"].to_list())
    most = tries.shape[1] - 1
    times = np.asarray(parameters.times_through)[np.minimum(np.arange(most) // 9, len(parameters.times_through) - 1)]
    found = {}
    for key, column in LINEUP_COLUMN.items():
        if key in wanted:
            nine = np.asarray(features[column].to_list())
            factor = times[:, OUTCOMES.index(column.removeprefix("lineup_"))]
            chance = np.clip(nine[:, np.arange(most) % 9] * factor, 0.0, 1.0)
            found[key] = count_distribution(chance, tries, MARKETS[key].highest)
    return found
