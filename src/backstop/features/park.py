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

MOVES: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "ATH": ((0, "Oakland Coliseum"), (2025, "Sutter Health Park")),
    "ATL": ((0, "Turner Field"), (2017, "Truist Park")),
    "TB": ((0, "Tropicana Field"), (2025, "Steinbrenner Field"), (2026, "Tropicana Field")),
    "TEX": ((0, "Globe Life Park"), (2020, "Globe Life Field")),
    "TOR": ((0, "Rogers Centre"), (2020, "Sahlen Field"), (2021, "TD Ballpark"), (2022, "Rogers Centre")),
}
"""Clubs that changed their park, and from which season on: what a park does does not move with the club."""


def ratios(parks: pl.DataFrame, season: int, league: Floats) -> dict[str, Floats]:
    """Return per home team its park's ratio per outcome: the same team's home games over its road games, shrunken.

    A season that the team played in another park does not count, neither its home games nor, to compare like with like,
    its road games.

    Args:
        parks: `Sums.parks`; both sides' plate appearances count.
        season: The season of the slate; the three before it count too.
        league: The league's rates.
    """
    recent = parks.filter(pl.col("season").is_between(season - len(SEASON_WEIGHTS) + 1, season))
    home, road = (_by_team(recent, column, season) for column in ("home_team", "away_team"))
    k = np.asarray(PARK_K)
    nothing = np.zeros(len(OUTCOMES))
    found = {}
    for team in sorted(home.keys() | road.keys()):
        at_home, away = home.get(team, nothing), road.get(team, nothing)
        found[team] = ((at_home + k * league) / (at_home.sum() + k)) / ((away + k * league) / (away.sum() + k))
    return found


def park_of(team: str, season: int) -> str:
    """Return the name of a team's home park in a season; the team's own for those that did not move."""
    names = [name for first, name in MOVES.get(team, ()) if first <= season]
    return names[-1] if names else team


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


def _by_team(parks: pl.DataFrame, column: str, season: int) -> dict[str, Floats]:
    """Add up each team's seasons in the park of today."""
    same = [park_of(team, year) == park_of(team, season) for team, year in parks.select(column, "season").iter_rows()]
    kept = parks.filter(pl.Series(same, dtype=pl.Boolean))
    grouped = kept.group_by(column).agg(pl.col(count_columns()).sum()).sort(column)
    return {team: np.asarray(row, dtype=np.float64) for team, *row in grouped.iter_rows()}
