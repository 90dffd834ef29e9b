"""How often a batter will come up, and how many batters a starter will face.

Plate appearances by slot: one logistic regression per threshold, moved by the season's own counts. Batters faced: an
empirical-Bayes mean of recent starts with the residuals of an earlier season around it (docs/model.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features.parameters import Parameters
from backstop.features.rates import Floats

MAX_TURNS: Final = 7
"""More than seven plate appearances of one batter happen in about one game of ten thousand."""

MAX_BATTERS: Final = 42
"""The longest start that the distribution of batters faced can hold."""

SHIFT_PRIOR_GAMES: Final = 3_000
"""Batter-games of the fitted level that steady the season's own level: a fortnight of games."""

SHORT_REST_DAYS: Final = 5
LONG_REST_DAYS: Final = 12
OPENING_DAYS: Final = 21
"""Of a season: until then a long rest is the winter, and spring games were pitched that nobody counts."""


START_DECAY: Final = 0.9
"""Weight of a start relative to the one after it."""

PRIOR_STARTS: Final = 2.0
"""Starts of the prior mean."""

STARTS_KEPT: Final = 40
"""Older starts weigh under 2 % and are left out."""


def turns_shift(turns: pl.DataFrame, season: int, parameters: Parameters) -> Floats:
    """Return, per threshold 2..7, by how much the season's log-odds differ from the fitted level.

    Args:
        turns: `Sums.turns`.
        season: The season of the slate.
        parameters: Fitted coefficients.
    """
    now = turns.filter((pl.col("season") == season) & pl.col("slot").is_between(1, 9)).sort("slot", "is_home", "turns")
    games = now["games"].to_numpy().astype(np.float64)
    slot, home, count = (now[name].to_numpy() for name in ("slot", "is_home", "turns"))
    fitted = _logistic(_linear(slot, home, np.zeros(len(slot)), parameters))
    reached = count[:, None] >= np.arange(2, MAX_TURNS + 1)
    total = games.sum() + SHIFT_PRIOR_GAMES
    base = _logistic(_linear(np.tile(np.arange(1, 10), 2), np.repeat([0, 1], 9), np.zeros(18), parameters)).mean(axis=0)
    expected = (games @ fitted + SHIFT_PRIOR_GAMES * base) / total
    observed = (games @ reached + SHIFT_PRIOR_GAMES * base) / total
    return _logit(observed) - _logit(expected)


def turns_at_least(slot: Floats, home: Floats, on_base: Floats, shift: Floats, parameters: Parameters) -> Floats:
    """Return P(plate appearances >= n) for n = 1..7, one row per batter; the first column is one.

    Args:
        slot: Batting slot 1-9.
        home: 1 where his team bats last.
        on_base: The line-up's mean on-base rate minus the league's.
        shift: Result of `turns_shift`.
        parameters: Fitted coefficients.
    """
    reach = _logistic(_linear(slot, home, on_base, parameters) + shift)
    with_first = np.concatenate([np.ones((len(reach), 1)), reach], axis=1)
    return np.minimum.accumulate(with_first, axis=1)


def expected_batters(starts: pl.DataFrame, column: str, prior: float) -> pl.DataFrame:
    """Return each pitcher's expected count per start: recent starts weigh more, two starts of the prior steady it.

    Args:
        starts: `Sums.starts`, any order.
        column: `batters_faced` or `outs_recorded`.
        prior: Mean of a pitcher nothing is known of.

    Returns:
        One row per `pitcher_id_mlbam`: `expected`, `starts` (kept ones), `last_start`.
    """
    age = pl.col("start").max().over("pitcher_id_mlbam") - pl.col("start")
    ordered = starts.sort("pitcher_id_mlbam", "game_date", "game_pk").with_columns(
        start=pl.int_range(pl.len()).over("pitcher_id_mlbam")
    )
    recent = ordered.with_columns(age=age).filter(pl.col("age") < STARTS_KEPT)
    weight = pl.lit(START_DECAY).pow(pl.col("age"))
    return (
        recent.with_columns(weight=weight, weighted=weight * pl.col(column))
        .group_by("pitcher_id_mlbam", maintain_order=True)
        .agg(
            expected=(pl.col("weighted").sum() + PRIOR_STARTS * prior) / (pl.col("weight").sum() + PRIOR_STARTS),
            starts=pl.len(),
            last_start=pl.col("game_date").last(),
        )
        .sort("pitcher_id_mlbam")
    )


def workload(parameters: Parameters) -> pl.Expr:
    """Return a starter's expected batters faced.

    Needs `recent_mean` (of his recent starts), `starts`, `relief_share` (null when never seen), `days_rest` (null
    before his first start), `season_age` (days since the season's first game), `is_home` (of the starter),
    `lineup_on_base` (of the opposing line-up). At least one batter.
    """
    terms = parameters.workload
    started = pl.col("starts") > 0
    rest, opening = pl.col("days_rest"), pl.col("season_age") <= OPENING_DAYS
    parts = [
        (pl.col("is_home"), terms.home),
        (rest < SHORT_REST_DAYS, terms.short_rest),
        ((rest > LONG_REST_DAYS) & ~opening, terms.long_rest),
        ((rest > LONG_REST_DAYS) & opening, terms.long_rest if terms.opening is None else terms.opening),
        (~started & pl.col("relief_share").is_not_null(), terms.first_from_relief),
        (~started & pl.col("relief_share").is_null(), terms.debut),
    ]
    flags = [pl.when(condition).then(value).otherwise(0.0) for condition, value in parts]
    relief = pl.when(started).then(pl.col("relief_share") / (1 + pl.col("starts")) * terms.relief_few).otherwise(0.0)
    expected = (
        pl.col("recent_mean") + terms.level + terms.lineup_on_base * pl.col("lineup_on_base") + relief.fill_null(0.0)
    )
    return pl.sum_horizontal(expected, *flags).clip(lower_bound=1.0)


def batters_distribution(mean: Floats, parameters: Parameters) -> Floats:
    """Return P(batters faced = b), b = 0..42, one row per start: the residuals of an earlier season around the mean.

    The residual histogram is that of the bin of the mean, mixed linearly with the neighbouring bin; a mean between two
    integers mixes the two shifts.
    """
    residuals, first, centres = parameters.workload_arrays()
    upper = np.clip(np.searchsorted(centres, mean), 1, len(centres) - 1)
    part = np.clip((mean - centres[upper - 1]) / (centres[upper] - centres[upper - 1]), 0.0, 1.0)[:, None]
    shape = residuals[upper - 1] * (1 - part) + residuals[upper] * part
    low = np.floor(mean).astype(int)
    fraction = (mean - low)[:, None]
    pmf = _shifted(shape, low + first) * (1 - fraction) + _shifted(shape, low + first + 1) * fraction
    return np.asarray(pmf / pmf.sum(axis=1, keepdims=True))


def _shifted(shape: Floats, start: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Place each row's histogram with its first entry at `start`; what falls outside 1..42 goes to the edge."""
    out = np.zeros((len(shape), MAX_BATTERS + 1))
    rows = np.arange(len(shape))
    for offset in range(shape.shape[1]):
        np.add.at(out, (rows, np.clip(start + offset, 1, MAX_BATTERS)), shape[:, offset])
    return out


def _linear(slot: Floats, home: Floats, on_base: Floats, parameters: Parameters) -> Floats:
    by_slot, at_home, by_on_base = parameters.turns_arrays()
    index = np.asarray(slot, dtype=np.int64) - 1
    return np.asarray(by_slot[index] + np.asarray(home)[:, None] * at_home + np.asarray(on_base)[:, None] * by_on_base)


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))
