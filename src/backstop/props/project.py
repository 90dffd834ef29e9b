"""From features to the distribution of every market's outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Parameters, default
from backstop.props import blocks, ladder
from backstop.props.kernel import Floats, at_least, count_distribution, ordered_sum, sum_distribution
from backstop.props.ladder import Ladders
from backstop.props.markets import MARKETS

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]
TURNS: Final = 7
HITS: Final = ("single", "double", "triple", "home_run")
"""In the order of the bases they are worth: 1 to 4."""

ON_BASE: Final = (*HITS, "walk", "hbp")
STOLEN_BASES: Final = "batter_stolen_bases"
TOTAL_BASES: Final = "batter_total_bases"
COUNTED: Final[dict[str, tuple[str, ...]]] = {
    "batter_hits": HITS,
    "batter_home_runs": ("home_run",),
    "batter_strikeouts": ("strikeout",),
    "batter_walks": ("walk",),
    "batter_singles": ("single",),
    "batter_doubles": ("double",),
}
"""Outcomes of a plate appearance that a batter's counting market counts."""

ALLOWED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "pitcher_strikeouts": ("lineup_strikeout", ("strikeout",)),
    "pitcher_walks": ("lineup_walk", ("walk",)),
    "pitcher_hits_allowed": ("lineup_hit", HITS),
}
"""The nine chances per time through that a starter's market counts, and the outcomes behind them."""


GROUPS: Final = {
    name: [OUTCOMES.index(outcome) for outcome in outcomes]
    for name, outcomes in (("on_base", ON_BASE), ("hits", HITS), ("home_run", ("home_run",)))
}
"""Outcomes that the batters' ladders sum up."""

BATTERS_AT_ONCE: Final = 5_000
"""Of a block, worked on by one thread: steps long enough that threads seldom wait for the interpreter's lock."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The distribution of one market for several players.

    Attributes:
        market: Market key.
        rows: Index of each player's row in the features that were projected.
        at_least: P(outcome >= n), n = 0..highest + 1, one row per player, not calibrated.
    """

    market: str
    rows: Rows
    at_least: Floats


def project(
    features: pl.DataFrame,
    markets: list[str] | None = None,
    parameters: Parameters | None = None,
    ladders: Ladders | None = None,
) -> list[Projection]:
    """Return one projection per market for which the features hold players of its role.

    Args:
        features: `out_features`.
        markets: Market keys; all by default.
        parameters: Fitted numbers of the features.
        ladders: Fitted ladders.
    """
    wanted = list(MARKETS) if markets is None else list(dict.fromkeys(markets))
    fitted, climbs = parameters or default(), ladders or ladder.default()
    role = features["role"]
    index = {name: (role == name).arg_true().to_numpy().astype(np.int64) for name in ("batter", "starter")}
    found: dict[str, Floats] = {}
    for name, rows in index.items():
        if len(rows):
            found |= (_batting if name == "batter" else _pitching)(features[rows], wanted, fitted, climbs)
    return [_projection(key, index[MARKETS[key].role], found[key]) for key in wanted if key in found]


def _projection(key: str, rows: Rows, tails: Floats) -> Projection:
    """Leave out players whose distribution is not known."""
    known = np.isfinite(tails[:, 1])
    return Projection(key, rows[known], tails[known])


def turn_probabilities(features: pl.DataFrame, parameters: Parameters) -> Floats:
    """Return outcome probabilities of each plate appearance k = 1..7: (rows, 7, outcome), players adjacent in memory.

    The starter's part changes with the time through the order; relief pitching takes the rest.
    """
    starter = features.select(f"vs_starter_{outcome}" for outcome in OUTCOMES).to_numpy().T
    relief = features.select(f"vs_relief_{outcome}" for outcome in OUTCOMES).to_numpy().T
    share = features.select(f"starter_share_{k}" for k in range(1, TURNS + 1)).to_numpy().T[:, None, :]
    times = np.asarray(parameters.times_through)
    turns = starter * times[np.minimum(np.arange(TURNS), len(times) - 1)][:, :, None]
    turns /= ordered_sum(np.moveaxis(turns, 1, 2))[:, None, :]
    return np.moveaxis(turns * share + relief * (1 - share), 2, 0)


def turns_distribution(features: pl.DataFrame) -> Floats:
    """Return P(plate appearances = n), n = 0..7."""
    reach = _reach(features)
    edges = np.concatenate([np.ones((len(reach), 1)), reach, np.zeros((len(reach), 1))], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:])


def _batting(features: pl.DataFrame, wanted: list[str], parameters: Parameters, ladders: Ladders) -> dict[str, Floats]:
    turns = turn_probabilities(features, parameters)
    tries = turns_distribution(features)
    sums = batter_sums([key for key in wanted if key in COUNTED or key == TOTAL_BASES], turns, tries)
    terms = ladder.batter_terms(features, turns, _reach(features), GROUPS)
    others = _climb(terms, wanted, "batter", ladders)
    if STOLEN_BASES in wanted:
        others[STOLEN_BASES] = _stolen_bases(features, ordered_sum(_reach(features)))
    return sums | _tails(others)


def _tails(pmfs: dict[str, Floats]) -> dict[str, Floats]:
    return {key: at_least(pmf) for key, pmf in pmfs.items()}


def batter_ladder_terms(features: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return the terms of the batters' ladders from their rows of `out_features`."""
    return ladder.batter_terms(features, turn_probabilities(features, parameters), _reach(features), GROUPS)


def _reach(features: pl.DataFrame) -> Floats:
    return features.select(f"turns_at_least_{n}" for n in range(1, TURNS + 1)).to_numpy()


def _stolen_bases(features: pl.DataFrame, turns: Floats) -> Floats:
    """Return the distribution of stolen bases: Poisson over the Gamma distribution of his rate, negative binomial.

    NaN where the rate is not known.
    """
    shape, rate = (
        features[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("steals_shape", "steals_pa")
    )
    stays = rate / (rate + turns)
    pmf = [stays**shape]
    highest = MARKETS[STOLEN_BASES].highest
    for n in range(1, highest):
        pmf.append(pmf[-1] * (shape + n - 1) / n * (1 - stays))
    return np.stack([*pmf, 1 - sum(pmf)], axis=1)


def _climb(terms: pl.DataFrame, wanted: list[str], role: str, ladders: Ladders) -> dict[str, Floats]:
    """Return the distributions of the fitted ladders of a role."""
    fitted = ladders.markets
    return {key: fitted[key].distribution(terms) for key in wanted if key in fitted and MARKETS[key].role == role}


def batter_sums(keys: list[str], turns: Floats, tries: Floats) -> dict[str, Floats]:
    """Return P(outcome >= n), n = 0..highest + 1, of batter markets that are sums over plate appearances.

    Args:
        keys: Of `COUNTED`, or total bases.
        turns: Outcome probabilities of each plate appearance, (rows, 7, outcome), players adjacent in memory.
        tries: P(plate appearances = n), n = 0..7.
    """
    found = {key: np.empty((MARKETS[key].highest + 2, len(turns))) for key in keys}

    def project_some(rows: slice) -> None:
        for key, tails in found.items():
            tails[:, rows] = at_least(batter_market(key, turns[rows], tries[rows])).T

    blocks.each(project_some, len(turns), BATTERS_AT_ONCE)
    return {key: tails.T for key, tails in found.items()}


def batter_market(key: str, turns: Floats, tries: Floats) -> Floats:
    """Return the distribution of one batter market that is a sum over plate appearances.

    Args:
        key: One of `COUNTED`, or total bases.
        turns: Outcome probabilities of each plate appearance, (rows, 7, outcome).
        tries: P(plate appearances = n), n = 0..7.
    """
    highest = MARKETS[key].highest
    if key != TOTAL_BASES:
        return count_distribution(ordered_sum(_of(turns, COUNTED[key])), tries, highest)
    bases = _of(turns, HITS)
    none = 1.0 - ordered_sum(bases)[:, :, None]
    return sum_distribution(np.concatenate([none, bases], axis=2), tries, highest)


def _of(turns: Floats, outcomes: tuple[str, ...]) -> Floats:
    """Return the probabilities of some outcomes, players still side by side in memory."""
    return turns.transpose(2, 1, 0)[_columns(outcomes)].transpose(2, 1, 0)


def _columns(outcomes: tuple[str, ...]) -> list[int]:
    return [OUTCOMES.index(name) for name in outcomes]


def _pitching(features: pl.DataFrame, wanted: list[str], parameters: Parameters, ladders: Ladders) -> dict[str, Floats]:
    tries = np.asarray(features["batters_faced_pmf"].to_list())
    faced = np.arange(tries.shape[1] - 1)
    found = {}
    for key, (column, outcomes) in ALLOWED.items():
        if key in wanted:
            nine = np.asarray(features[column].to_list())
            factor = _times_through(features, outcomes, parameters)
            chance = np.minimum(nine[:, faced % 9] * factor[:, np.minimum(faced // 9, factor.shape[1] - 1)], 1.0)
            found[key] = count_distribution(chance, tries, MARKETS[key].highest)
    terms = ladder.starter_terms(features)
    if "pitcher_outs" in wanted:
        found["pitcher_outs"] = ladders.outs.distribution(terms)
    return _tails(found | _climb(terms, wanted, "starter", ladders))


def _times_through(features: pl.DataFrame, outcomes: tuple[str, ...], parameters: Parameters) -> Floats:
    """Return, per starter, the factor of the outcomes together at each time through the order."""
    own = features.select(f"rate_{name}" for name in outcomes).to_numpy()
    times = np.asarray(parameters.times_through)[:, _columns(outcomes)]
    weighted = ordered_sum(own[:, None, :] * times)
    return np.asarray(weighted / ordered_sum(own)[:, None])
