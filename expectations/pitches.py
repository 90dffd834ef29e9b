"""What must be true of pitches (`core_pitches`), a day at a time.

Critical rules concern what later rooms count by: the key, the people, the result. Measurements that physics or the
rules of the game exclude are warnings: a tracking error does not undo the strikeout that it was measured on.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import great_expectations as gx

from backstop import tables
from backstop.sources.savant.vocabulary import DESCRIPTIONS, EVENTS, PITCH_TYPES
from backstop.sources.teams import ABBREVIATIONS, ALL_STARS
from expectations.rules import WARNING, columns_of, differ, on_day, one_of, required, suite, unique, volume, within

if TYPE_CHECKING:
    import datetime as dt

PITCHES_PER_GAME = (100, 700)
"""A game called after five innings has about 130 pitches; the longest on record, 25 innings, would have about 750."""

SIDES = (*ABBREVIATIONS, *ALL_STARS.values())


@functools.lru_cache(maxsize=8)  # days at work at once; a season of suites would be a leak
def pitches_suite(day: dt.date, games: int | None) -> gx.ExpectationSuite:
    """Return the rules for one day's pitches.

    Args:
        day: The day that was asked for.
        games: Finished games on the schedule that day; `None` when the schedule does not say.
    """
    rules = [
        columns_of(tables.PITCHES),
        unique(tables.PITCHES.key, "a pitch that stands twice is counted twice"),
        *(required(column, "part of the key of a pitch") for column in tables.PITCHES.key),
        required("batter_id_mlbam", "a plate appearance belongs to a batter"),
        required("pitcher_id_mlbam", "a plate appearance belongs to a pitcher"),
        on_day(day, "another day's rows arrive with their own request"),
        within("at_bat_number", 1, 250, "counts both teams; 25 innings had about 190"),
        within("pitch_number", 1, 40, "the longest plate appearance on record had 21 pitches"),
        within("inning", 1, 30, "the longest game on record had 25 innings"),
        one_of("inning_topbot", ["Top", "Bot"], "says which team bats"),
        one_of("stand", ["L", "R"], "side batted in this plate appearance"),
        one_of("p_throws", ["L", "R"], "hand thrown with in this plate appearance"),
        one_of("home_team", SIDES, "a club of the league, or a league side in the all-star game"),
        one_of("away_team", SIDES, "a club of the league, or a league side in the all-star game"),
        differ("home_team", "away_team", "nobody plays himself"),
        differ("batter_id_mlbam", "pitcher_id_mlbam", "nobody pitches to himself"),
        one_of("events", EVENTS, "an unknown result would be counted as an out in silence"),
        *_warnings(),
    ]
    if games is not None:
        rules += volume(games, *PITCHES_PER_GAME)
    return suite("core_pitches", rules)


def _warnings() -> list[gx.expectations.Expectation]:
    return [
        one_of("description", DESCRIPTIONS, "an unknown result of a pitch; new ones appear", severity=WARNING),
        one_of("pitch_type", PITCH_TYPES, "an unknown pitch; new ones appear", severity=WARNING),
        within("balls", 0, 3, "before the pitch; miscounts occur", severity=WARNING),
        within("strikes", 0, 2, "before the pitch", severity=WARNING),
        within("outs_when_up", 0, 2, "before the pitch", severity=WARNING),
        within("release_speed_mph", 20.0, 107.0, "the fastest on record is 105.8", severity=WARNING),
        within("release_spin_rpm", 0.0, 4000.0, "the highest seen is about 3,750", severity=WARNING),
        within("plate_x_ft", -8.0, 8.0, "farther is a tracking error", severity=WARNING),
        within("plate_z_ft", -4.0, 12.0, "farther is a tracking error", severity=WARNING),
        within("launch_speed_mph", 0.0, 125.0, "the hardest hit on record is 122.9", severity=WARNING),
        within("launch_angle_deg", -90.0, 90.0, "an angle above the horizon", severity=WARNING),
        within("xba", 0.0, 1.0, "a probability", severity=WARNING),
        within("bat_speed_mph", 0.0, 95.0, "the fastest swing seen is 88", severity=WARNING),
    ]
