"""What must be true of features before anything is projected from them (`out_features`)."""

from __future__ import annotations

import functools

import great_expectations as gx

from backstop.features.build import SCHEMA
from backstop.features.outcomes import OUTCOMES
from expectations.rules import WARNING, finite, meta, never, one_of, required, suite, unique, within

SUM_TOLERANCE = 1e-9
"""Rounding error allowed in the sum of the rates of all outcomes."""

FLOATS = [name for name, dtype in SCHEMA.items() if dtype.is_float()]


@functools.lru_cache(maxsize=1)
def features_suite() -> gx.ExpectationSuite:
    """Return the rules for one slate's features, in batches or whole."""
    rates = [f"rate_{outcome}" for outcome in OUTCOMES]
    return suite(
        "out_features",
        [
            gx.expectations.ExpectTableColumnsToMatchSet(
                column_set=list(SCHEMA),
                exact_match=True,
                meta=meta("columns as declared", "the data dictionary documents exactly these"),
            ),
            unique(["game_pk", "player_id_mlbam", "role"], "one row per game, player and role"),
            *(required(column, "the key of a row") for column in ("game_pk", "player_id_mlbam", "role")),
            one_of("role", ["batter", "starter"], "decides which markets are projected"),
            *(required(rate, "a missing rate would be projected as never") for rate in rates),
            *(within(rate, 0.0, 1.0, "a share of plate appearances") for rate in rates),
            within("slot", 1, 9, "nine bat"),
            within("batters_faced_mean", 3.0, 40.0, "a starter who is expected to be a starter"),
            within("history_pa", 0, 30_000, "more than a career", severity=WARNING),
            finite(FLOATS, "what is not known is null; NaN would spread through every projection"),
            never(
                f"abs({' + '.join(rates)} - 1.0) > {SUM_TOLERANCE}",
                "rates add up to one",
                "every plate appearance ends in one of the outcomes",
            ),
            never("as_of >= game_date", "features older than the game", "what is known later is a leak"),
        ],
    )
