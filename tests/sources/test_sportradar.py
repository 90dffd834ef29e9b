"""SportRadar: schedule, summary, season, profile, injuries, props; what recordings show and what is documented."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from backstop.errors import UpstreamMalformed
from backstop.net.item import Answer, Item, Secret
from backstop.sources.parsed import Parsed
from backstop.sources.sportradar import people, playerprops, schedule, season, statistics, summary
from backstop.sources.teams import BY_ABBREVIATION
from backstop.tables import GAMES, QUOTES
from tests.sources.answers import answer, recorded

DAY = dt.date(2025, 6, 15)
DET, CIN = (BY_ABBREVIATION[code].id_sportradar for code in ("DET", "CIN"))


def game(**changes: Any) -> dict[str, Any]:
    listed = {
        "id": "g1", "status": "scheduled", "coverage": "full", "game_number": 1, "day_night": "D",
        "scheduled": "2025-06-15T17:40:00+00:00", "double_header": False,
        "home": {"name": "Tigers", "abbr": "DET", "id": DET}, "away": {"name": "Reds", "abbr": "CIN", "id": CIN},
    }  # fmt: skip
    return listed | changes


def listing(*games: dict[str, Any]) -> dict[str, Any]:
    return {"league": {"id": "l", "alias": "MLB"}, "date": "2025-06-15", "games": list(games), "_comment": "Generation"}


def parse(body: Any) -> Parsed:
    got = answer(schedule.plan(DAY)[0], body)
    schedule.inspect(got.body)
    return schedule.parse(got)


def known(**changes: Any) -> pl.DataFrame:
    row = dict.fromkeys(GAMES.schema) | {
        "game_pk": 777245, "game_date": DAY, "home_team": "DET", "away_team": "CIN", "game_number": 1, "game_type": "R",
        "home_starter_id_mlbam": 669373, "doubleheader": "N",
    }  # fmt: skip
    return pl.DataFrame([row | changes], schema=GAMES.schema)


def test_requests_carry_the_key_in_a_header_and_never_in_the_address() -> None:
    item = schedule.plan(DAY)[0]
    assert item.path == "/mlb/trial/v8/en/games/2025/06/15/schedule.json"
    assert (item.secret, item.params) == (Secret.HEADER_X_API_KEY, ())


def test_addresses_follow_the_table_of_feeds() -> None:
    assert summary.plan_day(DAY)[0].path == "/mlb/trial/v8/en/games/2025/06/15/summary.json"
    assert people.plan_profiles(["u"])[0].path == "/mlb/trial/v8/en/players/u/profile.json"
    assert people.plan_injuries()[0].path == "/mlb/trial/v8/en/league/injuries.json"
    items = season.plan(2025)
    assert len(items) == 30
    assert season.plan(2025, ["DET"])[0].path == f"/mlb/trial/v8/en/seasons/2025/REG/teams/{DET}/statistics.json"


def test_a_game_becomes_a_row_with_abbreviations_and_the_baseball_day() -> None:
    row = parse(listing(game(scheduled="2025-06-16T02:10:00+00:00"))).frame.row(0, named=True)
    assert (row["home_team"], row["away_team"], row["game_date"]) == ("DET", "CIN", DAY)
    assert row["game_pk"] is None


def test_a_game_of_another_day_or_of_unknown_teams_is_set_apart() -> None:
    stars = game(id="g2", home={"name": "American League", "abbr": "AL", "id": "x"})
    parsed = parse(listing(game(scheduled="2025-06-16T17:40:00+00:00"), stars))
    assert parsed.rejected_by_rule == {"other_day": 1, "unknown_team": 1}


def test_a_day_without_games_has_no_list() -> None:
    assert parse({"league": {"id": "l"}, "date": "2025-06-15"}).rows_in == 0


@pytest.mark.parametrize(
    "body", [b"<h1>Developer Over Qps</h1>", b"<h1>596 Service Not Found</h1>", b"", b"{}", b'{"message":"x"}']
)
def test_refusals_in_a_body_are_refused(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        schedule.inspect(body)


def test_a_game_listed_before_keeps_its_game_pk_kind_and_pitchers() -> None:
    said = schedule.as_games(parse(listing(game(status="inprogress"))), known())
    row = said.frame.row(0, named=True)
    assert said.frame.schema == GAMES.schema
    assert (row["game_pk"], row["game_type"], row["home_starter_id_mlbam"]) == (777245, "R", 669373)
    assert (row["status"], row["abstract_status"], row["home_team_id_mlbam"]) == ("In Progress", "Live", 116)


def test_the_game_pk_of_a_later_version_counts() -> None:
    said = schedule.as_games(parse(listing(game(reference="777999"))), GAMES.empty())
    assert said.frame["game_pk"].to_list() == [777999]
    assert said.frame["game_type"].to_list() == [None]


def test_a_game_without_game_pk_that_was_not_listed_before_is_never_given_one() -> None:
    said = schedule.as_games(parse(listing(game())), known(game_number=2))
    assert said.rejected_by_rule == {"unknown_game": 1}
    assert said.rows_in == 1


def test_the_second_game_of_a_doubleheader_is_found_by_its_number() -> None:
    both = pl.concat([known(), known(game_pk=777246, game_number=2)])
    said = schedule.as_games(parse(listing(game(id="a"), game(id="b", game_number=2))), both)
    assert said.frame["game_pk"].to_list() == [777245, 777246]


@pytest.mark.parametrize(("status", "tbd"), [("time-tbd", True), ("scheduled", False)])
def test_a_start_that_is_to_be_determined_is_told_whatever_was_listed_before(status: str, tbd: bool) -> None:
    before = known().with_columns(start_is_tbd=pl.lit(not tbd))
    assert schedule.as_games(parse(listing(game(status=status))), before).frame["start_is_tbd"].to_list() == [tbd]


def test_a_state_that_is_not_known_is_set_apart() -> None:
    assert schedule.as_games(parse(listing(game(status="paused"))), known()).rejected_by_rule == {"unknown_state": 1}


def test_intentional_walks_are_counted_apart_by_the_feed_and_added_by_us() -> None:
    counted = statistics.counts({"hitting": {"overall": {"ap": 21, "ab": 17, "onbase": {"bb": 2, "ibb": 1, "hbp": 1}}}})
    assert (counted["walks"], counted["pitcher_walks"], counted["batters_faced"]) == (3, None, None)


def test_a_roster_before_the_game_is_read_with_line_up_and_probable_pitcher() -> None:
    side = {
        "name": "Tigers", "abbr": "DET", "id": DET,
        "probable_pitcher": {"id": "p"},
        "roster": [{"id": "p", "first_name": "Tarik", "last_name": "Skubal", "mlbam_id": "669373"}, {"id": "b"}],
        "lineup": [{"id": "b", "inning": 0, "order": 1}, {"id": "p", "inning": 0, "order": 0}],
    }  # fmt: skip
    got = answer(summary.plan_day(DAY)[0], {"game": game(home=side)})
    parsed = summary.parse(got)
    rows = {row["player_id_sportradar"]: row for row in parsed.frame.to_dicts()}
    assert (rows["p"]["full_name"], rows["p"]["player_id_mlbam"], rows["p"]["is_starting_pitcher"]) == (
        "Tarik Skubal", 669373, True,
    )  # fmt: skip
    assert (rows["p"]["slot"], rows["b"]["slot"], rows["b"]["hits"]) == (None, 1, None)


def test_a_profile_is_a_row_of_the_crosswalk() -> None:
    player = {
        "id": "u", "full_name": "Aaron Judge", "mlbam_id": "592450", "birthdate": "1992-04-26", "bat_hand": "R",
        "throw_hand": "R", "primary_position": "RF", "team": {"id": BY_ABBREVIATION["NYY"].id_sportradar}, "status": "A",
    }  # fmt: skip
    row = people.parse_profile(answer(people.plan_profiles(["u"])[0], {"player": player})).frame.row(0, named=True)
    assert (row["player_id_mlbam"], row["birth_date"], row["team"]) == (592450, dt.date(1992, 4, 26), "NYY")


def test_injuries_are_one_row_each() -> None:
    hurt = {
        "id": "u", "full_name": "Aaron Judge",
        "injuries": [{"id": "i", "desc": "Elbow", "status": "D10", "start_date": "2025-07-25T00:00:00"}, {"desc": "?"}],
    }  # fmt: skip
    body = {"league": {"id": "l"}, "teams": [{"id": BY_ABBREVIATION["NYY"].id_sportradar, "players": [hurt]}]}
    parsed = people.parse_injuries(answer(people.plan_injuries()[0], body))
    assert parsed.rejected_by_rule == {"missing_key": 1}
    row = parsed.frame.row(0, named=True)
    assert (row["injury"], row["team"], row["started_on"]) == ("Elbow", "NYY", dt.date(2025, 7, 25))


def prop_page(*outcomes: Any, market: str = "total bases", removed: bool = False, **event: Any) -> dict[str, Any]:
    sport_event = {
        "id": "sr:sport_event:1", "start_time": "2025-06-15T17:40:00+00:00",
        "competitors": [
            {"id": "sr:competitor:1", "name": "Detroit Tigers", "abbreviation": "DET", "qualifier": "home"},
            {"id": "sr:competitor:2", "name": "Cincinnati Reds", "abbreviation": "CIN", "qualifier": "away"},
        ],
    } | event  # fmt: skip
    book = {"id": "sr:book:18149", "name": "DraftKings", "removed": removed, "outcomes": list(outcomes)}
    prop = {"player": {"id": "sr:player:1", "name": "Greene, Riley"}, "markets": [{"name": market, "books": [book]}]}
    return {
        "generated_at": "2025-06-15T15:00:00+00:00",
        "sport_schedule_sport_events_players_props": [{"sport_event": sport_event, "players_props": [prop]}],
    }


def outcome(**changes: Any) -> dict[str, Any]:
    return {"id": "sr:outcome:1", "type": "over", "odds_decimal": "1.91", "total": "1.5"} | changes


def props(body: Any, at: dt.datetime = dt.datetime(2025, 6, 15, 15, tzinfo=dt.UTC)) -> Parsed:
    got = answer(playerprops.plan(DAY)[0], body, at=at)
    playerprops.inspect(got.body)
    return playerprops.parse(got)


def test_props_become_quotes_under_the_event_id_of_their_feed() -> None:
    parsed = props(prop_page(outcome(), outcome(type="under", odds_decimal=1.95, total=1.5)))
    assert parsed.frame.schema == QUOTES.schema
    assert parsed.frame.select("event_id_theodds", "bookmaker", "market", "player_name", "line", "side").rows() == [
        ("sr:sport_event:1", "draftkings", "batter_total_bases", "Riley Greene", 1.5, "over"),
        ("sr:sport_event:1", "draftkings", "batter_total_bases", "Riley Greene", 1.5, "under"),
    ]
    assert parsed.frame["price_decimal"].to_list() == [1.91, 1.95]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (prop_page(outcome(removed=True)), "removed"),
        (prop_page(outcome(), removed=True), "removed"),
        (prop_page(outcome(), market="first to hit a bird"), "market"),
        (prop_page(outcome(type="yes")), "side"),
        (prop_page(outcome(total=None)), "line"),
        (prop_page(outcome(odds_decimal="1.0")), "price"),
        (prop_page(outcome(odds_decimal="evens")), "price"),
        (prop_page(outcome(), competitors=[]), "unknown_team"),
    ],
)
def test_a_prop_that_cannot_be_taken_is_set_apart(body: Any, rule: str) -> None:
    parsed = props(body)
    assert (len(parsed.frame), parsed.rejected_by_rule) == (0, {rule: 1})


def test_a_market_that_is_not_known_is_reported_by_name() -> None:
    assert props(prop_page(outcome(), market="first to hit a bird")).drift.added == ("first to hit a bird",)


def test_prices_fetched_at_the_start_or_later_are_in_play() -> None:
    at = dt.datetime(2025, 6, 15, 17, 40, tzinfo=dt.UTC)
    assert props(prop_page(outcome()), at=at).rejected_by_rule == {"in_play": 1}


def test_the_pages_after_the_first_are_known_from_its_header() -> None:
    item = playerprops.plan(DAY)[0]
    first = Answer(item, 200, b"{}", dt.datetime(2025, 6, 15, tzinfo=dt.UTC), "", (("x-max-results", "25"),))
    assert playerprops.total(first) == 25
    assert [page.key for page in playerprops.plan_rest(item, 25)] == [f"{DAY}@10", f"{DAY}@20"]
    assert [dict(page.params)["start"] for page in playerprops.plan_rest(item, 25)] == ["10", "20"]


def test_without_the_header_pages_are_asked_for_until_one_is_not_full() -> None:
    item = playerprops.plan(DAY, start=10)[0]
    for events, following in ((10, [f"{DAY}@20"]), (9, []), (0, [])):
        page = {"generated_at": "2025-06-15T12:00:00Z", playerprops.ROOTS[0]: [{}] * events}
        results = playerprops.total(answer(item, json.dumps(page).encode()))
        assert results is not None
        assert [each.key for each in playerprops.plan_rest(item, results)] == following


@pytest.mark.realdata
def test_the_recorded_schedule_of_a_season_is_read_whole(realdata: Path) -> None:
    session = yaml.safe_load(recorded(realdata / "sportradar/mlb__json__hierarchy__schedule.yml.gz"))
    body = session["http_interactions"][0]["response"]["body"]["string"].encode()
    item = schedule.plan(DAY)[0]
    whole = Item(item.feed, item.table, "2017", item.path)
    parsed = schedule.parse(answer(whole, body))
    assert len(parsed.frame) > 2400
    assert parsed.rejected_by_rule.keys() <= {"unknown_team"}
    assert len(parsed.rejected) <= 1
    assert set(parsed.frame["status"]) <= set(schedule.STATES)
    assert parsed.frame["home_team"].n_unique() == 30
    assert parsed.drift.added == ()


@pytest.mark.realdata
def test_the_recorded_summary_and_season_are_read_whole(realdata: Path) -> None:
    body = recorded(realdata / "sportradar/sportsball_mockSummaryData.json.gz")
    item = summary.plan_day(dt.date(2018, 5, 24))[0]
    parsed = summary.parse(answer(item, body))
    assert len(parsed.rejected) == 0
    starters = parsed.frame.drop_nulls("slot").group_by("team").agg(pl.col("slot").sort())
    assert starters["slot"].to_list() == [list(range(1, 10))] * 2
    pitched = parsed.frame.filter(full_name="Lucas Giolito").row(0, named=True)
    assert (pitched["outs_recorded"], pitched["pitcher_strikeouts"], pitched["pitcher_walks"]) == (4, 0, 3)
    assert pitched["is_starting_pitcher"]
    scored = parsed.frame.group_by("team").agg(pl.col("runs").sum(), pl.col("hits").sum()).sort("team")
    assert scored.filter(team="CWS")["hits"].to_list() == [2]

    team = recorded(realdata / "sportradar/sportsball_mockTeamStatsData.json.gz")
    got = season.parse(answer(season.plan(2018, ["CLE"])[0], team))
    assert len(got.rejected) == 0
    # the season's own totals of the team
    assert got.frame["home_runs"].sum() == 85
    assert got.frame["strikeouts"].sum() == 467
