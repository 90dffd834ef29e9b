"""The prop markets: whose they are, which lines are offered by default, and what they settle on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backstop.errors import UsageError


@dataclass(frozen=True, slots=True)
class Market:
    """One market.

    Attributes:
        key: The Odds API's name.
        role: `batter` or `starter`: which features project it.
        lines: Lines priced even when nobody quotes them.
        settles_on: Columns of BOX whose sum is the outcome; a minus sign takes one away.
        highest: Largest outcome that the distribution holds; more is counted there.
    """

    key: str
    role: str
    lines: tuple[float, ...]
    settles_on: tuple[str, ...]
    highest: int


MARKETS: Final[dict[str, Market]] = {
    market.key: market
    for market in (
        Market("batter_hits", "batter", (0.5, 1.5, 2.5), ("hits",), 7),
        Market("batter_total_bases", "batter", (0.5, 1.5, 2.5, 3.5), ("total_bases",), 28),
        Market("batter_home_runs", "batter", (0.5, 1.5), ("home_runs",), 7),
        Market("batter_strikeouts", "batter", (0.5, 1.5, 2.5), ("strikeouts",), 7),
        Market("batter_walks", "batter", (0.5, 1.5), ("walks",), 7),
        Market("batter_singles", "batter", (0.5, 1.5), ("hits", "-doubles", "-triples", "-home_runs"), 7),
        Market("batter_doubles", "batter", (0.5,), ("doubles",), 7),
        Market("batter_runs_scored", "batter", (0.5, 1.5), ("runs",), 5),
        Market("batter_rbis", "batter", (0.5, 1.5), ("rbi",), 8),
        Market("batter_hits_runs_rbis", "batter", (0.5, 1.5, 2.5, 3.5), ("hits", "runs", "rbi"), 12),
        Market("batter_stolen_bases", "batter", (0.5,), ("stolen_bases",), 5),
        Market("pitcher_strikeouts", "starter", tuple(n + 0.5 for n in range(2, 10)), ("pitcher_strikeouts",), 25),
        Market("pitcher_outs", "starter", (14.5, 15.5, 16.5, 17.5, 18.5), ("outs_recorded",), 27),
        Market("pitcher_earned_runs", "starter", (0.5, 1.5, 2.5, 3.5), ("earned_runs",), 9),
        Market("pitcher_walks", "starter", (0.5, 1.5, 2.5), ("pitcher_walks",), 20),
        Market("pitcher_hits_allowed", "starter", (2.5, 3.5, 4.5, 5.5, 6.5), ("hits_allowed",), 25),
    )
}
"""Markets that can be projected."""


def market(key: str) -> Market:
    """Return a market by its key.

    Raises:
        UsageError: there is no such market.
    """
    if not isinstance(key, str) or key not in MARKETS:
        raise UsageError(f"{key!r} is not a market that is projected; the markets are {', '.join(sorted(MARKETS))}.")
    return MARKETS[key]
