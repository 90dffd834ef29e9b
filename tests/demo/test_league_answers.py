"""What the simulated league's server tells, in the four feeds' words."""

from __future__ import annotations

import re
import unicodedata

import httpx
import polars as pl
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.dialects.savant import HEADER
from tests.demo.frames import pitches, read, schedule

DAY_BEFORE = "2025-05-01"
BREAK = "2025-04-21"
MARKETS = "batter_hits,batter_home_runs,batter_total_bases,batter_strikeouts,batter_walks,pitcher_strikeouts"


def test_a_day_of_pitches_has_savants_header_order_and_size(demo: httpx.Client):
    answer = demo.get(
        "/statcast_search/csv", params={"type": "details", "game_date_gt": DAY_BEFORE, "game_date_lt": DAY_BEFORE}
    )
    assert answer.headers["content-type"] == "application/download; charset=utf-8"
    assert answer.content.startswith(b'\xef\xbb\xbf"pitch_type","game_date"')
    frame = pitches(demo, DAY_BEFORE)
    assert tuple(frame.columns) == HEADER
    games = frame["game_pk"].n_unique()
    assert 250 <= len(frame) / games <= 340
    assert frame.select("game_pk", "at_bat_number", "pitch_number").is_unique().all()
    key = frame.select(pl.col("game_pk", "at_bat_number", "pitch_number").cast(pl.Int64))
    assert key.equals(key.sort(pl.all(), descending=True))


def test_who_forgets_to_ask_for_details_gets_another_table(demo: httpx.Client):
    answer = demo.get(
        "/statcast_search/csv", params={"all": "true", "game_date_gt": DAY_BEFORE, "game_date_lt": DAY_BEFORE}
    )
    frame = read(answer.content)
    assert frame.columns[:5] == ["pitches", "player_id", "player_name", "total_pitches", "pitch_percent"]
    assert frame["pitches"].cast(pl.Int64).sum() == len(pitches(demo, DAY_BEFORE))


@pytest.mark.parametrize("query", ["game_date_gt=2025-02-31", "batters_lookup[]=Judge", "game_date_gt=yesterday"])
def test_what_cannot_be_read_is_answered_with_a_web_page(demo: httpx.Client, query: str):
    answer = demo.get(f"/statcast_search/csv?type=details&{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_day_without_games_gives_the_header_alone_and_an_empty_schedule(demo: httpx.Client):
    assert pitches(demo, BREAK).shape == (0, len(HEADER))
    answer = demo.get("/api/v1/schedule", params={"sportId": 1, "date": BREAK}).json()
    assert (answer["totalItems"], answer["dates"]) == (0, [])


def test_todays_pitches_are_not_collected_yet(demo: httpx.Client):
    assert len(pitches(demo, DEMO_DAY.isoformat())) == 0


def test_every_final_game_of_the_schedule_has_its_pitches(demo: httpx.Client):
    games = schedule(demo, "2025-04-10", "2025-04-13")
    played = {str(game["gamePk"]) for game in games if game["status"]["detailedState"] == "Final"}
    assert set(pitches(demo, "2025-04-10", "2025-04-13")["game_pk"]) == played


def test_a_postponed_game_stands_under_both_dates_with_one_id(demo: httpx.Client):
    games = schedule(demo, "2025-04-11", "2025-04-12")
    postponed = [game for game in games if game["status"]["detailedState"] == "Postponed"]
    assert [game["rescheduleDate"] for game in postponed] == ["2025-04-12"]
    assert postponed[0]["status"]["reason"] == "Rain"
    assert "score" not in postponed[0]["teams"]["home"]
    again = [game for game in games if game["gamePk"] == postponed[0]["gamePk"] and game is not postponed[0]]
    assert [(game["doubleHeader"], game["gameNumber"], game["rescheduledFrom"]) for game in again] == [
        ("Y", 1, "2025-04-11")
    ]
    pair = [game for game in games if game["doubleHeader"] == "Y"]
    assert sorted(game["gameNumber"] for game in pair) == [1, 2]


def test_the_demo_day_has_a_split_doubleheader_a_live_game_a_postponement_and_missing_line_ups(demo: httpx.Client):
    games = schedule(demo, DEMO_DAY.isoformat(), hydrate="probablePitcher,lineups,team")
    states = [game["status"]["detailedState"] for game in games]
    assert (states.count("In Progress"), states.count("Postponed")) == (1, 1)
    assert [game["gameNumber"] for game in games if game["doubleHeader"] == "S"] == [1, 2]
    upcoming = [game for game in games if game["status"]["abstractGameState"] == "Preview"]
    assert all("probablePitcher" in game["teams"][side] for game in upcoming for side in ("home", "away"))
    assert 1 <= sum("lineups" not in game for game in upcoming) <= 4
    posted = [game for game in upcoming if "lineups" in game]
    assert all(len(game["lineups"][side]) == 9 for game in posted for side in ("homePlayers", "awayPlayers"))
    assert all("abbreviation" in game["teams"]["home"]["team"] for game in games)


def test_some_games_start_on_the_next_day_in_utc(demo: httpx.Client):
    games = schedule(demo, "2025-04-05", "2025-04-20")
    late = [game for game in games if game["gameDate"][:10] != game["officialDate"]]
    assert 0.1 < len(late) / len(games) < 0.6


def test_the_box_score_agrees_with_the_pitches(demo: httpx.Client):
    frame = pitches(demo, DAY_BEFORE)
    game = frame["game_pk"][0]
    box = demo.get(f"/api/v1/game/{game}/boxscore").json()
    rows = frame.filter(pl.col("game_pk") == game)
    for side, half in (("home", "Bot"), ("away", "Top")):
        players = box["teams"][side]["players"].values()
        batting = [player["stats"]["batting"] for player in players if player["stats"]["batting"]]
        events = rows.filter((pl.col("inning_topbot") == half) & (pl.col("events") != "truncated_pa"))["events"]
        assert sum(row["plateAppearances"] for row in batting) == events.drop_nulls().len()
        assert sum(row["homeRuns"] for row in batting) == (events == "home_run").sum()
        assert sum(row["strikeOuts"] for row in batting) == (events == "strikeout").sum()
        runs = rows[f"post_{side}_score"].cast(pl.Int64).max()
        assert sum(row["runs"] for row in batting) == runs
        other = box["teams"]["away" if side == "home" else "home"]["players"].values()
        arms = [player["stats"]["pitching"] for player in other if player["stats"]["pitching"]]
        assert sum(row["battersFaced"] for row in arms) == events.drop_nulls().len()
        assert sum(row["runs"] for row in arms) == runs
        assert all(row["earnedRuns"] <= row["runs"] for row in arms)
        assert sum(row["outs"] for row in arms) >= 24
        assert sum(row["gamesStarted"] for row in arms) == 1


def test_odds_come_from_several_books_one_sided_and_late_ones_among_them(demo: httpx.Client):
    events = demo.get("/v4/sports/baseball_mlb/events", params={"apiKey": "k"}).json()
    live = min(events, key=lambda event: event["commence_time"])
    params = {"apiKey": "k", "markets": MARKETS, "regions": "us", "oddsFormat": "american"}
    answer = demo.get(f"/v4/sports/baseball_mlb/events/{live['id']}/odds", params=params)
    assert int(answer.headers["x-requests-last"]) == 6
    books = {book["key"]: book for book in answer.json()["bookmakers"]}
    assert set(books) == {"draftkings", "fanduel", "betmgm", "betonlineag", "bovada"}
    late = [
        m["last_update"] for book in books.values() for m in book["markets"] if m["last_update"] > live["commence_time"]
    ]
    assert late
    homers = next(market for market in books["fanduel"]["markets"] if market["key"] == "batter_home_runs")
    assert {outcome["name"] for outcome in homers["outcomes"]} == {"Over"}
    both = next(market for market in books["betmgm"]["markets"] if market["key"] == "pitcher_strikeouts")
    assert {outcome["name"] for outcome in both["outcomes"]} == {"Over", "Under"}
    assert all(abs(outcome["price"]) >= 100 for outcome in both["outcomes"])


def test_history_gives_prices_from_before_the_first_pitch(demo: httpx.Client):
    events = demo.get("/v4/sports/baseball_mlb/events").json()
    live = min(events, key=lambda event: event["commence_time"])
    params = {"markets": MARKETS, "regions": "us", "date": live["commence_time"]}
    answer = demo.get(f"/v4/historical/sports/baseball_mlb/events/{live['id']}/odds", params=params)
    assert int(answer.headers["x-requests-last"]) == 60
    body = answer.json()
    assert body["timestamp"] == live["commence_time"]
    stamps = [market["last_update"] for book in body["data"]["bookmakers"] for market in book["markets"]]
    assert stamps
    assert max(stamps) < live["commence_time"]


def test_the_two_sides_of_a_line_carry_a_margin(demo: httpx.Client):
    event = demo.get("/v4/sports/baseball_mlb/events").json()[1]["id"]
    body = demo.get(f"/v4/sports/baseball_mlb/events/{event}/odds", params={"markets": MARKETS, "regions": "us"}).json()
    outcomes = [
        {"book": book["key"], "market": market["key"], **outcome}
        for book in body["bookmakers"]
        for market in book["markets"]
        for outcome in market["outcomes"]
    ]
    lines = (
        pl.DataFrame(outcomes)
        .group_by("book", "market", "description", "point")
        .agg((1 / pl.col("price")).sum().alias("hold"), pl.len())
    )
    holds = lines.filter(pl.col("len") == 2)["hold"]
    assert len(holds) > 100
    assert holds.min() > 1.0
    assert holds.mean() < 1.12


def test_one_quoted_name_belongs_to_nobody_and_most_belong_to_the_two_clubs(demo: httpx.Client):
    games = schedule(demo, DEMO_DAY.isoformat())
    names = {
        _plain(player["person"]["fullName"])
        for game in games
        for side in ("home", "away")
        for player in demo.get(f"/api/v1/game/{game['gamePk']}/boxscore").json()["teams"][side]["players"].values()
    }
    quoted = set()
    for event in demo.get("/v4/sports/baseball_mlb/events").json():
        if event["commence_time"] < "2025-05-03T10":
            path = f"/v4/sports/baseball_mlb/events/{event['id']}/odds"
            body = demo.get(path, params={"markets": MARKETS, "regions": "us"}).json()
            quoted |= {o["description"] for b in body["bookmakers"] for m in b["markets"] for o in m["outcomes"]}
    assert {name for name in quoted if _plain(name) not in names} == {"Arlo Pettibone-Nakata"}


def _plain(name: str) -> str:
    letters = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z]", "", re.sub(r"\b(jr|sr|ii|iii|iv)\b", "", letters))
