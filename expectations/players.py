"""What must be true of the players of a day's games (`core_players`) and of box scores (`core_box`)."""

from __future__ import annotations

import functools

import great_expectations as gx
import great_expectations.expectations as gxe

from backstop import tables
from expectations.rules import columns_of, differ, meta, never, required, suite, unique, within


@functools.lru_cache(maxsize=1)
def players_suite() -> gx.ExpectationSuite:
    """Return the rules for rosters and line-ups."""
    return suite(
        "core_players",
        [
            columns_of(tables.PLAYERS),
            unique(tables.PLAYERS.key, "a player has one place in a game"),
            required("game_pk", "the key of a game"),
            required("player_id_mlbam", "the spine of identity"),
            required("full_name", "books quote by name"),
            required("team", "same names are told apart by team"),
            differ("team", "opponent", "nobody plays himself"),
            within("slot", 1, 9, "nine bat"),
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=["game_pk", "team", "slot"],
                ignore_row_if="any_value_is_missing",
                meta=meta("one starter per slot", "two starters in one slot would both be projected for it"),
            ),
        ],
    )


@functools.lru_cache(maxsize=1)
def box_suite() -> gx.ExpectationSuite:
    """Return the rules for the lines that props settle on."""
    return suite(
        "core_box",
        [
            columns_of(tables.BOX),
            unique(tables.BOX.key, "a prop settles once"),
            required("game_pk", "the key of a game"),
            required("player_id_mlbam", "the spine of identity"),
            within("plate_appearances", 0, 12, "the record in one game is 11"),
            within("hits", 0, 9, "the record in one game is 9"),
            within("home_runs", 0, 5, "the record in one game is 4"),
            within("total_bases", 0, 25, "the record in one game is 19"),
            within("pitcher_strikeouts", 0, 25, "the record in one game is 21"),
            within("outs_recorded", 0, 81, "the record in one game is 78"),
            never("hits > at_bats", "hits within at-bats", "a hit is an at-bat"),
            never("doubles + triples + home_runs > hits", "extra-base hits within hits", "each of them is a hit"),
        ],
    )
