"""What must be true of the schedule (`core_games`)."""

from __future__ import annotations

import functools

import great_expectations as gx

from backstop import tables
from expectations.rules import WARNING, columns_of, differ, one_of, required, suite, unique, within


@functools.lru_cache(maxsize=1)
def games_suite() -> gx.ExpectationSuite:
    """Return the rules for the games of any span of days."""
    return suite(
        "core_games",
        [
            columns_of(tables.GAMES),
            unique(tables.GAMES.key, "a postponed game is listed under two dates and must be kept once"),
            required("game_pk", "the key of a game"),
            required("game_date", "the baseball day; never the UTC date of the first pitch"),
            required("start_at", "line-ups and prices are dated by it"),
            required("home_team", "who plays"),
            required("away_team", "who plays"),
            differ("home_team", "away_team", "nobody plays himself"),
            one_of("abstract_status", ["Preview", "Live", "Final", "Other"], "decides what is due for the game"),
            one_of("game_type", ["R", "S", "E", "A", "D", "F", "L", "W", "P", "C"], "decides what counts as history"),
            one_of("doubleheader", ["N", "Y", "S"], "decides how quotes find their game"),
            within("game_number", 1, 2, "of a doubleheader", severity=WARNING),
            within("home_score", 0, 49, "the record of one team in one game is 36", severity=WARNING),
            within("away_score", 0, 49, "the record of one team in one game is 36", severity=WARNING),
        ],
    )
