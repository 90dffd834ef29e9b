"""Shrunken outcome rates per plate appearance: what a batter or pitcher does against an average opponent.

Empirical Bayes with league-scaled prior seasons (docs/model.md):

    n_i = x_i(season to date) + sum over y of w_y * x_iy * (l_i / l_iy), rescaled to the plate appearances counted
    theta_i = (n_i + k_i * m_i) / (n + k_i), rescaled to sum to one

Stabilisation points `k` were fitted on 2016; published ones (Carleton) are a little higher because they know no prior
seasons.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.features.outcomes import OUTCOMES, count_columns

Floats = NDArray[np.float64]

SEASON_WEIGHTS: Final = (1.0, 0.5, 0.3, 0.2)
"""Weight of the season to date and of the three before it, for what is a club's, a park's or the league's."""

LEAGUE_PRIOR_PA: Final = 15_000
"""Plate appearances of last season's league rate that enter this season's."""

FIRST_LEAGUE: Final = (0.2258, 0.0818, 0.0111, 0.1420, 0.0426, 0.0038, 0.0299, 0.4630)
"""The major leagues of 2024: what a league is taken for before anything is known of it."""

FIRST_LEAGUE_PA: Final = 500
"""Plate appearances of it in every season's rates: a day's games may lack a triple, and no rate may be zero."""

RELIEF_K: Final = (400.0, 800.0, 3000.0, 2500.0, 9000.0, 9000.0, 3000.0, 0.0)
"""Stabilisation points in plate appearances per outcome for a team's relief pitching taken as one."""


def league_rates(slots: pl.DataFrame, season: int, time_of_year: tuple[float, ...] | None = None) -> dict[int, Floats]:
    """Return the league's rate per outcome for each season counted, the current one steadied by the one before.

    Args:
        slots: `Sums.slots`.
        season: The season of the slate; it has rates even before its first game.
        time_of_year: Rates of the slate's time of the year relative to a season's, by which the season before counts.
    """
    totals = slots.group_by("season").agg(pl.col(count_columns()).sum()).sort("season")
    counts = {row[0]: np.asarray(row[1:], dtype=np.float64) for row in totals.iter_rows()}
    first = FIRST_LEAGUE_PA * np.asarray(FIRST_LEAGUE)
    rates = {year: (row + first) / (row.sum() + FIRST_LEAGUE_PA) for year, row in counts.items()}
    earlier = [year for year in rates if year < season]
    if earlier:
        prior = rates[max(earlier)]
        if time_of_year is not None:
            prior = prior * np.asarray(time_of_year)
            prior /= prior.sum()
        now = counts.get(season, np.zeros(len(OUTCOMES)))
        rates[season] = (now + LEAGUE_PRIOR_PA * prior) / (now.sum() + LEAGUE_PRIOR_PA)
    return rates


def weighted_counts(
    frame: pl.DataFrame,
    player: str,
    season: int,
    league: dict[int, Floats],
    weights: tuple[float, ...] = SEASON_WEIGHTS,
) -> tuple[pl.Series, Floats]:
    """Return the players and their season-weighted, league-scaled counts per outcome.

    Args:
        frame: Sums by season and player (further key columns are added up).
        player: The column of the player or team.
        season: The season of the slate.
        league: Result of `league_rates`.
        weights: Of the season to date and of those before it.

    Returns:
        The sorted players, and one row of eight weighted counts each; a row's sum is the weighted plate appearances.
    """
    recent = frame.filter(pl.col("season").is_between(season - len(weights) + 1, season))
    grouped = recent.group_by(player, "season").agg(pl.col(count_columns()).sum()).sort(player, "season")
    years = grouped["season"].to_numpy()
    raw = grouped.select(count_columns()).to_numpy().astype(np.float64)
    weight = np.asarray(weights)[season - years]
    scale = np.stack([league[season] / league[int(year)] for year in years]) if len(years) else np.ones_like(raw)
    scaled = raw * scale * weight[:, None]
    total = scaled.sum(axis=1)
    wanted = raw.sum(axis=1) * weight
    scaled *= np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)[:, None]
    players = grouped[player]
    starts = np.flatnonzero(np.r_[True, (players[1:] != players[:-1]).to_numpy()]) if len(players) else np.zeros(0, int)
    summed = np.add.reduceat(scaled, starts, axis=0) if len(players) else np.zeros((0, len(OUTCOMES)))
    return players.gather(starts), np.asarray(summed, dtype=np.float64)


def shrink(counts: Floats, prior: Floats, k: tuple[float, ...]) -> Floats:
    """Pull rates towards their prior means: one row of eight rates per player, each row summing to one.

    Args:
        counts: Weighted counts per outcome, zeros for a player without history.
        prior: Prior mean rates, same shape.
        k: Stabilisation point per outcome.
    """
    n = counts.sum(axis=1, keepdims=True)
    strength = np.asarray(k)
    bottom = n + strength
    theta: Floats = np.divide(counts + strength * prior, bottom, out=prior.copy(), where=bottom > 0)
    theta[:, -1] = 1.0 - theta[:, :-1].sum(axis=1)
    return theta
