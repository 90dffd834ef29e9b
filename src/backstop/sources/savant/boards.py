"""Savant's leaderboards: where each is found, who is in a row, and which columns it has.

Addresses and headers as recorded in 2025 and 2026. The id column has six names, the player's name five; two boards
name a column twice, the second time with another meaning. `min=q` would drop most players: the smallest minimum of
the closed list is asked, and the sample sizes are among the columns.

The year-to-year boards do not say which metric they hold. Their columns are as recorded, with hard-hit rates in them;
the address, and that `type=xwoba` gives expected wOBA, is known from clients only.
"""

from __future__ import annotations

from typing import Final

from backstop.sources.savant.board import Board

COMMA_NAME = "last_name, first_name"
EXPECTED = (
    "pa bip ba est_ba est_ba_minus_ba_diff slg est_slg est_slg_minus_slg_diff woba est_woba est_woba_minus_woba_diff"
)
EXIT = (
    "attempts avg_hit_angle anglesweetspotpercent max_hit_speed avg_hit_speed ev50 fbld gb max_distance avg_distance "
    "avg_hr_distance ev95plus ev95percent barrels brl_percent brl_pa"
)
ARSENAL_STATS = (
    "run_value_per_100 run_value pitches pitch_usage pa ba slg woba whiff_percent k_percent put_away est_ba est_slg "
    "est_woba hard_hit_percent"
)
PITCHES_SPEED = (
    "ff_avg_speed si_avg_speed fc_avg_speed sl_avg_speed ch_avg_speed cu_avg_speed fs_avg_speed kn_avg_speed "
    "st_avg_speed sv_avg_speed"
)
PERCENTILES = (
    "xwoba xba xslg xiso xobp brl brl_percent exit_velocity max_ev hard_hit_percent k_percent bb_percent whiff_percent "
    "chase_percent arm_strength"
)
BAT = (
    "swings_competitive percent_swings_competitive contact avg_bat_speed hard_swing_rate squared_up_per_bat_contact "
    "squared_up_per_swing blast_per_bat_contact blast_per_swing swing_length swords batter_run_value whiffs "
    "whiff_per_swing batted_ball_events batted_ball_event_per_swing"
)
BATTED = "bbe gb_rate air_rate fb_rate ld_rate pu_rate pull_rate straight_rate oppo_rate " + " ".join(
    f"{direction}_{kind}_rate" for kind in ("gb", "air") for direction in ("pull", "straight", "oppo")
)
TEMPO = (
    "total_pitches total_pitches_empty median_seconds_empty total_pitches_onbase median_seconds_empty#2 freq_hot "
    "freq_warm freq_cold"
)
HOME_RUNS = "avg_hr_trot doubters mostly_gone no_doubters no_doubter_per hr_total xhr xhr_diff"
CUSTOM = (
    "pa k_percent bb_percent woba xwoba sweet_spot_percent barrel_batted_rate hard_hit_percent avg_best_speed "
    "avg_hyper_speed whiff_percent swing_percent"
)
MOVEMENT = (
    "avg_speed pitches_thrown total_pitches pitches_per_game pitch_per pitcher_break_z league_break_z diff_z rise "
    "pitcher_break_z_induced pitcher_break_x league_break_x diff_x tail percent_rank_diff_z percent_rank_diff_x"
)
RUNNING_GAME = (
    "runs_prevented_on_running_attr n_pitcher_cs_aa n_init rate_sbx n_sb n_cs n_pk n_bk n_fb n_plus n_minus "
    "net_attr_plus net_attr_minus r_primary_lead r_secondary_lead r_sec_minus_prim_lead r_primary_lead_sbx "
    "r_secondary_lead_sbx r_sec_minus_prim_lead_sbx"
)
BASERUNNING = (
    "end_year runner_runs_tot runner_runs_XB runner_runs_SBX N_runner_moved runner_runs_XB_swipe runner_runs_XB_snipe "
    "runner_runs_XB_freeze N_runner_moved_XB runner_runs_SB2 runner_runs_SB3 simple_stolen_on_running_act_SB2 "
    "simple_stolen_on_running_act_SB3 N_runner_moved_SBX"
)
FIELDING = (
    "team_id run_value run_value_fielding run_value_range run_value_arm run_value_catching run_value_framing "
    "run_value_stealing run_value_blocks outs outs_2 outs_3 outs_4 outs_5 outs_6 outs_7 outs_8 outs_9"
)
SPIN_DIRECTION = (
    "n_pitches release_speed spin_rate movement_inches alan_active_spin_pct active_spin hawkeye_measured "
    "movement_inferred hawkeye_measured_clock_minutes movement_inferred_clock_minutes diff_measured_inferred diff2 "
    "diff_measured_inferred_minutes"
)
ACTIVE_SPIN = (
    "active_spin_fourseam active_spin_sinker active_spin_cutter active_spin_changeup active_spin_splitter "
    "active_spin_curve active_spin_slider active_spin_sweeper active_spin_slurve"
)
SWING_TAKE = "team_id pa pitches runs_all runs_heart runs_shadow runs_chase runs_waste"
ARM_ANGLES = "n_pitches team_id ball_angle relative_release_ball_x release_ball_z relative_shoulder_x shoulder_z"
STANCE = (
    "avg_batter_y_position avg_batter_x_position avg_foot_sep avg_stance_angle avg_intercept_y_vs_batter "
    "avg_intercept_y_vs_plate"
)
SWING_PATH = (
    "avg_bat_speed swing_tilt attack_angle attack_direction ideal_attack_angle_rate avg_intercept_y_vs_plate "
    "avg_intercept_y_vs_batter avg_batter_y_position avg_batter_x_position competitive_swings"
)
SWING_DATES = (
    "dateStart={season}-01-01&dateEnd={season}-12-31&gameType=Regular&minSwings=1&minGroupSwings=1"
    "&seasonStart={season}&seasonEnd={season}"
)
SECOND_TEMPO = (("median_seconds_empty#2", "median_seconds_onbase"),)
RUNNING_SPLITS = " ".join(f"seconds_since_hit_{feet:03d}" for feet in range(0, 91, 5))


def _both(name: str, path: str, params: str, measures: str, **more: object) -> tuple[Board, ...]:
    """Declare a board that exists for batters and for pitchers with the same columns."""
    return tuple(
        Board(f"{name}_{who}", path, params.replace("{who}", who), measures=measures, **more)  # type: ignore[arg-type]
        for who in ("batter", "pitcher")
    )


BOARDS: Final[dict[str, Board]] = {
    board.name: board
    for board in (
        Board(
            "expected_statistics_batter", "/leaderboard/expected_statistics",
            "type=batter&year={season}&position=&team=&filterType=pa&min=1", "player_id", COMMA_NAME, EXPECTED, "year",
        ),
        Board(
            "expected_statistics_pitcher", "/leaderboard/expected_statistics",
            "type=pitcher&year={season}&position=&team=&filterType=pa&min=1", "player_id", COMMA_NAME,
            f"{EXPECTED} era xera era_minus_xera_diff", "year",
        ),
        *_both(
            "exit_velocity", "/leaderboard/statcast", "type={who}&year={season}&position=&team=&min=1", EXIT,
            player_id="player_id", player_name=COMMA_NAME,
        ),
        Board(
            "sprint_speed", "/leaderboard/sprint_speed", "year={season}&position=&team=&min=10", "player_id",
            COMMA_NAME, "team_id age competitive_runs bolts hp_to_1b sprint_speed", texts=("team", "position"),
        ),
        *_both(
            "pitch_arsenal_stats", "/leaderboard/pitch-arsenal-stats",
            "type={who}&pitchType=&year={season}&team=&min=25", ARSENAL_STATS,
            player_id="player_id", player_name=COMMA_NAME, keys=("pitch_type",), texts=("team_name_alt", "pitch_name"),
        ),
        Board(
            "pitch_arsenals", "/leaderboard/pitch-arsenals", "year={season}&min=50&type=avg_speed&hand=", "pitcher",
            COMMA_NAME, PITCHES_SPEED,
        ),
        Board(
            "percentile_rankings_batter", "/leaderboard/percentile-rankings",
            "type=batter&year={season}&position=&team=", "player_id", "player_name",
            f"{PERCENTILES} sprint_speed oaa bat_speed squared_up_rate swing_length", "year",
            renamed=(("sprint_speed", "sprint_speed_percentile"), ("swing_length", "swing_length_percentile")),
        ),
        Board(
            "percentile_rankings_pitcher", "/leaderboard/percentile-rankings",
            "type=pitcher&year={season}&position=&team=", "player_id", "player_name",
            f"{PERCENTILES} xera fb_velocity fb_spin curve_spin", "year",
        ),
        *_both(
            "bat_tracking", "/leaderboard/bat-tracking", f"{SWING_DATES}&type={{who}}", BAT,
            player_id="id", player_name="name",
        ),
        Board(
            "swing_path", "/leaderboard/bat-tracking/swing-path-attack-angle", f"{SWING_DATES}&type=batter", "id",
            "name", SWING_PATH, keys=("side",),
        ),
        *_both(
            "batted_ball", "/leaderboard/batted-ball", "type={who}&year={season}&team=&min=1", BATTED,
            player_id="id", player_name="name",
        ),
        *_both(
            "home_runs", "/leaderboard/home-runs", "player_type={who}&team=&min=0&cat=adj_xhr&year={season}", HOME_RUNS,
            player_id="player_id", player_name="player", season="year", texts=("team_abbrev", "type"),
        ),
        Board(
            "pitch_movement", "/leaderboard/pitch-movement",
            "year={season}&team=&min=1&pitch_type=ALL&hand=&x=pitcher_break_x_hidden&z=pitcher_break_z_hidden",
            "pitcher_id", COMMA_NAME, MOVEMENT, "year", keys=("pitch_type",),
            texts=("team_name", "team_name_abbrev", "pitch_hand", "pitch_type_name"),
        ),
        Board(
            "active_spin", "/leaderboard/active-spin", "year={season}_spin-based&min=50&hand=", "entity_id",
            "entity_name", ACTIVE_SPIN, texts=("pitch_hand",),
        ),
        Board(
            "spin_direction", "/leaderboard/spin-direction-pitches",
            "year={season}&min=1&sort=9&sortDir=asc&pitch_type=ALL&throws=&playerName=&team=", "player_id", COMMA_NAME,
            SPIN_DIRECTION, "year", keys=("api_pitch_type",),
            texts=("pitch_hand", "api_pitch_name", "active_spin_formatted", "hawkeye_measured_clock_hh",
                   "hawkeye_measured_clock_mm", "hawkeye_measured_clock_label", "movement_inferred_clock_hh",
                   "movement_inferred_clock_mm", "movement_inferred_clock_label", "diff_clock_hh", "diff_clock_mm",
                   "diff_clock_label"),
        ),
        Board(
            "swing_take_batter", "/leaderboard/swing-take",
            "year={season}&team=&leverage=Neutral&group=Batter&type=All&sub_type=null&min=1", "player_id", COMMA_NAME,
            SWING_TAKE, "year",
        ),
        Board(
            "pitch_tempo_batter", "/leaderboard/pitch-tempo",
            "game_type=Regular&n=1&season_start={season}&season_end={season}&split=no&team=&type=Bat&with_team_only=1",
            "entity_id", "entity_name", f"team_id {TEMPO}", texts=("entity_code",), renamed=SECOND_TEMPO,
        ),
        Board(
            "pitch_tempo_pitcher", "/leaderboard/pitch-tempo",
            "game_type=Regular&n=1&season_start={season}&season_end={season}&split=no&team=&type=Pit&with_team_only=1",
            "entity_id", "entity_name", f"team_id {TEMPO}", texts=("entity_code",), renamed=SECOND_TEMPO,
        ),
        Board(
            "pitcher_arm_angles", "/leaderboard/pitcher-arm-angles",
            "batSide=&dateStart={season}-01-01&dateEnd={season}-12-31&gameType=R&groupBy=&min=1&minGroupPitches=1"
            "&perspective=back&pitchHand=&pitchType=&season={season}&size=small&sort=ascending&team=",
            "pitcher", "pitcher_name", ARM_ANGLES, texts=("pitch_hand",),
        ),
        Board(
            "batting_stance", "/visuals/batting-stance",
            "batSide=&contactType=&gameType=Regular&isHardHit=&minSwings=1&seasonStart={season}&seasonEnd={season}",
            "id", "name", STANCE, keys=("side",), texts=("bat_side",),
        ),
        Board(
            "fielding_run_value", "/leaderboard/fielding-run-value",
            "gameType=Regular&seasonStart={season}&seasonEnd={season}&type=fielder&position=&minInnings=0&minResults=1",
            "player_id", "player_name", FIELDING, "year",
        ),
        Board(
            "baserunning_run_value", "/leaderboard/baserunning-run-value",
            "game_type=Regular&season_start={season}&season_end={season}&sortColumn=runner_runs_tot"
            "&sortDirection=desc&split=no&n=1&team=&type=Run&with_team_only=1",
            "player_id", "entity_name", BASERUNNING, "start_year", texts=("team_name",),
        ),
        Board(
            "pitcher_running_game", "/leaderboard/pitcher-running-game",
            "game_type=Regular&n=1&pitch_hand=all&runner_moved=All&target_base=All&prior_pk=All&season_end={season}"
            "&season_start={season}&split=no&team=&type=Pit&with_team_only=1&expanded=0",
            "player_id", "player_name", f"end_year {RUNNING_GAME}", "start_year", keys=("key_target_base",),
            texts=("team_name",),
        ),
        Board(
            "fielder_positioning", "", "", "fielder_id", "name_fielder",
            "pa avg_norm_start_distance avg_norm_start_angle", "season",
            keys=("position", "fld_name_display_club"),
        ),
        *_both(
            "custom", "/leaderboard/custom",
            f"year={{season}}&type={{who}}&min=1&selections={CUSTOM.replace(' ', ',')}", CUSTOM,
            player_id="player_id", player_name=COMMA_NAME, season="year",
        ),
        *(
            Board(
                f"year_to_year_{who.lower()}", "/leaderboard/statcast-year-to-year",
                f"group={who}&type=xwoba&year={{season}}", "entity_id", "name", "value", metric="type",
            )
            for who in ("Batter", "Pitcher")
        ),
        Board(
            "outs_above_average", "/leaderboard/outs_above_average",
            "type=Fielder&startYear={season}&endYear={season}&split=no&team=&range=year&min=1&pos=&roles=&viz=hide",
            "player_id", COMMA_NAME,
            "fielding_runs_prevented outs_above_average outs_above_average_infront "
            "outs_above_average_lateral_toward3bline outs_above_average_lateral_toward1bline "
            "outs_above_average_behind outs_above_average_rhh outs_above_average_lhh",
            "year", texts=("display_team_name", "primary_pos_formatted", "actual_success_rate_formatted",
                           "adj_estimated_success_rate_formatted", "diff_success_rate_formatted"),
        ),
        Board(
            "running_splits", "/running_splits", "type=raw&bats=&year={season}&position=&team=&min=5", "player_id",
            COMMA_NAME, f"team_id age {RUNNING_SPLITS}", texts=("name_abbrev", "position_name", "bat_side"),
        ),
    )
}  # fmt: skip
"""Every board by name. Columns of the last two are known from clients only, all others from recordings."""
