"""Match: quotes find their games and players; what cannot be matched keeps its reason and blames nobody else."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from backstop import tables
from backstop.sources.sportradar import playerprops
from backstop.sources.theodds import props
from backstop.stages.match import REPORT, matched_quotes
from tests.stages.rows import DAY, batch, fetched, games

START = dt.datetime(2025, 6, 15, 17, tzinfo=dt.UTC)


def event(pk: str, home: str, away: str, *names: str) -> dict:
    outcomes = [
        {"name": side, "description": name, "price": price, "point": 0.5}
        for name in names
        for side, price in (("Over", -150), ("Under", 120))
    ]
    market = {"key": "batter_hits", "last_update": "2025-06-15T15:00:00Z", "outcomes": outcomes}
    return {
        "id": pk * 32,
        "sport_key": "baseball_mlb",
        "commence_time": "2025-06-15T17:00:00Z",
        "home_team": home,
        "away_team": away,
        "bookmakers": [{"key": "draftkings", "title": "DraftKings", "markets": [market]}],
    }


def roster(*players: tuple[int, int, str]) -> pl.DataFrame:
    rows = [
        {"game_pk": pk, "game_date": DAY, "player_id_mlbam": player, "full_name": name, "team": "NYY"}
        for pk, player, name in players
    ]
    whole = [dict.fromkeys(tables.PLAYERS.schema) | row for row in rows]
    return pl.DataFrame(whole, schema=tables.PLAYERS.schema)


@pytest.fixture
def answers(house):
    """Two games; the rosters of the second could not be had."""
    two = pl.concat([games(DAY, 1), games(DAY, 2, home_team="LAD", away_team="SF")])
    house.lake.write("core_games", DAY, two)
    house.lake.write("core_players", DAY, roster((1, 592450, "Aaron Judge")))
    listed = pl.DataFrame(
        [
            {"event_id_theodds": pk * 32, "commence_at": START, "home_team": home, "away_team": away, "game_date": DAY}
            for pk, home, away in (("a", "NYY", "BOS"), ("b", "LAD", "SF"))
        ],
        schema_overrides={"commence_at": tables.UTC_INSTANT},
    )
    items = props.plan(listed, ["batter_hits"], None)
    bodies = [
        event("a", "New York Yankees", "Boston Red Sox", "Aaron Judge", "Nobody Known"),
        event("b", "Los Angeles Dodgers", "San Francisco Giants", "Mookie Betts"),
    ]
    return [batch(*(fetched(house, item, json.dumps(each).encode()) for item, each in zip(items, bodies, strict=True)))]


def test_a_name_finds_its_player_and_one_that_nobody_has_stays_without(house, answers):
    received = matched_quotes(house, answers, DAY).received
    found = dict(received.parsed.frame.select("player_name", "player_id_mlbam").unique().rows())
    assert found == {"Aaron Judge": 592450, "Nobody Known": None}


def test_quotes_of_a_game_without_rosters_are_put_aside_by_name_and_counted(house, answers):
    received = matched_quotes(house, answers, DAY).received
    assert received.parsed.rejected_by_rule == {"no_roster": 2}
    assert {json.loads(row)["player_name"] for row in received.parsed.rejected["row"]} == {"Mookie Betts"}
    assert received.parsed.rows_in == 6


LATER = START + dt.timedelta(hours=6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([{"status": "Postponed"}], "The game is postponed or cancelled."),
        ([{"start_at": START - dt.timedelta(hours=4)}, {"start_at": LATER}],
         "It is not clear which game of a doubleheader is meant."),
    ],
)  # fmt: skip
def test_an_event_of_no_certain_game_does_not_block_the_prices_of_the_others(house, answers, changes, reason):
    others = [games(DAY, 2 + n, home_team="LAD", away_team="SF", **change) for n, change in enumerate(changes)]
    house.lake.write("core_games", DAY, pl.concat([games(DAY, 1), *others]))
    recognised = matched_quotes(house, answers, DAY)
    parsed = recognised.received.parsed
    assert set(parsed.frame["player_name"]) == {"Aaron Judge", "Nobody Known"}
    assert parsed.rejected_by_rule == {"no_game": 2}
    assert set(parsed.rejected["reason"]) == {reason}
    assert {json.loads(row)["player_name"] for row in parsed.rejected["row"]} == {"Mookie Betts"}
    assert parsed.frame.height + parsed.rejected.height == parsed.rows_in == 6
    assert recognised.matched.unmatched_share == 0.5


@pytest.mark.parametrize(("listed", "aside"), [(2, 2), (1, 0)])
def test_an_event_whose_game_was_moved_is_put_aside_unless_half_of_them_have_none(house, answers, listed, aside):
    """Of three events the game of one is not on the schedule, and then those of two."""
    there = [("NYY", "BOS"), ("SEA", "TEX")][:listed]
    house.lake.write(
        "core_games", DAY, pl.concat([games(DAY, n, home_team=h, away_team=a) for n, (h, a) in enumerate(there, 1)])
    )
    house.lake.write("core_players", DAY, roster((1, 592450, "Aaron Judge"), (2, 677594, "Julio Rodríguez")))
    third = event("c", "Seattle Mariners", "Texas Rangers", "Julio Rodriguez")
    item = props.plan(pl.DataFrame({"event_id_theodds": ["c" * 32], "commence_at": [START]}), ["batter_hits"])[0]
    more = [*answers, batch(fetched(house, item, json.dumps(third).encode()))]
    recognised = matched_quotes(house, more, DAY)
    parsed = recognised.received.parsed
    assert parsed.rejected_by_rule == ({"no_game": aside} if aside else {})
    assert parsed.frame.height + parsed.rejected.height == parsed.rows_in == 8
    # Nobody Known stays unknown; with the schedule in doubt two more names do
    assert recognised.matched.unmatched_share == (1 / 3 if aside else 3 / 4)


def test_without_any_roster_every_quote_of_a_known_game_is_put_aside(house, answers):
    house.lake.write("core_players", DAY, tables.PLAYERS.empty())
    received = matched_quotes(house, answers, DAY).received
    assert received.parsed.rejected_by_rule == {"no_roster": 6}
    assert received.parsed.frame.is_empty()


def test_the_report_on_the_names_is_kept_and_too_many_unknown_ones_are_refused_by_name(house, answers):
    recognised = matched_quotes(house, answers, DAY)
    report = house.lake.read(REPORT, DAY)
    assert report.select("player_name", "reason").rows() == [
        ("Aaron Judge", None), ("Nobody Known", "nobody of the two teams has this name"),
    ]  # fmt: skip
    assert recognised.matched.unmatched_share == 0.5
    assert recognised.refusal(0.5) == ()
    (refusal,) = recognised.refusal(0.02)
    assert "Nobody Known" in refusal
    assert "At most 2.0% may" in refusal


def test_prices_of_the_second_source_count_only_for_games_that_the_first_has_none_of(house, answers):
    item = playerprops.plan(DAY)[0]
    sides = [("home", "New York Yankees"), ("away", "Boston Red Sox")]
    outcomes = [{"type": "over", "odds_decimal": "2.5", "total": 0.5}]
    page = {
        "generated_at": "2025-06-15T12:00:00Z",
        playerprops.ROOTS[0]: [
            {
                "sport_event": {
                    "id": "sr:sport_event:7",
                    "start_time": "2025-06-15T17:00:00+00:00",
                    "competitors": [{"name": name, "qualifier": side} for side, name in sides],
                },
                "players_props": [
                    {
                        "player": {"name": "Judge, Aaron"},
                        "markets": [{"name": "total hits", "books": [{"name": "FanDuel", "outcomes": outcomes}]}],
                    }
                ],
            }
        ],
    }
    second = batch(fetched(house, item, json.dumps(page).encode()))
    alone = matched_quotes(house, [second], DAY).received.parsed
    assert alone.frame.select("player_id_mlbam", "bookmaker", "price_decimal").rows() == [(592450, "fanduel", 2.5)]
    both = matched_quotes(house, [*answers, second], DAY).received.parsed
    assert both.rejected_by_rule == {"no_roster": 2, "superseded": 1}
    assert both.rows_in == 7
    assert set(both.frame["bookmaker"]) == {"draftkings"}
