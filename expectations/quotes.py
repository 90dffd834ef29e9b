"""What must be true of the books' prices (`core_quotes`)."""

from __future__ import annotations

import datetime as dt
import functools

import great_expectations as gx

from backstop import tables
from expectations.rules import columns_of, later, on_day, one_of, required, suite, unique, within

MATCHED_SHARE = 0.98
"""Quotes whose player must be known: 98.5 to 99 % of recorded names are; fewer means that recipe or rosters broke."""


@functools.lru_cache(maxsize=8)  # days at work at once; a season of suites would be a leak
def quotes_suite(day: dt.date, matched_share: float = MATCHED_SHARE) -> gx.ExpectationSuite:
    """Return the rules for one slate's quotes.

    Args:
        day: The slate's day.
        matched_share: Smallest share of quotes whose player must be known; the others go to quarantine all the same.
            Smaller where a name or two are unknown (`backstop.identity.match.borne`).
    """
    return suite(
        "core_quotes",
        [
            columns_of(tables.QUOTES),
            unique(tables.QUOTES.key, "one price per book, player, line and side at one instant"),
            required("event_id_theodds", "part of the key"),
            required("bookmaker", "part of the key"),
            required("market", "part of the key"),
            required("line", "part of the key"),
            required("price_decimal", "a quote is a price"),
            required("game_pk", "a quote for a game that is not on the schedule", rule="game is on the schedule"),
            required(
                "player_id_mlbam", "a quote for a player nobody knows", mostly=matched_share, rule="player is known"
            ),
            on_day(day, "another day's prices belong to another slate"),
            one_of("side", ["over", "under"], "the two sides of a line"),
            within("price_decimal", 1.0, 5001.0, "pays more than the stake; home runs reach 3,001", strict_low=True),
            within("line", 0.0, 60.0, "points of one player in one game"),
            later("commence_at", "updated_at", "a price stamped after the first pitch is a price of another bet"),
        ],
    )
