"""Leaderboards, people, the live feed and the register, read by those who read the real ones."""

from __future__ import annotations

import datetime as dt

import httpx
import polars as pl
import pytest

from backstop.net.item import Answer, Item
from backstop.sources import chadwick
from backstop.sources.savant import leaderboards
from backstop.sources.statsapi import livefeed, people
from tests.demo.frames import pitches, schedule

NOW = dt.datetime(2025, 5, 2, 17, 40, tzinfo=dt.UTC)


def ask(client: httpx.Client, item: Item) -> Answer:
    answer = client.get(item.path, params=dict(item.params))
    assert answer.status_code == 200, item.path
    return Answer(item, 200, answer.content, NOW, "0" * 64)


@pytest.mark.parametrize("board", ["expected_statistics_batter", "expected_statistics_pitcher", "exit_velocity_batter"])
def test_boards_of_the_league_are_read_as_savants(demo: httpx.Client, board: str):
    (item,) = leaderboards.plan(2025, [board])
    parsed = leaderboards.parse(ask(demo, item))
    assert len(parsed.frame) > 250
    assert len(parsed.rejected) == 0


def test_expected_statistics_agree_with_the_pitches(demo: httpx.Client):
    (item,) = leaderboards.plan(2025, ["expected_statistics_batter"])
    board = leaderboards.parse(ask(demo, item)).frame.sort("pa", descending=True).row(0, named=True)
    frame = pitches(demo, "2025-04-01", "2025-05-01", **{"batters_lookup[]": board["player_id_mlbam"]})
    ends = frame.filter(pl.col("events").is_not_null(), pl.col("events") != "truncated_pa")
    assert board["pa"] == len(ends)
    hits = ends["events"].is_in(["single", "double", "triple", "home_run"]).sum()
    outs = (~ends["events"].is_in(["walk", "intent_walk", "hit_by_pitch", "sac_fly", "sac_bunt"])).sum()
    assert board["ba"] == pytest.approx(hits / outs, abs=0.001)


@pytest.mark.parametrize("item", leaderboards.plan(2025), ids=lambda item: item.table)
def test_every_board_that_is_planned_is_answered_with_its_own_columns(demo: httpx.Client, item: Item):
    parsed = leaderboards.parse(ask(demo, item))
    assert (parsed.drift.duplicated, len(parsed.rejected)) == ((), 0)
    assert set(parsed.drift.gone) <= {"era", "xera", "era_minus_xera_diff"}, "the league has no earned runs by pitch"


def test_an_unknown_board_or_year_is_a_web_page_with_200(demo: httpx.Client):
    for path in ("/leaderboard/nothing?csv=true", "/leaderboard/expected_statistics?year=1999&csv=true"):
        answer = demo.get(path)
        assert answer.status_code == 200
        assert answer.text.startswith("<!DOCTYPE html>")


def test_boards_of_a_season_that_the_league_did_not_play_list_nobody(demo: httpx.Client):
    for item in leaderboards.plan(2019):
        parsed = leaderboards.parse(ask(demo, item))
        assert (len(parsed.frame), len(parsed.rejected)) == (0, 0)


def test_a_live_game_has_plays_and_one_that_goes_on(demo: httpx.Client):
    live = next(game for game in schedule(demo, "2025-05-02") if game["status"]["abstractGameState"] == "Live")
    found = livefeed.parse(ask(demo, livefeed.plan([live["gamePk"]])[0]))
    plays = found.frame
    assert plays["is_complete"].to_list() == [True] * (len(plays) - 1) + [False]
    assert plays["events"].null_count() >= 1
    assert live["teams"]["home"]["score"] == plays["home_score"][-1]


def test_a_finished_game_has_every_play_with_its_runs_batted_in(demo: httpx.Client):
    game = schedule(demo, "2025-04-30")[0]["gamePk"]
    plays = livefeed.parse(ask(demo, livefeed.plan([game])[0])).frame
    frame = pitches(demo, "2025-04-30", game_pk=game)
    assert plays["at_bat_number"].to_list() == list(range(1, len(plays) + 1))
    assert plays["pitches"].sum() == len(frame)
    box = demo.get(f"/api/v1/game/{game}/boxscore").json()["teams"]
    rbi = sum(p["stats"]["batting"].get("rbi", 0) for side in box.values() for p in side["players"].values())
    assert plays["rbi"].sum() == rbi


def test_a_game_to_come_has_no_plays_yet(demo: httpx.Client):
    later = next(game for game in schedule(demo, "2025-05-02") if game["status"]["abstractGameState"] == "Preview")
    assert demo.get(f"/api/v1.1/game/{later['gamePk']}/feed/live").json()["liveData"]["plays"]["allPlays"] == []
    assert demo.get("/api/v1.1/game/1/feed/live").status_code == 404


def test_people_come_one_by_one_together_and_by_season(demo: httpx.Client):
    assert demo.get("/api/v1/people/9100001").json()["people"][0]["id"] == 9_100_001
    assert demo.get("/api/v1/people/1").status_code == 404
    several = demo.get("/api/v1/people", params={"personIds": "9100001,1,9100002"}).json()["people"]
    assert [person["id"] for person in several] == [9_100_001, 9_100_002]
    (item,) = people.plan_season(2025)
    assert len(ask(demo, item).body) > 100_000
    assert demo.get("/api/v1/sports/1/players", params={"season": 1999}).json()["people"] == []
    assert len(demo.get("/api/v1/teams/147/roster").json()["roster"]) == 26


def test_the_register_lists_everybody_once_over_its_sixteen_files(demo: httpx.Client):
    parts = [chadwick.parse(ask(demo, item)) for item in chadwick.plan()]
    ids = pl.concat([part.frame for part in parts])["player_id_mlbam"]
    assert ids.n_unique() == len(ids) == 780


@pytest.mark.realdata
def test_recorded_boards_and_the_recorded_register_are_served_as_they_are(recorded: httpx.Client):
    served, absent = {}, {}
    for item in leaderboards.plan(2025):
        answer = recorded.get(item.path, params=dict(item.params))
        if answer.status_code == 200:
            parsed = leaderboards.parse(Answer(item, 200, answer.content, NOW, "0" * 64))
            assert set(parsed.frame["season"]) == {2025}
            served[item.table.removeprefix("core_board_")] = len(parsed.frame)
        else:
            absent[item.path] = (answer.status_code, answer.json()["message"])
    assert len(served) == 30
    assert min(served.values()) > 100
    assert (served["custom_batter"], served["custom_pitcher"], served["pitcher_running_game"]) == (154, 114, 468)
    for path, said in absent.items():
        assert said == (404, f"not recorded; of {path} there is nothing")
    assert set(absent) == {
        "/leaderboard/statcast-year-to-year", "/leaderboard/outs_above_average", "/running_splits",
    }  # fmt: skip
    parts = [chadwick.parse(ask(recorded, item)) for item in chadwick.plan()[:2]]
    assert sum(len(part.frame) for part in parts) > 2_000


@pytest.mark.realdata
def test_live_feeds_and_people_of_recorded_games_are_derived_from_pitches(recorded: httpx.Client):
    game = schedule(recorded, "2025-06-15")[0]["gamePk"]
    plays = livefeed.parse(ask(recorded, livefeed.plan([game])[0])).frame
    assert plays["rbi"].null_count() == len(plays) > 60
    assert len(recorded.get("/api/v1/sports/1/players", params={"season": 2024}).json()["people"]) > 1_300
