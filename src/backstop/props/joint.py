"""Joint probabilities of legs in one game: never a product of dependent legs.

Legs of one player of which one guarantees the other, and legs of one batter that count plate appearances, are joined
exactly. Other pairs are joined by a Gaussian copula whose correlations were measured on 2016 and 2019 (docs/model.md)
as correlations of binary events and turned into those of the normal variables behind them. A pair of one game that was
not measured is refused. Legs of different games are independent.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.errors import UsageError
from backstop.features.outcomes import OUTCOMES
from backstop.props.fitted import Fitted
from backstop.props.kernel import Floats
from backstop.props.leg import Leg, between, both_at_least, excludes, without_implied
from backstop.props.normal import both_below, cdf, quantile
from backstop.props.project import COUNTED, HITS, TOTAL_BASES, turn_probabilities, turns_distribution

NESTED: Final = 1e-12
BISECTIONS: Final = 60
POINTS: Final = 4096
"""Quasi-random points of the integral over more than two legs; its error is under 0.001."""

PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19)
LARGEST: Final = 0.999
SMALLEST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """The correlation of two binary events, over and over, with the shares at which it was measured."""

    correlation: float
    first_share: float
    second_share: float


SHARES: Final = {
    "batter_hits": 0.64, "batter_total_bases": 0.40, "batter_home_runs": 0.147, "batter_strikeouts": 0.626,
    "batter_walks": 0.294, "batter_singles": 0.48, "batter_doubles": 0.17, "batter_runs_scored": 0.40,
    "batter_rbis": 0.31, "batter_hits_runs_rbis": 0.47, "pitcher_strikeouts": 0.52, "pitcher_outs": 0.45,
    "pitcher_hits_allowed": 0.55, "pitcher_earned_runs": 0.47, "pitcher_walks": 0.5,
}  # fmt: skip
"""Share of the over at the usual line of 2019."""

SAME_BATTER: Final = {
    ("batter_hits", "batter_runs_scored"): 0.43, ("batter_hits", "batter_rbis"): 0.41,
    ("batter_rbis", "batter_runs_scored"): 0.38, ("batter_home_runs", "batter_rbis"): 0.57,
    ("batter_hits", "batter_strikeouts"): -0.14, ("batter_hits", "batter_total_bases"): 0.60,
}  # fmt: skip
SAME_STARTER: Final = {
    ("pitcher_outs", "pitcher_strikeouts"): 0.29, ("pitcher_earned_runs", "pitcher_outs"): -0.33,
}  # fmt: skip
AGAINST_STARTER: Final = {
    ("batter_strikeouts", "pitcher_strikeouts"): 0.16, ("batter_hits", "pitcher_strikeouts"): -0.09,
    ("batter_hits", "pitcher_outs"): -0.13, ("batter_hits", "pitcher_hits_allowed"): 0.20,
}  # fmt: skip
TEAM_HITS: Final = 0.045
OPPONENTS_HITS: Final = 0.0
BOTH_HIT: Final = ("batter_hits", "batter_hits")
RUN_THEN_RBI: Final = {1: 0.26, 2: 0.29, 4: 0.12}
"""Run of one batter and run batted in of the one so many places behind him."""


def probability(legs: list[Leg], features: pl.DataFrame, fitted: Fitted | None = None) -> float:
    """Return the probability that every leg wins.

    Args:
        legs: One to eight legs, each player, market and line once.
        features: `out_features` with the rows of the batters named.
        fitted: The fit that the features and the legs were made with; the shipped one by default.

    Raises:
        UsageError: no leg, too many, one named twice, or two of one game whose dependence was not measured.
    """
    if not 1 <= len(legs) <= len(PRIMES):
        raise UsageError(f"{len(legs)} legs were given; a joint probability takes 1 to {len(PRIMES)}.")
    if len({(leg.game_pk, leg.player_id_mlbam, leg.market, leg.line) for leg in legs}) < len(legs):
        raise UsageError("A player's market and line stands twice among the legs; name each once.")
    total = 1.0
    for _, group in itertools.groupby(sorted(legs, key=lambda leg: leg.game_pk), key=lambda leg: leg.game_pk):
        total *= _same_game(list(group), features, fitted or Fitted.shipped())
    return total


def exact(legs: list[Leg], features: pl.DataFrame, fitted: Fitted | None = None) -> tuple[float, list[float]]:
    """Return the joint probability of one batter's legs and each leg's own, before calibration.

    The state of the sum is the count of every leg, each capped where its question is answered.

    Args:
        legs: Legs of one batter in markets that count plate appearances.
        features: `out_features` with his row in that game.
        fitted: The fit that the features were made with; the shipped one by default.

    Raises:
        UsageError: his row is not among the features.
    """
    leg = legs[0]
    row = features.filter(role="batter", game_pk=leg.game_pk, player_id_mlbam=leg.player_id_mlbam)
    if row.is_empty():
        raise UsageError(
            f"Player {leg.player_id_mlbam} has no batter's features in game {leg.game_pk}; joint legs need the "
            "projection they came from."
        )
    parameters = (fitted or Fitted.shipped()).parameters
    turns, tries = turn_probabilities(row, parameters)[0], turns_distribution(row)[0]
    caps = [int(np.floor(leg.line)) + 1 for leg in legs]
    state = np.zeros([cap + 1 for cap in caps])
    state[(0,) * len(caps)] = 1.0
    total = state * tries[0]
    steps = [tuple(_worth(leg.market, outcome) for leg in legs) for outcome in OUTCOMES]
    for turn, chance in zip(turns, tries[1:], strict=True):
        after = np.zeros_like(state)
        for index in np.ndindex(*state.shape):
            if state[index]:
                for step, p in zip(steps, turn, strict=True):
                    after[tuple(min(i + s, c) for i, s, c in zip(index, step, caps, strict=True))] += state[index] * p
        state = after
        total += state * chance
    return _win(total, legs, caps), [_win(_marginal(total, n), [legs[n]], [caps[n]]) for n in range(len(legs))]


def _same_game(legs: list[Leg], features: pl.DataFrame, fitted: Fitted) -> float:
    if any(excludes(a, b) for a, b in itertools.permutations(legs, 2)):
        return 0.0
    legs = without_implied(legs)
    if len(legs) == 1:
        return legs[0].probability
    if len(legs) == 2 and between(*legs):  # noqa: PLR2004 -- of more their chances alone do not tell
        return both_at_least(*legs)
    if len({leg.player_id_mlbam for leg in legs}) == 1 and all(_countable(leg) for leg in legs):
        return _calibrated(legs, *exact(legs, features, fitted))
    size = len(legs)
    matrix = np.eye(size)
    for i, j in itertools.combinations(range(size), 2):
        matrix[i, j] = matrix[j, i] = _normal_correlation(legs[i], legs[j], features, fitted)
    p = np.clip([leg.probability for leg in legs], SMALLEST, 1 - SMALLEST)
    if size == 2:  # noqa: PLR2004 -- two legs have a closed form
        joint = float(both_below(quantile(p[:1]), quantile(p[1:]), matrix[0, 1:])[0])
    else:
        joint = _all_below(quantile(p), matrix)
    return float(np.clip(joint, max(0.0, p.sum() - size + 1), p.min()))


def _calibrated(legs: list[Leg], joint: float, own: list[float]) -> float:
    """Carry the exact dependence over to the calibrated legs; nested legs are as likely as the least likely one."""
    p = np.array([leg.probability for leg in legs])
    if joint >= min(own) - NESTED:
        return float(p.min())
    if joint <= 0 or min(own) <= 0:
        return 0.0
    return float(np.clip(joint / np.prod(own) * np.prod(p), max(0.0, p.sum() - len(p) + 1), p.min()))


def _countable(leg: Leg) -> bool:
    return leg.market in COUNTED or leg.market == TOTAL_BASES


def _worth(market: str, outcome: str) -> int:
    """Return what an outcome adds to a market's count."""
    if market == TOTAL_BASES:
        return HITS.index(outcome) + 1 if outcome in HITS else 0
    return int(outcome in COUNTED[market])


def _win(state: Floats, legs: list[Leg], caps: list[int]) -> float:
    """Sum the states in which every leg wins; on a whole line a push wins nothing."""
    part = state
    for axis, (leg, cap) in enumerate(zip(legs, caps, strict=True)):
        lost = int(np.ceil(leg.line))
        wins = np.arange(part.shape[axis]) >= cap if leg.side == "over" else np.arange(part.shape[axis]) < lost
        part = np.compress(wins, part, axis=axis)
    return float(part.sum())


def _marginal(state: Floats, axis: int) -> Floats:
    return np.asarray(state.sum(axis=tuple(i for i in range(state.ndim) if i != axis)))


def _normal_correlation(first: Leg, second: Leg, features: pl.DataFrame, fitted: Fitted) -> float:
    """Return the correlation of the normal variables behind two legs of one game.

    Raises:
        UsageError: it was not measured.
    """
    if between(first, second):
        return tetrachoric(first.probability, second.probability, both_at_least(first, second))
    same = first.player_id_mlbam == second.player_id_mlbam
    if same and _countable(first) and _countable(second):
        joint, own = exact([first, second], features, fitted)
        return tetrachoric(own[0], own[1], joint)
    measured = _measured(first, second, same=same)
    if measured is None:
        raise UsageError(
            f"{first} and {second} stand in game {first.game_pk} and how they depend on each other was "
            "not measured; their product would be wrong. Leave one of them out, or join legs of different games."
        )
    sign = (1 if first.side == "over" else -1) * (1 if second.side == "over" else -1)
    return sign * _from_events(measured)


def _measured(first: Leg, second: Leg, *, same: bool) -> Measured | None:
    """Look up the correlation of the overs; null for pairs that were not measured."""
    pair = sorted((first, second), key=lambda leg: leg.market)
    key = (pair[0].market, pair[1].market)
    value: float | None = None
    if same:
        value = (SAME_BATTER | SAME_STARTER).get(key)
    elif first.team != second.team:
        value = OPPONENTS_HITS if key == BOTH_HIT else AGAINST_STARTER.get(key)
    elif key == BOTH_HIT:
        value = TEAM_HITS
    elif key == ("batter_rbis", "batter_runs_scored") and pair[0].slot and pair[1].slot:
        value = RUN_THEN_RBI.get((pair[0].slot - pair[1].slot) % 9)
    return None if value is None else Measured(value, SHARES[key[0]], SHARES[key[1]])


@functools.cache
def _from_events(measured: Measured) -> float:
    p, q = measured.first_share, measured.second_share
    return tetrachoric(p, q, p * q + measured.correlation * float(np.sqrt(p * (1 - p) * q * (1 - q))))


def tetrachoric(first: float, second: float, joint: float) -> float:
    """Return the correlation of two normal variables whose events have these probabilities (Pearson, 1900)."""
    x, y = quantile(np.clip(np.array([first, second]), SMALLEST, 1 - SMALLEST))
    low, high = -LARGEST, LARGEST
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = float(both_below(np.array([x]), np.array([y]), np.array([middle]))[0])
        low, high = (middle, high) if below < joint else (low, middle)
    return (low + high) / 2


def _all_below(x: Floats, correlation: Floats) -> float:
    """Return P(every normal variable below its bound) by Genz's transformation (1992) on Halton points.

    Pairwise correlations need not fit together; eigenvalues below zero are lifted to the nearest matrix that does.
    """
    values, vectors = np.linalg.eigh(correlation)
    fixed = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    root = np.linalg.cholesky(fixed / np.outer(scale, scale))
    uniform = np.stack([_halton(POINTS, prime) for prime in PRIMES[: len(x) - 1]])
    weight = np.full(POINTS, float(cdf(x[:1] / root[0, 0])[0]))
    bound = weight
    drawn = np.zeros((len(x), POINTS))
    for i in range(1, len(x)):
        drawn[i - 1] = quantile(np.clip(uniform[i - 1] * bound, SMALLEST, 1 - SMALLEST))
        bound = cdf((x[i] - root[i, :i] @ drawn[:i]) / root[i, i])
        weight = weight * bound
    return float(weight.mean())


@functools.cache
def _halton(count: int, base: int) -> Floats:
    """Return the first points of the van der Corput sequence in a prime base."""
    points, fraction = np.zeros(count), 1.0
    index = np.arange(1, count + 1)
    while index.any():
        fraction /= base
        points += fraction * (index % base)
        index //= base
    return points
