"""One bet on a player, and which of his bets guarantee which."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Leg:
    """One bet.

    Attributes:
        game_pk: MLB id of the game.
        player_id_mlbam: MLBAM id.
        team: His team.
        slot: His place in the order; null for a starting pitcher.
        market: Market key.
        line: Points.
        side: `over` or `under`.
        probability: Calibrated probability that the leg wins.
    """

    game_pk: int
    player_id_mlbam: int
    team: str
    slot: int | None
    market: str
    line: float
    side: str
    probability: float

    def __str__(self) -> str:
        """The bet in words."""
        return f"Player {self.player_id_mlbam}'s {self.market} {self.side} {self.line:g}"


GUARANTEED: Final[dict[str, dict[str, int | Fraction]]] = {
    "batter_home_runs": {
        "batter_hits": 1, "batter_total_bases": 4, "batter_runs_scored": 1, "batter_rbis": 1,
        "batter_hits_runs_rbis": 3,
    },
    "batter_doubles": {"batter_hits": 1, "batter_total_bases": 2, "batter_hits_runs_rbis": 1},
    "batter_singles": {"batter_hits": 1, "batter_total_bases": 1, "batter_hits_runs_rbis": 1},
    "batter_hits": {"batter_total_bases": 1, "batter_hits_runs_rbis": 1},
    "batter_total_bases": {"batter_hits": Fraction(1, 4), "batter_hits_runs_rbis": Fraction(1, 3)},
    "batter_runs_scored": {"batter_hits_runs_rbis": 1},
    "batter_rbis": {"batter_hits_runs_rbis": 1},
}  # fmt: skip
"""What each one of a market's count is worth at least in another's, rounded up: a homer is a hit, four bases, a run and
a run batted in; four bases need a hit; three bases without a homer are one of hits, runs and runs batted in."""


def implies(first: Leg, second: Leg) -> bool:
    """Whether the count that decides the first leg cannot be reached without that of the second.

    The over of a line is reached at the next whole number, the under is lost from the line on.
    """
    if (first.game_pk, first.player_id_mlbam) != (second.game_pk, second.player_id_mlbam):
        return False
    worth = 1 if first.market == second.market else GUARANTEED.get(first.market, {}).get(second.market, 0)
    return math.ceil(_reached(first) * worth) >= _reached(second)


def excludes(first: Leg, second: Leg) -> bool:
    """Whether the second leg cannot win when the first does: the over of a count against the under of what it takes."""
    return (first.side, second.side) == ("over", "under") and implies(first, second)


def _reached(leg: Leg) -> int:
    return math.floor(leg.line) + 1 if leg.side == "over" else math.ceil(leg.line)


def without_implied(legs: list[Leg]) -> list[Leg]:
    """Leave out legs that win whenever another one does; that one is not likelier than they are."""
    kept = dict(enumerate(legs))
    for wide, narrow in itertools.permutations(range(len(legs)), 2):
        if wide in kept and narrow in kept and _wins_with(legs[wide], legs[narrow]):
            likelier = kept.pop(wide).probability
            kept[narrow] = replace(kept[narrow], probability=min(kept[narrow].probability, likelier))
    return list(kept.values())


def _wins_with(wide: Leg, narrow: Leg) -> bool:
    sides = (narrow.side, wide.side)
    return (sides == ("over", "over") and implies(narrow, wide)) or (
        sides == ("under", "under") and implies(wide, narrow)
    )


def between(first: Leg, second: Leg) -> bool:
    """Whether both win where the lower count is reached and the higher one is not: the chances' difference."""
    return any(
        implies(high, low) and (high.side, low.side) == ("under", "over")
        for high, low in ((first, second), (second, first))
    )


def both_at_least(first: Leg, second: Leg) -> float:
    """Return the least chance that both win: that of two legs of which one is lost only where the other wins."""
    return max(0.0, first.probability + second.probability - 1)
