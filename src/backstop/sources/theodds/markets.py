"""The market keys of player props in baseball; one that the feed does not know fails the whole call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backstop.errors import UsageError

BATTER: Final = (
    "batter_home_runs", "batter_first_home_run", "batter_hits", "batter_total_bases", "batter_rbis",
    "batter_runs_scored", "batter_hits_runs_rbis", "batter_singles", "batter_doubles", "batter_triples", "batter_walks",
    "batter_strikeouts", "batter_stolen_bases",
)  # fmt: skip
PITCHER: Final = (
    "pitcher_strikeouts", "pitcher_record_a_win", "pitcher_hits_allowed", "pitcher_walks", "pitcher_earned_runs",
    "pitcher_outs",
)  # fmt: skip

ALTERNATE: Final = "_alternate"
"""Ending of a market with other lines than the main one."""

WITH_ALTERNATE: Final = frozenset({
    "batter_total_bases", "batter_home_runs", "batter_hits", "batter_rbis", "batter_walks", "batter_strikeouts",
    "batter_runs_scored", "batter_singles", "batter_doubles", "batter_triples", "pitcher_hits_allowed",
    "pitcher_walks", "pitcher_strikeouts",
})  # fmt: skip

KNOWN: Final = frozenset({*BATTER, *PITCHER, *(market + ALTERNATE for market in WITH_ALTERNATE)})


def with_alternates(markets: Sequence[str]) -> list[str]:
    """Return the markets, each followed by its alternate lines where there are any.

    >>> with_alternates(["batter_hits", "pitcher_outs"])
    ['batter_hits', 'batter_hits_alternate', 'pitcher_outs']
    """
    found = []
    for market in markets:
        found.append(market)
        if market in WITH_ALTERNATE:
            found.append(market + ALTERNATE)
    return found


def check(markets: Sequence[str]) -> list[str]:
    """Return the markets without repetition.

    Raises:
        UsageError: there is none, or one that the feed would refuse with the whole call.
    """
    if not markets:
        raise UsageError("Props need at least one market, for example batter_hits.")
    if unknown := sorted(set(markets) - KNOWN):
        raise UsageError(
            f"{', '.join(unknown)}: not among the {len(KNOWN)} markets of baseball; the feed would refuse the whole "
            "call. Take one of backstop.sources.theodds.markets.KNOWN."
        )
    return list(dict.fromkeys(markets))
