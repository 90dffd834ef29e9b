"""The words that Savant uses for the results of pitches and plate appearances.

All seen from 2020 to 2026, and those that older seasons and rare plays have besides: Savant's results are the event
types of the Stats API, whose list says of each whether it ends a plate appearance.
"""

from __future__ import annotations

from typing import Final

SINGLE: Final = frozenset({"single"})
DOUBLE: Final = frozenset({"double"})
TRIPLE: Final = frozenset({"triple"})
HOME_RUN: Final = frozenset({"home_run"})
HITS: Final = SINGLE | DOUBLE | TRIPLE | HOME_RUN
WALKS: Final = frozenset({"walk", "intent_walk"})
STRIKEOUTS: Final = frozenset({"strikeout", "strike_out", "strikeout_double_play", "strikeout_triple_play"})
HIT_BY_PITCH: Final = frozenset({"hit_by_pitch"})
SACRIFICE_FLIES: Final = frozenset({"sac_fly", "sac_fly_double_play"})
SACRIFICE_BUNTS: Final = frozenset({"sac_bunt", "sac_bunt_double_play"})
INTERFERENCE: Final = frozenset({"catcher_interf"})
OUTS_IN_PLAY: Final = frozenset({
    "field_out", "force_out", "grounded_into_double_play", "field_error", "fielders_choice", "fielders_choice_out",
    "double_play", "triple_play", "grounded_into_triple_play", "batter_interference", "fan_interference",
})  # fmt: skip

PLATE_APPEARANCES: Final = (
    HITS | WALKS | STRIKEOUTS | HIT_BY_PITCH | SACRIFICE_FLIES | SACRIFICE_BUNTS | INTERFERENCE | OUTS_IN_PLAY
)
"""Events that end a plate appearance that counts."""

TRUNCATED: Final = frozenset({
    "truncated_pa",
    # in files recorded before November 2024; a download of today says truncated_pa
    "caught_stealing_2b", "caught_stealing_3b", "caught_stealing_home", "other_out", "pickoff_1b", "pickoff_2b",
    "pickoff_3b", "pickoff_caught_stealing_2b", "pickoff_caught_stealing_3b", "pickoff_caught_stealing_home",
    "stolen_base_2b", "stolen_base_3b", "wild_pitch", "runner_double_play", "passed_ball", "game_advisory", "ejection",
    # in the list of event types, and not seen in a recording
    "stolen_base", "stolen_base_home", "caught_stealing", "cs_double_play", "pickoff_error_1b", "pickoff_error_2b",
    "pickoff_error_3b", "balk", "forced_balk", "defensive_indiff", "error", "other_advance", "runner_interference",
    "fielder_interference", "no_pitch", "injury", "batter_timeout", "mound_visit",
})  # fmt: skip
"""Events after which the batter's turn ended on the bases, or nothing was played: no plate appearance.

A ruling that the official scorer owes (`os_ruling_pending_primary`) is in neither set: nobody knows what it will be,
and a later download of the day says it.
"""

EVENTS: Final = PLATE_APPEARANCES | TRUNCATED

DESCRIPTIONS: Final = frozenset({
    "ball", "foul", "hit_into_play", "called_strike", "swinging_strike", "blocked_ball", "foul_tip",
    "swinging_strike_blocked", "hit_by_pitch", "foul_bunt", "missed_bunt", "pitchout", "bunt_foul_tip",
    "automatic_ball", "automatic_strike", "hit_into_play_score", "hit_into_play_no_out",
    # before 2020
    "swinging_pitchout", "foul_pitchout", "pitchout_hit_into_play", "pitchout_hit_into_play_no_out",
    "pitchout_hit_into_play_score", "unknown_strike", "intent_ball",
})  # fmt: skip

PITCH_TYPES: Final = frozenset({
    "FF", "SI", "SL", "CH", "FC", "ST", "CU", "FS", "KC", "SV", "EP", "FA", "FO", "CS", "KN", "PO", "UN", "SC",
    # before 2020: two-seam fastballs apart from sinkers, intentional and automatic balls
    "FT", "IN", "AB",
})  # fmt: skip

COLUMNS_2026: Final = (
    "pitch_type", "game_date", "release_speed", "release_pos_x", "release_pos_z", "player_name", "batter", "pitcher",
    "events", "description", "spin_dir", "spin_rate_deprecated", "break_angle_deprecated", "break_length_deprecated",
    "zone", "des", "game_type", "stand", "p_throws", "home_team", "away_team", "type", "hit_location", "bb_type",
    "balls", "strikes", "game_year", "pfx_x", "pfx_z", "plate_x", "plate_z", "on_3b", "on_2b", "on_1b", "outs_when_up",
    "inning", "inning_topbot", "hc_x", "hc_y", "tfs_deprecated", "tfs_zulu_deprecated", "umpire", "sv_id", "vx0", "vy0",
    "vz0", "ax", "ay", "az", "sz_top", "sz_bot", "hit_distance_sc", "launch_speed", "launch_angle", "effective_speed",
    "release_spin_rate", "release_extension", "game_pk", "fielder_2", "fielder_3", "fielder_4", "fielder_5",
    "fielder_6", "fielder_7", "fielder_8", "fielder_9", "release_pos_y", "estimated_ba_using_speedangle",
    "estimated_woba_using_speedangle", "woba_value", "woba_denom", "babip_value", "iso_value", "launch_speed_angle",
    "at_bat_number", "pitch_number", "pitch_name", "home_score", "away_score", "bat_score", "fld_score",
    "post_away_score", "post_home_score", "post_bat_score", "post_fld_score", "if_fielding_alignment",
    "of_fielding_alignment", "spin_axis", "delta_home_win_exp", "delta_run_exp", "bat_speed", "swing_length",
    "miss_distance", "estimated_slg_using_speedangle", "delta_pitcher_run_exp", "hyper_speed", "home_score_diff",
    "bat_score_diff", "home_win_exp", "bat_win_exp", "age_pit_legacy", "age_bat_legacy", "age_pit", "age_bat",
    "n_thruorder_pitcher", "n_priorpa_thisgame_player_at_bat", "pitcher_days_since_prev_game",
    "batter_days_since_prev_game", "pitcher_days_until_next_game", "batter_days_until_next_game",
    "api_break_z_with_gravity", "api_break_x_arm", "api_break_x_batter_in", "arm_angle", "attack_angle",
    "attack_direction", "swing_path_tilt", "intercept_ball_minus_batter_pos_x_inches",
    "intercept_ball_minus_batter_pos_y_inches",
)  # fmt: skip
"""The 119 columns of 2026 in their order: 2025 lacks `miss_distance`, 2020 has 89 of them with two names doubled."""
