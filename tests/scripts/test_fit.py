"""Fitting what ships: plate appearances of Retrosheet as tallies, results of games, and how far two fits are apart."""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest

from scripts import fit, rehearse_image

DAY = dt.date(2016, 6, 1)


def turn(event, outcome, **changes):
    return {
        "game_pk": 1, "event_id": event, "date": DAY, "season": 2016, "batter_id_mlbam": 10, "pitcher_id_mlbam": 20,
        "bat_home_id": 1, "bat_team_id": "NYA", "fld_team_id": "BOS", "resp_bat_hand_cd": "L", "resp_pit_hand_cd": "R",
        "bat_start": True, "bat_lineup_id": 3, "pit_start": True, "event_outs_ct": 0, "pa_ball_ct": 1, "pa_strike_ct": 2,
        "pa_swingmiss_strike_ct": 1, "pa_foul_strike_ct": 0, "pa_inplay_strike_ct": 1, "outcome": outcome, **changes,
    }  # fmt: skip


def tallied(*turns):
    return fit._tallied(pl.DataFrame(list(turns)))


def test_a_batter_meets_a_pitcher_a_first_a_second_and_a_third_time_in_the_order_of_the_game():
    found = tallied(turn(30, "HR"), turn(5, "K", event_outs_ct=1), turn(12, "BB"))
    assert found["times_through"].to_list() == [1, 2, 3]
    assert found.select("n_strikeout", "n_walk", "n_home_run").rows() == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert found["outs_recorded"].to_list() == [1, 0, 0]


def test_pitches_swings_and_whiffs_are_added_and_batted_balls_were_not_measured():
    (row,) = tallied(turn(1, "1B", pa_foul_strike_ct=2)).iter_rows(named=True)
    assert (row["plate_appearances"], row["pitches"], row["pitches_described"]) == (1, 3, 3)
    assert (row["swings"], row["whiffs"]) == (4, 1)
    assert (row["n_single"], row["barrels"], row["batted_balls_measured"]) == (1, 0, 0)


@pytest.mark.parametrize(("home", "teams"), [(1, ("NYA", "BOS")), (0, ("BOS", "NYA"))])
def test_the_batting_club_is_at_home_or_away(home, teams):
    (row,) = tallied(turn(1, "OUT", bat_home_id=home)).iter_rows(named=True)
    assert (row["home_team"], row["away_team"], row["is_home"]) == (*teams, home == 1)


def test_who_came_off_the_bench_has_no_place_in_the_line_up():
    found = tallied(turn(1, "OUT"), turn(2, "OUT", batter_id_mlbam=11, bat_start=False))
    assert dict(zip(found["batter_id_mlbam"], found["slot"], strict=True)) == {10: 3, 11: 0}


def test_results_of_counted_games_and_known_players_are_a_row_per_market(tmp_path):
    file = tmp_path / "batter_games.parquet"
    pl.DataFrame(
        {
            "game_id": ["g1", "g1", "g2", "g1", "g1"],
            "player_id": ["p1", "p2", "p1", "stranger", "p2"],
            "b_pa": [4, 0, 4, 4, 3],
            "b_h": [2, 0, 1, 9, 0], "b_r": [1, 0, 0, 9, 0], "b_rbi": [3, 0, 0, 9, 1],
        }
    ).write_parquet(file)  # fmt: skip
    found = fit._results(
        file, {"g1": 7, "g2": 8}, {"p1": 1, "p2": 2}, fit.BATTERS, pl.col("b_pa") > 0, pl.Series(["g1"]).implode()
    )
    assert sorted(found.select("game_id", "player_id", "market", "value").rows()) == [
        ("7", "1", "batter_hits_runs_rbis", 6), ("7", "1", "batter_rbis", 3), ("7", "1", "batter_runs_scored", 1),
        ("7", "2", "batter_hits_runs_rbis", 1), ("7", "2", "batter_rbis", 1), ("7", "2", "batter_runs_scored", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "other", "difference"),
    [
        ({"a": [1.0, 2.5], "b": {"c": -1}}, {"b": {"c": 1}, "a": [1.0, 2.0]}, 2.0),
        ({}, {}, 0.0),
        ([], [], 0.0),
        ([1], [1, 2], math.inf),
        ({"a": 1}, {"b": 1}, math.inf),
        ("2024.4", "2024.4", 0.0),
        ("2024.4", "2024.3", math.inf),
        (None, 0.0, math.inf),
        ([None, 1], [None, 1.25], 0.25),
    ],
)
def test_two_fits_are_as_far_apart_as_their_farthest_numbers(mine, other, difference):
    assert fit.apart(mine, other) == fit.apart(other, mine) == difference


# the rehearsal of the image


@pytest.fixture
def image(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(rehearse_image, "TOOK_OPTIONS_S", 60)
    return tmp_path


def test_a_command_that_ends_without_its_servers_took_its_options(image):
    said = rehearse_image.start(image, ["sh", "-c", "echo 'no server at '$PREFECT_API_URL >&2; exit 3"])
    assert said == "took its options, and ended with code 3 without its servers"


def test_a_command_that_goes_on_has_started(image, monkeypatch):
    monkeypatch.setattr(rehearse_image, "TOOK_OPTIONS_S", 0.3)
    assert rehearse_image.start(image, ["sleep", "5"]) == "started"


@pytest.mark.parametrize("words", ["Error: No such option: --pol", "ModuleNotFoundError: No module named 'asyncpg'"])
def test_a_command_whose_option_or_module_does_not_exist_fails_the_rehearsal(image, words):
    with pytest.raises(SystemExit, match=r"sh -c .* does not start: .*No "):
        rehearse_image.start(image, ["sh", "-c", f'echo "{words}"; exit 1'])


def test_a_command_finds_the_programs_of_the_image_before_those_of_the_machine(image):
    program = image / ".venv" / "bin" / "greet"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\ntest "$HOME" = "$BACKSTOP_HOME" && exit 7\n')
    program.chmod(0o755)
    assert rehearse_image.start(image, ["greet"]).endswith("ended with code 7 without its servers")
