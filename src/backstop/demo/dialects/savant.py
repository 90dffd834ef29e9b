"""Baseball Savant's format: the search CSV with its filters, its row cap and its quoting.

Source: https://baseballsavant.mlb.com/statcast_search/csv, as recorded 2020-2026.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import polars as pl

from backstop.demo.words import number, words
from backstop.demo.world import PitchAsk

ROW_CAP: Final = 25_000
"""Rows after which Savant stops without a word."""

BOM: Final = "\ufeff".encode()

QUERY_TIMEOUT: Final = b'"error"\n"Error: Query Timeout. Please try to limit your query to less data."\n'
"""Savant's way of saying that a question was too large: status 200, one column."""

HEADER: Final = words(
    """pitch_type game_date release_speed release_pos_x release_pos_z player_name batter pitcher events description
    spin_dir spin_rate_deprecated break_angle_deprecated break_length_deprecated zone des game_type stand p_throws
    home_team away_team type hit_location bb_type balls strikes game_year pfx_x pfx_z plate_x plate_z on_3b on_2b on_1b
    outs_when_up inning inning_topbot hc_x hc_y tfs_deprecated tfs_zulu_deprecated umpire sv_id vx0 vy0 vz0 ax ay az
    sz_top sz_bot hit_distance_sc launch_speed launch_angle effective_speed release_spin_rate release_extension game_pk
    fielder_2 fielder_3 fielder_4 fielder_5 fielder_6 fielder_7 fielder_8 fielder_9 release_pos_y
    estimated_ba_using_speedangle estimated_woba_using_speedangle woba_value woba_denom babip_value iso_value
    launch_speed_angle at_bat_number pitch_number pitch_name home_score away_score bat_score fld_score post_away_score
    post_home_score post_bat_score post_fld_score if_fielding_alignment of_fielding_alignment spin_axis
    delta_home_win_exp delta_run_exp bat_speed swing_length estimated_slg_using_speedangle delta_pitcher_run_exp
    hyper_speed home_score_diff bat_score_diff home_win_exp bat_win_exp age_pit_legacy age_bat_legacy age_pit age_bat
    n_thruorder_pitcher n_priorpa_thisgame_player_at_bat pitcher_days_since_prev_game batter_days_since_prev_game
    pitcher_days_until_next_game batter_days_until_next_game api_break_z_with_gravity api_break_x_arm
    api_break_x_batter_in arm_angle attack_angle attack_direction swing_path_tilt
    intercept_ball_minus_batter_pos_x_inches intercept_ball_minus_batter_pos_y_inches"""
)
"""The 118 columns of 2025, in Savant's order."""

MISS_DISTANCE_AFTER: Final = "swing_length"
"""Where 2026 put its 119th column, `miss_distance`."""

REPEATED_UNTIL_JULY_2024: Final = ("pitcher", "fielder_2")
"""Columns that stood in the header a second time, after `game_pk`."""

WHOLE_NUMBERS: Final = frozenset(
    words(
        """batter pitcher zone hit_location balls strikes game_year on_3b on_2b on_1b outs_when_up inning
    hit_distance_sc launch_angle release_spin_rate game_pk fielder_2 fielder_3 fielder_4 fielder_5 fielder_6 fielder_7
    fielder_8 fielder_9 woba_denom babip_value iso_value launch_speed_angle at_bat_number pitch_number home_score
    away_score bat_score fld_score post_away_score post_home_score post_bat_score post_fld_score spin_axis
    home_score_diff bat_score_diff age_pit_legacy age_bat_legacy age_pit age_bat n_thruorder_pitcher
    n_priorpa_thisgame_player_at_bat pitcher_days_since_prev_game batter_days_since_prev_game
    pitcher_days_until_next_game batter_days_until_next_game umpire"""
    )
)
"""Columns that Savant prints without a decimal point."""

POSTSEASON: Final = frozenset("FDLW")


class Unreadable(ValueError):
    """A parameter that makes Savant answer with its normal web page."""


def ask(query: Sequence[tuple[str, str]]) -> PitchAsk:
    """Read the parameters of a search.

    Raises:
        Unreadable: a date or an id is not one.
    """
    names = {name: value for name, value in query if value}
    return PitchAsk(
        first=_date(names.get("game_date_gt")),
        last=_date(names.get("game_date_lt")),
        game_types=_game_types(names.get("hfGT", "")),
        batters=_ids(query, "batters_lookup[]"),
        pitchers=_ids(query, "pitchers_lookup[]"),
        games=_ids(query, "game_pk"),
        team=names.get("team", names.get("hfTeam", "")).strip("|") or None,
        seasons=frozenset(year for part in names.get("hfSea", "").split("|") if (year := number(part)) is not None),
        named="batter" if names.get("player_type") == "batter" else "pitcher",
    )


def csv(frame: pl.DataFrame, *, cap: int = ROW_CAP, without: frozenset[str] = frozenset()) -> bytes:
    """Print pitches as Savant does: BOM, quoted header and text, at most `cap` rows, the newest.

    Args:
        frame: Columns under Savant's names; what lacks is printed as empty, what Savant never had comes last.
        cap: Rows after which to stop.
        without: Columns that this era lacks.
    """
    columns = [name for name in header(frame.columns) if name not in without]
    shown = frame.head(cap).select(_printed(name, frame.schema) for name in columns)
    return BOM + shown.write_csv(quote_style="non_numeric").encode()


def csv_of_2020(frame: pl.DataFrame, *, cap: int = ROW_CAP) -> bytes:
    """Print pitches as Savant did in 2020: 89 columns, two of them twice, `First Last`, nulls as the word null.

    Args:
        frame: Columns under Savant's names.
        cap: Rows after which to stop.
    """
    columns = list(HEADER[: HEADER.index("spin_axis")])
    place = columns.index("game_pk") + 1
    columns[place:place] = REPEATED_UNTIL_JULY_2024
    first_last = pl.col("player_name").str.replace(r"^(.*), (.*)$", "$2 $1")
    rows = frame.head(cap).with_columns(first_last) if "player_name" in frame.columns else frame.head(cap)
    shown = rows.select(_printed(name, rows.schema).alias(f"{place}#{name}") for place, name in enumerate(columns))
    head = ",".join(f'"{name}"' for name in columns)
    body = shown.write_csv(quote_style="non_numeric", include_header=False, null_value="null")
    return f"{head}\n{body}".encode()


def grouped(frame: pl.DataFrame, named: str) -> bytes:
    """Print what Savant gives to who forgets `type=details`: another table altogether, one row per player.

    Args:
        frame: Pitches with `player_name`.
        named: `pitcher` or `batter`.
    """
    speeds = [name for name in ("release_speed", "launch_speed") if name in frame.columns]
    rows = frame.group_by(player_id=named).agg(
        pl.len().alias("pitches"), pl.col("player_name").first(), *(pl.col(name).mean().round(1) for name in speeds)
    )
    share = (pl.col("pitches") / pl.max_horizontal(pl.col("pitches").sum(), 1) * 100).round(1)
    total = pl.col("pitches").alias("total_pitches")
    columns: list[str | pl.Expr] = ["pitches", "player_id", "player_name", total, share.alias("pitch_percent"), *speeds]
    shown = rows.sort("pitches", "player_id", descending=True).select(columns)
    return BOM + shown.write_csv(quote_style="non_numeric").encode()


def header(columns: Sequence[str]) -> list[str]:
    """Return the names to print, in order: the 118, `miss_distance` where it belongs, then unknown ones."""
    known = list(HEADER)
    if "miss_distance" in columns:
        known.insert(known.index(MISS_DISTANCE_AFTER) + 1, "miss_distance")
    return known + [name for name in columns if name not in known]


def _printed(name: str, schema: pl.Schema) -> pl.Expr:
    dtype = schema.get(name)
    if dtype is None or dtype == pl.Null():
        return pl.lit(None, pl.Int64()).alias(name)
    if name in WHOLE_NUMBERS and dtype.is_float():
        return pl.col(name).round().cast(pl.Int64())
    if dtype.is_temporal():
        return pl.col(name).dt.strftime("%Y-%m-%d")
    return pl.col(name)


def _date(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Unreadable(text) from None


def _ids(query: Sequence[tuple[str, str]], name: str) -> frozenset[int]:
    ids = {value: number(value) for key, value in query if key == name and value}
    if None in ids.values():
        raise Unreadable(f"{name}={list(ids)}")
    return frozenset(filter(None, ids.values()))


def _game_types(text: str) -> frozenset[str]:
    # pybaseball sends `R|PO|S|=`, and Savant does not mind
    parts = {part for part in text.replace("=", "").split("|") if part}
    return frozenset(parts - {"PO"}) | (POSTSEASON if "PO" in parts else frozenset())
