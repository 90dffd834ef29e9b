"""The real recordings, as the feeds would have served them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import httpx
import polars as pl
import pytest

from backstop.demo.recorded.world import RecordedWorld
from backstop.demo.world import PitchAsk
from tests.demo.frames import pitches, schedule

pytestmark = pytest.mark.realdata

KEY = ["game_pk", "at_bat_number", "pitch_number"]


@pytest.mark.slow
def test_the_pitches_of_2024_add_up_to_the_official_totals(recordings: RecordedWorld):
    events: Counter[str] = Counter()
    rows = games = 0
    day = dt.date(2024, 3, 20)
    while day <= dt.date(2024, 9, 30):
        frame = recordings.pitches(PitchAsk(first=day, last=day, game_types=frozenset("R")))
        if len(frame):
            assert frame.select(KEY).is_unique().all()
            last = frame.sort(KEY).group_by(KEY[:2]).last()
            events.update(last["events"].drop_nulls().to_list())
            rows, games = rows + len(frame), games + frame["game_pk"].n_unique()
        day += dt.timedelta(days=1)
    assert (rows, games) == (711_898, 2_429)
    hits = sum(events[name] for name in ("single", "double", "triple", "home_run"))
    assert (hits, events["home_run"]) == (39_823, 5_453)
    assert events["walk"] + events["intent_walk"] == 14_929
    assert events["strikeout"] + events["strikeout_double_play"] == 41_197
    assert sum(count for event, count in events.items() if event != "truncated_pa") == 182_449


@pytest.mark.parametrize("day", ["2024-08-13", "2025-06-15", "2025-07-04"])
def test_box_scores_agree_with_tallies_that_others_made(recordings: RecordedWorld, realdata: Path, day: str):
    when = dt.date.fromisoformat(day)
    tallied = realdata / "backtest" / "statcast"
    batters = pl.read_parquet(tallied / "batter_games.parquet").filter(pl.col("date") == when)
    arms = pl.read_parquet(tallied / "pitcher_games.parquet").filter(pl.col("date") == when)
    games = recordings.games(when, when)
    assert {str(game.game_pk) for game in games} == set(batters["game_id"])
    batting, pitching, orders = {}, {}, {}
    for game in games:
        for row in recordings.appearances(game.game_pk):
            key = (str(game.game_pk), str(row.player_id))
            if row.order is not None:
                orders[key] = row.order
            if row.batting.get("plateAppearances"):
                names = (
                    "plateAppearances",
                    "hits",
                    "doubles",
                    "triples",
                    "homeRuns",
                    "strikeOuts",
                    "baseOnBalls",
                    "totalBases",
                )
                batting[key] = tuple(row.batting[name] for name in names)
            if row.pitching.get("battersFaced"):
                names = ("battersFaced", "hits", "strikeOuts", "baseOnBalls", "homeRuns", "gamesStarted")
                pitching[key] = tuple(row.pitching[name] for name in names)
    theirs = batters.select("game_id", "player_id", "b_pa", "b_h", "b_2b", "b_3b", "b_hr", "b_so", "b_bb", "b_tb")
    # their table lists the starting nine alone
    nine = {(row[0], row[1]): row[2:] for row in theirs.filter(pl.col("b_pa") > 0).iter_rows()}
    assert len(nine) >= 18 * len(games) - 2
    assert nine == {key: counts for key, counts in batting.items() if key in nine}
    theirs = arms.select("game_id", "player_id", "p_tbf", "p_h", "p_so", "p_bb", "p_hr", "p_gs")
    assert {(row[0], row[1]): row[2:] for row in theirs.filter(pl.col("p_tbf") > 0).iter_rows()} == pitching
    slots = batters.filter(pl.col("seq_ct") == 1, pl.col("slot_ct") > 0)
    assert all(
        orders[game, player] == 100 * slot
        for game, player, slot in slots.select("game_id", "player_id", "slot_ct").iter_rows()
    )


def test_the_wide_and_the_narrow_recording_of_a_day_become_one(recorded: httpx.Client, realdata: Path):
    frame = pitches(recorded, "2025-06-15")
    everything = pl.scan_parquet(realdata / "savant" / "pitches" / "statcast_2025_all_pitches_21cols.parquet")
    day = everything.filter(pl.col("game_date").cast(pl.Date) == dt.date(2025, 6, 15)).select(KEY).collect()
    assert frame.select(pl.col(KEY).cast(pl.Int64)).sort(KEY).equals(day.sort(KEY))
    tracked = frame["release_speed"].drop_nulls().len() / len(frame)
    assert 0.7 < tracked < 1
    assert frame["events"].drop_nulls().is_in(["single"]).any()
    assert frame["player_name"].null_count() == 0


def test_the_all_star_break_is_empty(recorded: httpx.Client):
    assert schedule(recorded, "2025-07-14", "2025-07-16") == []
    assert len(pitches(recorded, "2025-07-15")) == 0


def test_doubleheaders_are_numbered_in_the_order_of_their_starts(recordings: RecordedWorld):
    games = [game for game in recordings.games(dt.date(2025, 5, 1), dt.date(2025, 7, 31)) if game.doubleheader != "N"]
    pairs: dict[tuple, list] = {}
    for game in games:
        pairs.setdefault((game.day, game.home.club.abbr, game.away.club.abbr), []).append(game)
    assert len(pairs) > 5
    for two in pairs.values():
        assert [game.number for game in two] == [1, 2]
        assert two[0].start_at < two[1].start_at


def test_a_recorded_schedule_and_box_score_are_served_in_their_own_words(recorded: httpx.Client):
    games = {game["gamePk"]: game for game in schedule(recorded, "2024-07-01")}
    assert games[744914]["gameGuid"] == "31a910ca-2ab8-47bb-8655-183129f761af"
    box = recorded.get("/api/v1/game/744914/boxscore").json()
    assert box["teams"]["home"]["battingOrder"][:2] == [666182, 687462]
    assert recorded.get("/api/v1.1/game/744914/feed/live").json()["gamePk"] == 744914
    assert "In Progress" in {game["status"]["detailedState"] for game in schedule(recorded, "2023-08-29")}


def test_closing_prices_lie_before_the_first_pitch_and_carry_names_as_recorded(recorded: httpx.Client):
    window = {"commenceTimeFrom": "2025-06-15T08:00:00Z", "commenceTimeTo": "2025-06-16T07:59:59Z"}
    events = recorded.get("/v4/sports/baseball_mlb/events", params=window).json()
    assert len(events) >= 15
    names, books = set(), set()
    for event in events:
        params = {"date": event["commence_time"], "regions": "us", "oddsFormat": "american"}
        params["markets"] = "batter_hits,batter_home_runs,pitcher_strikeouts"
        path = f"/v4/historical/sports/baseball_mlb/events/{event['id']}/odds"
        data = recorded.get(path, params=params).json()["data"]
        for book in data["bookmakers"]:
            books.add(book["key"])
            for market in book["markets"]:
                assert market["last_update"] <= event["commence_time"]
                names |= {outcome["description"] for outcome in market["outcomes"]}
    assert {"betonlineag", "fanduel", "draftkings"} <= books
    assert "Ronald Acuna Jr." in names
    assert len(names) > 250


def test_a_file_whose_name_says_2025_is_served_under_the_dates_it_holds(recordings: RecordedWorld):
    october = recordings.pitches(PitchAsk(first=dt.date(2025, 10, 1), last=dt.date(2025, 10, 31)))
    assert october.is_empty()
    world_series = recordings.pitches(PitchAsk(first=dt.date(2024, 10, 30), last=dt.date(2024, 10, 30)))
    assert set(world_series["game_type"]) == {"W"}
    assert world_series.select(KEY).is_unique().all()


def test_most_quoted_players_stand_in_the_box_score(recordings: RecordedWorld):
    day = dt.date(2025, 6, 15)
    known = {
        person.full_name
        for game in recordings.games(day, day)
        for row in recordings.appearances(game.game_pk)
        if (person := recordings.person(row.player_id))
    }
    assert {"Aaron Judge", "Shohei Ohtani", "Vladimir Guerrero Jr."} <= known
    assert 26 * 30 * 0.9 < len(known) < 40 * 30
