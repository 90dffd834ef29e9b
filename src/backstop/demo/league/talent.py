"""True talents of the league: what happens in a plate appearance, by hand.

Everything that decides a simulated plate appearance is in this module, so that the true probability of every prop can
be computed and a projection judged against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backstop.demo.clubs import CLUBS
from backstop.demo.league.people import BATTERS_OF_A_CLUB, ROSTER_SEED, STARTERS, Player, players
from backstop.demo.words import words

CLASSES: Final = ("K", "BB", "HBP", "1B", "2B", "3B", "HR", "OUT")
K, BB, HBP, SINGLE, DOUBLE, TRIPLE, HOMER, OUT = range(len(CLASSES))

LEAGUE: Final = np.array([0.222, 0.084, 0.011, 0.142, 0.043, 0.0035, 0.0305, 0.464])
"""Share of plate appearances, about the major leagues of 2025."""

BATTERS: Final[dict[str, tuple[float, ...]]] = {
    "leadoff": (0.185, 0.095, 0.011, 0.160, 0.045, 0.007, 0.022, 0.475),
    "contact": (0.140, 0.065, 0.010, 0.185, 0.048, 0.004, 0.016, 0.532),
    "star": (0.205, 0.125, 0.011, 0.135, 0.053, 0.003, 0.054, 0.414),
    "slugger": (0.265, 0.110, 0.012, 0.110, 0.043, 0.001, 0.058, 0.401),
    "gap": (0.205, 0.085, 0.010, 0.145, 0.058, 0.004, 0.033, 0.460),
    "average": (0.222, 0.084, 0.011, 0.142, 0.043, 0.0035, 0.0305, 0.464),
    "free": (0.275, 0.050, 0.012, 0.140, 0.042, 0.004, 0.030, 0.447),
    "glove": (0.235, 0.070, 0.011, 0.145, 0.036, 0.003, 0.018, 0.482),
    "catcher": (0.250, 0.080, 0.013, 0.132, 0.038, 0.001, 0.026, 0.460),
}
BY_PLACE: Final = words("leadoff star slugger gap average free average contact catcher catcher glove glove average")
"""Kind of batter by `Player.place`."""

PITCHERS: Final[dict[str, tuple[float, ...]]] = {
    "ace": (1.28, 0.78, 0.9, 0.92, 0.90, 0.9, 0.80, 1.0),
    "second": (1.10, 0.92, 1.0, 0.97, 0.97, 1.0, 0.93, 1.0),
    "middle": (1.00, 1.00, 1.0, 1.00, 1.00, 1.0, 1.00, 1.0),
    "ground": (0.84, 0.95, 1.1, 1.05, 0.98, 1.0, 0.80, 1.0),
    "fifth": (0.86, 1.08, 1.1, 1.05, 1.06, 1.1, 1.18, 1.0),
    "closer": (1.38, 1.00, 1.0, 0.88, 0.88, 0.8, 0.80, 1.0),
    "setup": (1.18, 1.05, 1.0, 0.94, 0.94, 0.9, 0.88, 1.0),
    "long": (0.96, 1.08, 1.0, 1.02, 1.02, 1.0, 1.04, 1.0),
}
"""What a pitcher does to the league's rates, as factors before the shares are made to sum to one."""

BY_ROLE: Final = words("ace second middle ground fifth closer setup setup long long long long long")
"""Kind of pitcher by `Player.place` after the batters: five starters, then the bullpen."""

SPREAD_BATTER: Final = np.array([0.16, 0.18, 0.30, 0.07, 0.10, 0.40, 0.24, 0.0])
SPREAD_PITCHER: Final = np.array([0.10, 0.12, 0.25, 0.04, 0.05, 0.10, 0.12, 0.0])
"""Standard deviation of an individual's logarithm of rate around his kind."""

SAME_HAND: Final = np.array([1.05, 0.93, 1.05, 0.98, 0.96, 0.90, 0.93, 1.0])
OTHER_HAND: Final = np.array([0.96, 1.06, 0.96, 1.01, 1.03, 1.05, 1.06, 1.0])
AT_HOME: Final = np.array([0.98, 1.03, 1.0, 1.01, 1.01, 1.05, 1.02, 1.0])
ON_THE_ROAD: Final = 1 / AT_HOME
BY_HANDS: Final = np.stack([OTHER_HAND, SAME_HAND])
"""By whether batter and pitcher use the same hand; a switch hitter never does."""

BY_PLACE_OF_GAME: Final = np.stack([ON_THE_ROAD, AT_HOME])
"""By whether the batter's club is at home."""

BY_TIME: Final = np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [0.893, 0.992, 1.0, 1.039, 1.050, 1.064, 1.097, 1.0],
        [0.813, 1.011, 1.0, 1.069, 1.101, 1.170, 1.189, 1.0],
    ]
)
"""By how often a pitcher has been through the order before, beside his first time, as in the major leagues."""

PARKS: Final[dict[str, tuple[float, ...]]] = {
    "COL": (0.92, 1.0, 1.0, 1.13, 1.18, 1.9, 1.10, 1.0),
    "BOS": (0.97, 1.0, 1.0, 1.04, 1.25, 1.0, 0.95, 1.0),
    "CIN": (1.00, 1.0, 1.0, 0.98, 1.00, 0.8, 1.24, 1.0),
    "NYY": (1.00, 1.0, 1.0, 0.98, 0.95, 0.8, 1.15, 1.0),
    "SEA": (1.07, 1.0, 1.0, 0.95, 0.94, 0.8, 0.96, 1.0),
    "SF": (1.00, 1.0, 1.0, 1.00, 1.00, 1.3, 0.82, 1.0),
    "PIT": (1.00, 1.0, 1.0, 1.02, 1.05, 1.1, 0.84, 1.0),
    "KC": (0.95, 1.0, 1.0, 1.03, 1.08, 1.4, 0.88, 1.0),
    "LAD": (1.00, 1.0, 1.0, 0.97, 0.98, 0.7, 1.16, 1.0),
}

LEVEL: Final = np.array([1.03, 0.985, 0.92, 0.993, 0.93, 0.92, 0.89, 1.03])
"""Brings what the kinds above, hands, pitchers and times through make of it back to `LEAGUE`."""

STEALS: Final = {"leadoff": 0.14, "star": 0.07, "contact": 0.06, "glove": 0.07, "free": 0.06}
"""Share of chances (on first, second free) in which a runner of a kind goes; 0.02 for the others."""

STEAL_SUCCEEDS: Final = 0.78

Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Talents:
    """Arrays over all players, by `Player.index`.

    Attributes:
        batting: Outcome rates against the league's average pitcher; for pitchers the league's.
        pitching: Factors on the league's rates; one for batters.
        steals: Share of chances in which he goes.
        stamina: Batters that he faces on average as a starter, or as a reliever.
        bats: 0 right, 1 left, 2 both.
        throws: 0 right, 1 left.
    """

    batting: Rates
    pitching: Rates
    steals: Rates
    stamina: Rates
    bats: NDArray[np.int8]
    throws: NDArray[np.int8]


@cache
def talents() -> Talents:
    """Return the true talents, the same for every season."""
    rng = np.random.default_rng(ROSTER_SEED + 1)
    everybody = players()
    batting = np.array([_batting(player) for player in everybody])
    pitching = np.array([_pitching(player) for player in everybody])
    batting *= LEVEL
    is_pitcher = np.array([player.is_pitcher for player in everybody])
    batting *= np.exp(np.where(is_pitcher[:, None], 0, SPREAD_BATTER) * rng.standard_normal(batting.shape))
    pitching *= np.exp(np.where(is_pitcher[:, None], SPREAD_PITCHER, 0) * rng.standard_normal(pitching.shape))
    starters = np.array([_is_starter(player) for player in everybody])
    stamina = np.where(starters, 22.8 + 1.6 * rng.standard_normal(len(everybody)), 4.0)
    kinds = [BY_PLACE[player.place] if not player.is_pitcher else "" for player in everybody]
    return Talents(
        batting / batting.sum(axis=1, keepdims=True),
        pitching,
        np.array([STEALS.get(kind, 0.02) for kind in kinds]),
        stamina,
        np.array(["RLS".index(player.person.bats or "R") for player in everybody], dtype=np.int8),
        np.array(["RL".index(player.person.throws or "R") for player in everybody], dtype=np.int8),
    )


def factors(club: int) -> Rates:
    """Return what a club's park does to the rates."""
    return np.array(PARKS.get(CLUBS[club].abbr, (1.0,) * len(CLASSES)))


def probabilities(
    batter: NDArray[np.int64],
    pitcher: NDArray[np.int64],
    park: Rates,
    at_home: NDArray[np.bool_],
    times: NDArray[np.int64],
) -> Rates:
    """Return the chance of every outcome of plate appearances, one row each.

    The batter's rates times the pitcher's factors, times what hands, park, home and the time through the order do.

    Args:
        batter: Index of players.
        pitcher: Index of players.
        park: The park's factors, one row each.
        at_home: Whether the batter's club is at home.
        times: How often the pitcher has been through the order already.
    """
    skills = talents()
    same = skills.bats[batter] == skills.throws[pitcher]
    rates = skills.batting[batter] * skills.pitching[pitcher]
    rates *= park
    rates *= BY_HANDS[same.astype(np.intp)]
    rates *= BY_PLACE_OF_GAME[at_home.astype(np.intp)]
    rates *= BY_TIME[np.minimum(times, len(BY_TIME) - 1)]
    rates /= rates.sum(axis=1, keepdims=True)
    return rates


def _is_starter(player: Player) -> bool:
    return BATTERS_OF_A_CLUB <= player.place < BATTERS_OF_A_CLUB + STARTERS


def _batting(player: Player) -> tuple[float, ...]:
    return BATTERS[BY_PLACE[player.place]] if not player.is_pitcher else tuple(LEAGUE)


def _pitching(player: Player) -> tuple[float, ...]:
    return PITCHERS[BY_ROLE[player.place - BATTERS_OF_A_CLUB]] if player.is_pitcher else (1.0,) * len(CLASSES)
