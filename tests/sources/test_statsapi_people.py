"""People, rosters, the live feed and the register."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.errors import UpstreamMalformed
from backstop.sources import chadwick
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from tests.sources.answers import answer, recorded

DAY = dt.date(2025, 6, 15)


def test_a_roster_is_asked_by_the_number_of_the_team() -> None:
    item = people.plan_rosters(DAY, ["DET"])[0]
    assert (item.path, item.params) == ("/api/v1/teams/116/roster", (("rosterType", "active"), ("date", "2025-06-15")))


@pytest.mark.parametrize(("text", "value"), [("6' 1\"", 73), ("5'11\"", 71), ("tall", None), (None, None)])
def test_a_height_is_read_in_inches(text: Any, value: int | None) -> None:
    assert people.inches(text) == value


def test_a_person_without_an_id_is_set_apart() -> None:
    parsed = people.parse(
        answer(people.plan_season(2025)[0], {"people": [{"fullName": "X"}, 7, {"id": 5, "fullName": "Y"}]})
    )
    assert (len(parsed.frame), parsed.rejected_by_rule) == (1, {"missing_key": 1, "type": 1})


@pytest.mark.realdata
def test_recorded_people_are_read_whole(realdata: Path) -> None:
    body = recorded(realdata / "mlb_statsapi/zero_sum/people__players.json")
    people.inspect(body)
    parsed = people.parse(answer(people.plan_season(2022)[0], body))
    assert (parsed.rows_in, len(parsed.rejected)) == (11, 0)
    row = parsed.frame.filter(player_id_mlbam=676265).row(0, named=True)
    assert (row["full_name"], row["last_first_name"], row["height_in"]) == ("Cory Abbott", "Abbott, Cory", 73)
    assert (row["bats"], row["throws"], row["debut_on"]) == ("R", "R", dt.date(2021, 6, 5))


@pytest.mark.realdata
def test_a_recorded_roster_is_read_whole(realdata: Path) -> None:
    body = recorded(realdata / "mlb_statsapi/zero_sum/teams__team_roster_players.json")
    people.inspect_roster(body)
    parsed = people.parse_roster(answer(people.plan_rosters(DAY, ["ATH"])[0], body))
    assert len(parsed.rejected) == 0
    assert parsed.frame.select("team", "roster_type", "as_of").unique().row(0) == ("ATH", "active", DAY)
    assert len(parsed.frame) >= 26


@pytest.mark.realdata
def test_a_recorded_live_feed_agrees_with_the_box_score_of_the_game(realdata: Path) -> None:
    folder = realdata / "mlb_statsapi/darkside"
    item = livefeed.plan([744914])[0]
    body = recorded(folder / "livefeed.json.gz")
    livefeed.inspect(body)
    live = livefeed.parse(answer(item, body))
    assert len(live.rejected) == 0
    assert live.frame["at_bat_number"].to_list() == list(range(1, 69))
    games = schedule.parse(
        answer(schedule.plan(dt.date(2024, 7, 1), dt.date(2024, 7, 1))[0], recorded(folder / "schedule.json"))
    ).frame
    box = boxscore.parse(answer(boxscore.plan([744914])[0], recorded(folder / "boxscore.json.gz")), games).box.frame
    batted_in = live.frame.group_by("batter_id_mlbam").agg(pl.col("rbi").sum()).filter(pl.col("rbi") > 0)
    listed = box.filter(pl.col("rbi") > 0).select("player_id_mlbam", "rbi")
    assert sorted(batted_in.rows()) == sorted(listed.rows())
    hits = live.frame.filter(pl.col("events").is_in(["single", "double", "triple", "home_run"]))
    assert len(hits) == box["hits"].sum()


@pytest.mark.realdata
def test_a_play_with_a_malformed_event_is_read(realdata: Path) -> None:
    play = recorded(realdata / "mlb_statsapi/darkside/malformed_play_events.json").decode("utf-8-sig")
    body = f'{{"gamePk":1,"gameData":{{}},"liveData":{{"plays":{{"allPlays":[{play}]}}}}}}'
    live = livefeed.parse(answer(livefeed.plan([1])[0], body))
    row = live.frame.row(0, named=True)
    assert (row["at_bat_number"], row["events"], row["rbi"], row["inning_topbot"]) == (84, "force_out", 1, "Top")


def test_a_play_under_way_has_no_result_yet() -> None:
    play = {
        "about": {"atBatIndex": 4, "inning": 2, "halfInning": "bottom", "isComplete": False},
        "result": {"eventType": "single", "rbi": 0}, "matchup": {"batter": {"id": 1}, "pitcher": {"id": 2}},
        "playEvents": [{"isPitch": True}, {"isPitch": False}, "noise"],
    }  # fmt: skip
    body = {"gamePk": 1, "gameData": {}, "liveData": {"plays": {"allPlays": [play, 3]}}}
    live = livefeed.parse(answer(livefeed.plan([1])[0], body))
    row = live.frame.row(0, named=True)
    assert (row["events"], row["rbi"], row["pitches"], row["inning_topbot"]) == (None, None, 1, "Bot")
    assert live.rejected_by_rule == {"missing_key": 1}


@pytest.mark.parametrize("live", [{}, {"plays": None}, {"plays": {}}, {"plays": {"allPlays": None}}])
def test_before_the_game_there_are_no_plays(live: Any) -> None:
    body = {"gamePk": 1, "gameData": {}, "liveData": live}
    assert livefeed.parse(answer(livefeed.plan([1])[0], body)).rows_in == 0


@pytest.mark.parametrize(
    ("live", "sentence"),
    [
        ([[]], "answered 'liveData' as list, expected an object"),
        ({"plays": 7}, "answered 'plays' as int, expected an object"),
        ({"plays": {"allPlays": {"0": {}}}}, "answered 'allPlays' as dict, expected a list"),
    ],
)
def test_what_stands_where_plays_should_be_is_refused_and_not_taken_for_none(live: Any, sentence: str) -> None:
    got = answer(livefeed.plan([1])[0], {"gamePk": 1, "gameData": {}, "liveData": live})
    for read in (livefeed.inspect, lambda _body: livefeed.parse(got)):
        with pytest.raises(UpstreamMalformed, match=sentence):
            read(got.body)


HEADER = "key_person,key_uuid,key_mlbam,key_retro,name_last,name_first,name_suffix,birth_year,birth_month,birth_day"


def test_the_register_keeps_people_with_an_id_at_mlb() -> None:
    body = f"{HEADER}\nx,u1,671277,,García,Luis,Jr.,2000,5,16\ny,u2,,ruthb101,Ruth,Babe,,1895,2,6\n"
    chadwick.inspect(body.encode())
    parsed = chadwick.parse(answer(chadwick.plan()[0], body))
    assert (parsed.rows_in, len(parsed.frame)) == (1, 1)
    named = parsed.frame.select(chadwick.full_name(), chadwick.birth_date()).row(0)
    assert named == ("Luis García Jr.", dt.date(2000, 5, 16))


def test_the_files_of_the_register_make_one_table() -> None:
    parts = [
        chadwick.parse(answer(item, f"{HEADER}\nx,u,{n},,A,B,,,,\n")) for n, item in enumerate(chadwick.plan(), start=1)
    ]
    assert len(chadwick.whole(parts).frame) == 16


def test_what_is_no_register_is_refused() -> None:
    with pytest.raises(UpstreamMalformed, match="web page"):
        chadwick.inspect(b"<html>")
    with pytest.raises(UpstreamMalformed, match="no file of people"):
        chadwick.inspect(b"404: Not Found")


@pytest.mark.realdata
def test_the_real_register_is_read_back_from_its_own_columns(realdata: Path) -> None:
    frame = pl.read_parquet(realdata / "register/chadwick_register_mlbam.parquet")
    parsed = chadwick.parse(answer(chadwick.plan()[0], frame.write_csv().encode()))
    assert (parsed.rows_in, len(parsed.rejected)) == (len(frame), 0)
    judge = parsed.frame.filter(player_id_mlbam=592450).row(0, named=True)
    assert (judge["player_id_retrosheet"], judge["name_last"]) == ("judga001", "Judge")
