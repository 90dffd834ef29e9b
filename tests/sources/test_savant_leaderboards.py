"""Leaderboards: every recorded board is read whole into its table; headers and ids under all their names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from backstop.errors import SchemaDrift, UpstreamMalformed, UsageError
from backstop.net.item import Item
from backstop.settings import Feed
from backstop.sources.parsed import Parsed
from backstop.sources.savant import leaderboards
from backstop.sources.savant.boards import BOARDS
from tests.sources.answers import answer, recorded

MORNING = dt.datetime(2025, 7, 26, 12, tzinfo=dt.UTC)

RECORDED = {
    "active_spin": ("2025/active-spin.csv", 618),
    "bat_tracking_batter": ("2025/bat_tracking.csv", 212),
    "bat_tracking_pitcher": ("2025/pitching_bat_tracking.csv", 215),
    "baserunning_run_value": ("2025/baserunning_run_value.csv", 237),
    "batted_ball_batter": ("2025/batted_ball.csv", 249),
    "batted_ball_pitcher": ("2025/Pitching_batted_ball.csv", 359),
    "batting_stance": ("2025/batting_stance.csv", 236),
    "custom_batter": ("2025/batting_stats.csv", 1529),
    "custom_pitcher": ("2025/pitching_stats.csv", 1220),
    "exit_velocity_batter": ("2025/exit_velocity.csv", 250),
    "exit_velocity_pitcher": ("2025/Pitching_exit_velocity.csv", 358),
    "expected_statistics_batter": ("2025/expected_stats.csv", 250),
    "expected_statistics_pitcher": ("2025/Pitching_expected_stats.csv", 358),
    "fielder_positioning": ("2025/positioning.csv", 1079),
    "fielding_run_value": ("2025/fielding_run_value.csv", 203),
    "home_runs_batter": ("2025/homeruns.csv", 511),
    "home_runs_pitcher": ("2025/Pitching_homeruns.csv", 683),
    "percentile_rankings_batter": ("2025/percentile_rankings.csv", 556),
    "percentile_rankings_pitcher": ("2025/pitching_percentile_rankings.csv", 609),
    "pitch_arsenal_stats_batter": ("2025/pitch-arsenal-stats.csv", 884),
    "pitch_arsenal_stats_pitcher": ("2025/pitching_pitch-arsenal-stats.csv", 546),
    "pitch_arsenals": ("2025/pitch_arsenals.csv", 351),
    "pitch_movement": ("2025/pitch_movement.csv", 402),
    "pitch_tempo_batter": ("2025/pitch_tempo.csv", 349),
    "pitch_tempo_pitcher": ("2025/pitching_pitch_tempo.csv", 360),
    "pitcher_arm_angles": ("2025/pitcher_arm_angles.csv", 286),
    "pitcher_running_game": ("2025/pitcher_running_game.csv", 468),
    "spin_direction": ("2025/spin-direction-pitches.csv", 254),
    "sprint_speed": ("2025/sprint_speed.csv", 606),
    "swing_path": ("2025/bat_tracking_swing_path.csv", 212),
    "swing_take_batter": ("2025/swing_take.csv", 300),
}


def parse(board: str, body: bytes | str, season: str = "2025") -> Parsed:
    item = Item(Feed.SAVANT, f"core_board_{board}", season, BOARDS[board].path or "/file")
    return leaderboards.parse(answer(item, body, at=MORNING))


@pytest.mark.realdata
@pytest.mark.parametrize("board", RECORDED)
def test_a_recorded_board_is_read_whole(realdata: Path, board: str) -> None:
    name, rows = RECORDED[board]
    body = recorded(realdata / f"savant/leaderboards_{name}")
    leaderboards.inspect(body)
    parsed = parse(board, body)
    table = BOARDS[board].table
    assert (parsed.rows_in, len(parsed.frame), len(parsed.rejected)) == (rows, rows, 0)
    assert parsed.frame.schema == table.schema
    assert (parsed.drift.added, parsed.drift.gone, parsed.drift.retyped) == ((), (), ())
    assert parsed.frame.select(pl.struct(table.key).is_unique().all()).item()
    assert (
        parsed.frame.select("player_id_mlbam", "retrieved_on", "season", "player_name").null_count().row(0) == (0,) * 4
    )
    assert parsed.frame["retrieved_on"].unique().to_list() == [MORNING.date()]


@pytest.mark.realdata
def test_boards_of_other_seasons_say_their_season_themselves(realdata: Path) -> None:
    body = recorded(realdata / "savant/leaderboards_prior/expected_stats_2022.csv")
    assert parse("expected_statistics_batter", body).frame["season"].unique().to_list() == [2022]


def test_the_comma_in_a_header_name_and_quoted_numbers_do_not_matter() -> None:
    body = (
        '\ufeff"last_name, first_name","player_id","team_id","team","position","age","competitive_runs","bolts",'
        '"hp_to_1b","sprint_speed"\n"Witt Jr., Bobby",677951,118,"KC","SS",24,"298","156","4.10","30.5"\n'
    )
    row = parse("sprint_speed", body).frame.row(0, named=True)
    assert (row["player_name"], row["player_id_mlbam"]) == ("Witt Jr., Bobby", 677951)
    assert (row["sprint_speed_ft_per_s"], row["hp_to_1b_s"], row["season"]) == (30.5, 4.1, 2025)


def test_a_number_without_leading_zero_is_read() -> None:
    body = '"last_name, first_name","player_id","year","woba"\n"Hunter, Torii",116338,2015,".304"\n'
    row = parse("custom_batter", body).frame.row(0, named=True)
    assert (row["woba"], row["season"]) == (0.304, 2015)


def test_the_second_column_of_a_doubled_name_is_the_one_with_runners_on() -> None:
    body = (
        "entity_id,entity_name,entity_code,team_id,total_pitches,total_pitches,total_pitches_empty,"
        "median_seconds_empty,total_pitches_onbase,median_seconds_empty,freq_hot,freq_warm,freq_cold\n"
        '672761,"Pérez, Wenceel",Bat,116,290,290,164,14.5,126,18.2,0.36,0.63,0.01\n'
    )
    parsed = parse("pitch_tempo_batter", body)
    row = parsed.frame.row(0, named=True)
    assert (row["median_seconds_empty_s"], row["median_seconds_onbase_s"]) == (14.5, 18.2)
    assert parsed.drift.duplicated == ("total_pitches",)


def year_to_year(board: str, body: bytes | str) -> Parsed:
    (item,) = leaderboards.plan(2025, [board])
    return leaderboards.parse(answer(item, body, at=MORNING))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("board", "name", "same", "rows"),
    [
        ("year_to_year_batter", "statcast_yty.csv", "exit_velocity.csv", 1108),
        ("year_to_year_pitcher", "pitching_statcast_yty.csv", "Pitching_exit_velocity.csv", 1406),
    ],
)
def test_columns_named_after_years_become_rows(realdata: Path, board: str, name: str, same: str, rows: int) -> None:
    """The recording holds hard-hit rates: its last year is that column of another board."""
    folder = realdata / "savant/leaderboards_2025"
    parsed = year_to_year(board, recorded(folder / name))
    assert (len(parsed.frame), len(parsed.rejected), bool(parsed.drift)) == (rows, 0, False)
    assert parsed.frame.schema == BOARDS[board].table.schema
    assert parsed.frame.null_count().row(0) == (0,) * parsed.frame.width
    assert sorted(parsed.frame["season"].unique()) == list(range(2015, 2026))
    other = pl.read_csv(folder / same).select(player_id_mlbam="player_id", there="ev95percent")
    last = parsed.frame.filter(season=2025).join(other, on="player_id_mlbam")
    assert last["value"].to_list() == last["there"].to_list()


def test_a_year_without_a_value_is_no_row_and_a_difference_of_years_is_known_and_left_out() -> None:
    body = (
        '\ufeff"name","entity_id",2024,2025,"delta_2024_2025","rank"\n'
        '"Witt Jr., Bobby",677951,.382,.361,-.021,1\n"Caglianone, Jac",695506,,.281,,2\n"Nobody",,.3,.3,0,3\n'
    )
    parsed = year_to_year("year_to_year_batter", body)
    assert parsed.frame.select("player_id_mlbam", "retrieved_on", "season", "metric", "value").rows() == [
        (677951, MORNING.date(), 2024, "xwoba", 0.382),
        (677951, MORNING.date(), 2025, "xwoba", 0.361),
        (695506, MORNING.date(), 2025, "xwoba", 0.281),
    ]
    assert (parsed.rejected_by_rule, parsed.rows_in) == ({"missing_value": 1}, 4)
    assert (parsed.drift.added, parsed.drift.gone) == (("rank",), ())


def test_values_without_a_year_or_without_a_metric_mean_nothing() -> None:
    with pytest.raises(SchemaDrift, match="after a year"):
        year_to_year("year_to_year_batter", "name,entity_id,delta_2024_2025\nA,1,2\n")
    with pytest.raises(UsageError, match="'type'"):
        parse("year_to_year_batter", "name,entity_id,2025\nA,1,.3\n")


def test_a_board_without_its_players_is_schema_drift() -> None:
    with pytest.raises(SchemaDrift, match="player_id"):
        parse("sprint_speed", "entity_id,age\n1,2\n")


@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html>", b"error\nError: Query Timeout\n", b"a,b\n1,2\n"])
def test_what_is_no_board_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        leaderboards.inspect(body)


def test_every_board_with_an_address_is_planned_for_the_season_asked() -> None:
    items = leaderboards.plan(2025)
    assert len(items) == sum(1 for board in BOARDS.values() if board.path) > 30
    assert all(item.params[-1] == ("csv", "true") for item in items)
    assert not any("{" in value or value == "None" for item in items for _, value in item.params)
    assert len({item.fingerprint for item in items}) == len(items)
    years = [dict(item.params) for item in items if item.path == "/leaderboard/statcast-year-to-year"]
    assert [(one["group"], one["type"], one["year"]) for one in years] == [
        ("Batter", "xwoba", "2025"), ("Pitcher", "xwoba", "2025"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("season", "words"), [(2014, "of 2014: ask for 2015 or a later"), (1876, "no leaderboards of 1876")]
)
def test_a_season_before_the_first_measured_one_is_a_usage_error(season: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        leaderboards.plan(season)
    assert len(leaderboards.plan(2015)) == len(leaderboards.plan(2025))


def test_a_board_that_is_not_known_or_has_no_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no leaderboard"):
        leaderboards.plan(2025, ["batting_averages"])
    with pytest.raises(UsageError, match="address"):
        leaderboards.plan(2025, ["fielder_positioning"])


@pytest.mark.parametrize("board", BOARDS)
def test_no_column_of_a_board_stands_twice(board: str) -> None:
    names = [column.name for column in BOARDS[board].table.columns]
    assert len(names) == len(set(names))
