"""Parks: how much a home field raises or lowers each outcome, against what both teams are used to."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.rates import SEASON_WEIGHTS, Floats

EXPONENTS: Final = (0.6, 0.2, 0.0, 0.5, 0.9, 0.85, 0.8, 0.0)
"""How far the ratio carries over, per outcome, fitted on 2016."""

PARK_K: Final = (4000.0, 6000.0, 6000.0, 4000.0, 3000.0, 2500.0, 3000.0, 4000.0)
"""Plate appearances of neutral ground mixed into both halves of the ratio."""


def ratios(parks: pl.DataFrame, season: int, league: Floats) -> dict[str, Floats]:
    """Return per home team its park's ratio per outcome: the same team's home games over its road games, shrunken.

    Args:
        parks: `Sums.parks`; both sides' plate appearances count.
        season: The season of the slate; the three before it count too.
        league: The league's rates.
    """
    recent = parks.filter(pl.col("season").is_between(season - len(SEASON_WEIGHTS) + 1, season))
    home, road = (_by_team(recent, column) for column in ("home_team", "away_team"))
    k = np.asarray(PARK_K)
    nothing = np.zeros(len(OUTCOMES))
    found = {}
    for team in sorted(home.keys() | road.keys()):
        at_home, away = home.get(team, nothing), road.get(team, nothing)
        found[team] = ((at_home + k * league) / (at_home.sum() + k)) / ((away + k * league) / (away.sum() + k))
    return found


def factors(
    table: dict[str, Floats], home_team: list[str], batting_team: list[str], pitching_team: list[str]
) -> Floats:
    """Return the park factor per match-up and outcome.

    A team plays half its games at home, so its usual environment is half its own park; both sides' rates hold theirs
    already. A team without history counts as neutral.
    """
    neutral = np.ones(len(OUTCOMES))
    here, batting, pitching = (
        np.stack([table.get(team, neutral) for team in teams]) if teams else np.ones((0, len(OUTCOMES)))
        for teams in (home_team, batting_team, pitching_team)
    )
    usual = (1 + batting) / 2 * (1 + pitching) / 2
    return np.asarray((here / usual) ** np.asarray(EXPONENTS))


def _by_team(parks: pl.DataFrame, column: str) -> dict[str, Floats]:
    grouped = parks.group_by(column).agg(pl.col(count_columns()).sum()).sort(column)
    return {team: np.asarray(row, dtype=np.float64) for team, *row in grouped.iter_rows()}
