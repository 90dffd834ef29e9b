"""Numbers that feeds write as text: read where their digits are plain, refused or left out by name otherwise."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.net.item import Answer
from backstop.sources import jsontext
from backstop.sources.sportradar import playerprops, wire
from backstop.sources.sportradar import schedule as radar_schedule
from backstop.sources.statsapi import boxscore, people, schedule
from backstop.sources.teams import BY_ABBREVIATION
from tests.sources.answers import NOON, answer

DAY = dt.date(2025, 6, 15)
ENDLESS = "9" * 5_000
"""Python itself refuses to read so many digits."""

NO_NUMBERS = ["", " ", "-1", "+1", "1.5", "1_0", "0x1", "1e3", "²", "٣", "nan", ENDLESS, None, True, 7, ["7"], {"n": 7}]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_not_written_in_plain_digits_is_no_whole_number(value: Any):
    assert jsontext.whole(value) is None


@given(st.integers(0, 10**15 - 1))
def test_plain_digits_are_their_number(number: int):
    assert jsontext.whole(str(number)) == number
    assert jsontext.whole(f"000{number}"[-15:]) == int(f"000{number}"[-15:])


@pytest.mark.parametrize(
    ("innings", "outs"),
    [
        ("0.0", 0), ("6.2", 20), ("9", 27), ("10.1", 31), ("6.", None), (".1", None), ("6.3", None), ("6.10", None),
        ("-.--", None), ("-1.0", None), ("6,1", None), ("²", None), (ENDLESS, None), (f"{ENDLESS}.1", None), (6.2, None), (None, None),
    ],
)  # fmt: skip
def test_innings_are_whole_ones_and_thirds(innings: Any, outs: int | None):
    assert boxscore.outs_of(innings) == outs


@pytest.mark.parametrize(
    ("height", "inches"),
    [("6' 1\"", 73), ("6'1\"", 73), ("5' 11\"", 71), ("6'  1\"", None), ("6 1", None), ("185 cm", None), (f"{ENDLESS}' 1\"", None),
     ("²' 1\"", None), (73, None), (None, None)],
)  # fmt: skip
def test_heights_are_feet_and_inches(height: Any, inches: int | None):
    assert people.inches(height) == inches


@pytest.mark.parametrize(
    ("value", "number"),
    [(660271, 660271), ("660271", 660271), ("", None), ("sr:player:1", None), (True, None), (1.5, None), (ENDLESS, None), ("²", None)],
)  # fmt: skip
def test_mlbs_number_of_another_feed(value: Any, number: int | None):
    assert wire.mlbam({"mlbam_id": value}, "mlbam_id", "reference") == number
    assert wire.mlbam({"mlbam_id": value, "reference": "7"}, "mlbam_id", "reference") == (number or 7)


def game(**changes: Any) -> dict[str, Any]:
    """A game of SportRadar's schedule."""
    sides = {
        name: {"id": BY_ABBREVIATION[code].id_sportradar, "abbr": code}
        for name, code in (("home", "DET"), ("away", "CIN"))
    }
    return {
        "id": "g",
        "status": "scheduled",
        "scheduled": "2025-06-15T17:40:00+00:00",
        "reference": "777",
        **sides,
    } | changes


@pytest.mark.parametrize(
    ("reference", "game_pk"), [("777", 777), (777, 777), (ENDLESS, None), ("²", None), (None, None)]
)
def test_a_schedule_whose_reference_is_no_number_has_games_without_one(reference: Any, game_pk: int | None):
    body = {"league": {"id": "l"}, "games": [game(reference=reference)]}
    parsed = radar_schedule.parse(answer(radar_schedule.plan(DAY)[0], body))
    assert parsed.frame["game_pk"].to_list() == [game_pk]
    assert parsed.rejected.is_empty()


def mlb_game(season: Any) -> dict[str, Any]:
    teams = {
        side: {"team": {"id": BY_ABBREVIATION[code].id_mlbam}} for side, code in (("home", "DET"), ("away", "CIN"))
    }
    return {
        "gamePk": 777, "officialDate": "2025-06-15", "gameDate": "2025-06-15T17:40:00Z", "season": season, "teams": teams,
        "gameType": "R", "status": {"detailedState": "Final", "abstractGameState": "Final"},
    }  # fmt: skip


@pytest.mark.parametrize(("season", "rows"), [("2025", 1), (2025, 1), (ENDLESS, 0), ("²", 0), ("MMXXV", 0)])
def test_a_game_of_an_unreadable_season_is_set_apart_and_not_the_schedule(season: Any, rows: int):
    body = {"totalItems": 1, "dates": [{"date": "2025-06-15", "games": [mlb_game(season)]}]}
    parsed = schedule.parse(answer(schedule.plan_day(DAY)[0], body))
    assert (len(parsed.frame), len(parsed.rejected)) == (rows, 1 - rows)
    assert parsed.frame["season"].to_list() == [2025] * rows


def props_page(**outcome: Any) -> dict[str, Any]:
    book = {"name": "FanDuel", "outcomes": [{"type": "over", "odds_decimal": "1.91", "total": "1.5"} | outcome]}
    sides = [{"name": "Detroit Tigers", "qualifier": "home"}, {"name": "Cincinnati Reds", "qualifier": "away"}]
    event = {"id": "e", "start_time": "2025-06-15T23:00:00+00:00", "competitors": sides}
    props = [{"player": {"name": "Greene, Riley"}, "markets": [{"name": "total bases", "books": [book]}]}]
    return {"generated_at": "now", playerprops.ROOTS[0]: [{"sport_event": event, "players_props": props}]}


@pytest.mark.parametrize(
    ("total", "line"), [("1.5", 1.5), (1.5, 1.5), (" 2 ", 2.0), (2, 2.0), ("+0.5", 0.5), ("00.5", 0.5)]
)
def test_a_total_may_be_text_or_number(total: Any, line: float):
    assert playerprops.parse(answer(playerprops.plan(DAY)[0], props_page(total=total))).frame["line"].to_list() == [
        line
    ]


@pytest.mark.parametrize(
    "wrong", ["1_5", "0x1", "1e0", "nan", "inf", "-inf", "1.", ".5", "1,5", "٣", "²", "", True, [1.5], {}]
)
@pytest.mark.parametrize(("name", "rule"), [("total", "line"), ("odds_decimal", "price")])
def test_what_only_looks_like_a_number_is_set_apart_with_its_rule(name: str, rule: str, wrong: Any):
    parsed = playerprops.parse(answer(playerprops.plan(DAY)[0], props_page(**{name: wrong})))
    assert parsed.rejected_by_rule == {rule: 1}


@pytest.mark.parametrize(("said", "results"), [("25", 25), ("0", 0), ("²", 1), (ENDLESS, 1), ("many", 1), ("", 1)])
def test_pages_are_counted_where_their_number_is_not_told(said: str, results: int):
    item = playerprops.plan(DAY)[0]
    first = Answer(item, 200, answer(item, props_page()).body, NOON, "", (("x-max-results", said),))
    assert playerprops.total(first) == results
