"""What must be true of projections before anybody may read them (`out_props`)."""

from __future__ import annotations

import functools

import great_expectations as gx

from backstop import tables
from expectations.rules import columns_of, finite, never, one_of, required, suite, unique, within

SUM_TOLERANCE = 1e-9
"""Rounding error allowed in the sum of the three probabilities of a line."""

FLOATS = [column.name for column in tables.PROPS.columns if column.dtype.is_float()]


@functools.lru_cache(maxsize=1)
def props_suite() -> gx.ExpectationSuite:
    """Return the rules for one slate's props, in batches or whole."""
    probabilities = ("prob_over", "prob_push", "prob_under")
    return suite(
        "out_props",
        [
            columns_of(tables.PROPS),
            unique(tables.PROPS.key, "a reader asks for one price of one line"),
            *(required(column, "the key of a prop, or what makes it one") for column in tables.PROPS.key),
            *(required(column, "NaN or nothing is not a probability") for column in probabilities),
            *(within(column, 0.0, 1.0, "a probability") for column in probabilities),
            required("mean", "the expected count is what a reader sanity-checks"),
            required("player_name", "people read names"),
            required("model_version", "a grade is per version of the parameters"),
            required("as_of", "the last day that the features saw"),
            within("mean", 0.0, 60.0, "points of one player in one game"),
            within("fair_over_decimal", 1.0, None, "pays at least the stake"),
            within("best_price_decimal", 1.0, 5001.0, "pays more than the stake", strict_low=True),
            within("kelly_quarter", 0.0, 0.25, "a quarter of at most everything"),
            one_of("best_side", ["over", "under"], "the two sides of a line"),
            finite(FLOATS, "NaN is not a price, and the store refuses it"),
            never(
                f"abs(prob_over + prob_push + prob_under - 1.0) > {SUM_TOLERANCE}",
                "probabilities add up to one",
                "over, push and under are all that can happen",
            ),
            never("as_of >= game_date", "features older than the game", "what is known later is a leak"),
        ],
    )
