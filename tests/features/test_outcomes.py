"""Which event types end a plate appearance, against the list of the Stats API, and what each counts as."""

from __future__ import annotations

import pytest

from backstop.features.outcomes import EVENT_OUTCOME, EVENT_OUTS, NO_PLATE_APPEARANCE, OUTCOMES, SWINGS, WHIFFS
from backstop.sources.savant.vocabulary import DESCRIPTIONS, EVENTS

ENDS_A_TURN = [
    "single", "double", "triple", "home_run", "double_play", "field_error", "field_out", "fielders_choice",
    "fielders_choice_out", "force_out", "grounded_into_double_play", "strikeout", "strike_out",
    "strikeout_double_play", "strikeout_triple_play", "triple_play", "sac_fly", "catcher_interf",
    "batter_interference", "fan_interference", "sac_fly_double_play", "sac_bunt", "sac_bunt_double_play", "walk",
    "intent_walk", "hit_by_pitch",
]  # fmt: skip
"""Event types that the list calls plate appearances; it forgets grounded_into_triple_play, of which 2024 had none."""

ON_THE_BASES = [
    "pickoff_1b", "pickoff_2b", "pickoff_3b", "pickoff_error_1b", "pickoff_error_2b", "pickoff_error_3b", "error",
    "cs_double_play", "defensive_indiff", "passed_ball", "other_advance", "runner_double_play", "stolen_base_2b",
    "stolen_base_3b", "stolen_base_home", "caught_stealing_2b", "caught_stealing_3b", "caught_stealing_home",
    "pickoff_caught_stealing_2b", "pickoff_caught_stealing_3b", "pickoff_caught_stealing_home", "balk", "forced_balk",
    "wild_pitch", "other_out",
]  # fmt: skip
"""Those that it calls events on the bases."""


def test_every_event_type_that_ends_a_plate_appearance_counts_as_one_outcome() -> None:
    assert set(EVENT_OUTCOME) == {*ENDS_A_TURN, "grounded_into_triple_play"}
    assert set(EVENT_OUTCOME.values()) == set(OUTCOMES)


@pytest.mark.parametrize("event", [*ON_THE_BASES, "truncated_pa", "game_advisory", "ejection", "injury"])
def test_what_happens_on_the_bases_is_known_and_no_plate_appearance(event: str) -> None:
    assert event in NO_PLATE_APPEARANCE
    assert event not in EVENT_OUTCOME


def test_a_ruling_that_is_owed_is_not_guessed() -> None:
    assert "os_ruling_pending_primary" not in EVENTS


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("strikeout", {"strikeout", "strike_out", "strikeout_double_play", "strikeout_triple_play"}),
        ("walk", {"walk", "intent_walk"}),
        ("hbp", {"hit_by_pitch"}),
        ("home_run", {"home_run"}),
    ],
)
def test_the_events_behind_an_outcome(outcome: str, events: set[str]) -> None:
    assert {event for event, meant in EVENT_OUTCOME.items() if meant == outcome} == events


def test_the_rules_of_the_feed_and_the_count_know_the_same_words() -> None:
    assert set(EVENT_OUTCOME) | NO_PLATE_APPEARANCE == EVENTS
    assert set(EVENT_OUTS) <= set(EVENT_OUTCOME)
    assert WHIFFS < SWINGS < DESCRIPTIONS
