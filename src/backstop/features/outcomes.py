"""What a plate appearance can end in, and how Savant's event names map to it.

Counting rules: one plate appearance per (game, at bat) whose last pitch has an event other than the truncated ones;
they reproduce the official totals of 2024 exactly.
"""

from __future__ import annotations

from typing import Final

from backstop.sources.savant import vocabulary

OUTCOMES: Final = ("strikeout", "walk", "hbp", "single", "double", "triple", "home_run", "other_out")
"""The eight classes of the per-plate-appearance model. `other_out` also holds errors, sacrifices and interference."""

EVENT_OUTCOME: Final[dict[str, str]] = {
    **dict.fromkeys(vocabulary.PLATE_APPEARANCES, "other_out"),
    **dict.fromkeys(vocabulary.STRIKEOUTS, "strikeout"),
    **dict.fromkeys(vocabulary.WALKS, "walk"),
    **dict.fromkeys(vocabulary.HIT_BY_PITCH, "hbp"),
    **{hit: hit for hit in vocabulary.HITS},
}
"""Events that end a plate appearance."""

NO_PLATE_APPEARANCE: Final = vocabulary.TRUNCATED
"""Events on which a runner ended the inning, or nothing was played: the batter's turn does not count."""

EVENT_OUTS: Final[dict[str, int]] = {
    "strikeout": 1,
    "strike_out": 1,
    "strikeout_double_play": 2,
    "strikeout_triple_play": 3,
    "field_out": 1,
    "force_out": 1,
    "fielders_choice_out": 1,
    "grounded_into_double_play": 2,
    "double_play": 2,
    "sac_fly_double_play": 2,
    "sac_bunt_double_play": 2,
    "grounded_into_triple_play": 3,
    "triple_play": 3,
    "sac_fly": 1,
    "sac_bunt": 1,
    "batter_interference": 1,
}
"""Outs made on the event itself. Runners put out between plate appearances are added from the inning's end."""

SWINGS: Final = frozenset(
    {
        "foul",
        "foul_tip",
        "hit_into_play",
        "hit_into_play_score",
        "hit_into_play_no_out",
        "swinging_strike",
        "swinging_strike_blocked",
        "swinging_pitchout",
        "foul_pitchout",
        "pitchout_hit_into_play",
        "pitchout_hit_into_play_no_out",
        "pitchout_hit_into_play_score",
    }
)
"""Descriptions on which the batter swung; bunts are not swings."""

WHIFFS: Final = frozenset({"swinging_strike", "swinging_strike_blocked", "swinging_pitchout", "foul_tip"})
"""Descriptions on which he swung and did not put the ball past the catcher."""

BARREL: Final = 6
"""`launch_speed_angle` of a barrel."""


def count_columns() -> list[str]:
    """Return the columns that count outcomes: `n_strikeout` ... `n_other_out`."""
    return [f"n_{outcome}" for outcome in OUTCOMES]
