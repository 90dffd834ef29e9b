"""The words of paid feeds as the upstream server says them: what it refuses, and what those who read it make of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from backstop.demo.clubs import BY_ABBR
from backstop.demo.dialects import sportradar, theodds
from backstop.demo.world import Appearance, Event, Person
from backstop.sources.sportradar import people, season
from tests.sources.answers import answer

NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)
JUDGE = Person(
    592450, "Aaron Judge", "Aaron", "Judge", bats="R", throws="R", position="RF", birth_date=dt.date(1992, 4, 26)
)
SWITCH = Person(9, "José Núñez Jr.", bats="S")
ODDS = {"markets": "batter_hits", "regions": "us"}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"markets": "batter_hits,batter_hurts"}, "INVALID_MARKET", "batter_hurts"),
        ({"markets": "player_points"}, "INVALID_MARKET", "player_points"),
        ({"regions": ""}, "MISSING_REGION", "regions or bookmakers"),
        ({"regions": "us,mars"}, "INVALID_REGION", "mars"),
        ({"oddsFormat": "fractional"}, "INVALID_ODDS_FORMAT", "fractional"),
        ({"dateFormat": "julian"}, "INVALID_DATE_FORMAT", "julian"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_feeds_own_code(change: dict[str, str], code: str, words: str) -> None:
    with pytest.raises(theodds.Refusal) as caught:
        theodds.ask(ODDS | change, props=True)
    body = caught.value.body()
    assert (caught.value.status, body["error_code"]) == (422, code)
    assert words in body["message"]
    assert body["details_url"].endswith(f"#{code.lower().replace('_', '-')}")


def test_a_prop_is_no_featured_market() -> None:
    with pytest.raises(theodds.Refusal):
        theodds.ask(ODDS, props=False)
    assert theodds.ask({"regions": "us"}, props=False).markets == ("h2h",)


@pytest.mark.parametrize(
    ("query", "regions"),
    [
        ({"regions": "us"}, 1), ({"regions": "us,us2,eu"}, 3), ({"bookmakers": "fanduel"}, 1),
        ({"bookmakers": ",".join(f"b{n}" for n in range(10))}, 1), ({"bookmakers": ",".join(f"b{n}" for n in range(11))}, 2),
        ({"bookmakers": "fanduel", "regions": "us,us2,eu"}, 1),
    ],
)  # fmt: skip
def test_every_started_ten_books_cost_as_much_as_a_region(query: dict[str, str], regions: int) -> None:
    assert theodds.ask({"markets": "batter_hits"} | query, props=True).region_count == regions


@pytest.mark.parametrize(
    ("query", "book", "wanted"),
    [
        ({"regions": "us"}, "fanduel", True), ({"regions": "us2"}, "fanduel", False), ({"regions": "us2"}, "espnbet", True),
        ({"regions": "us"}, "nobody_knows", True), ({"regions": "eu"}, "nobody_knows", False),
        ({"bookmakers": "fanduel"}, "betmgm", False), ({"bookmakers": "nobody_knows"}, "nobody_knows", True),
    ],
)  # fmt: skip
def test_a_book_answers_for_its_region_or_by_its_name(query: dict[str, str], book: str, *, wanted: bool) -> None:
    assert theodds.ask({"markets": "batter_hits"} | query, props=True).wants(book) is wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "MISSING"), ("", "MISSING"), ("2025-06-15", "INVALID"), ("2025-06-15T16:00:00+00:00", "INVALID"),
        ("2025-06-15T16:00:00.5Z", "INVALID"), ("2025-06-31T16:00:00Z", "INVALID"), ("2025-06-15T24:00:01Z", "INVALID"),
    ],
)  # fmt: skip
def test_an_instant_has_one_form(text: str | None, code: str) -> None:
    query = {} if text is None else {"date": text}
    with pytest.raises(theodds.Refusal) as caught:
        theodds.instant_of(query, "date", "MISSING", "INVALID")
    assert caught.value.code == code
    assert theodds.instant_of({"date": "2025-06-15T16:00:00Z"}, "date", "MISSING", "INVALID") == NOON


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("x", None, "INVALID_COMMENCE_TIME_FROM"), (None, "x", "INVALID_COMMENCE_TIME_TO"),
        ("2025-06-16T00:00:00Z", "2025-06-15T00:00:00Z", "INVALID_COMMENCE_TIME_RANGE"),
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_is_refused(first: str | None, last: str | None, code: str) -> None:
    query = {name: text for name, text in (("commenceTimeFrom", first), ("commenceTimeTo", last)) if text}
    with pytest.raises(theodds.Refusal) as caught:
        theodds.window(query)
    assert caught.value.code == code


def test_both_ends_of_a_window_are_in_it() -> None:
    hour = dt.timedelta(hours=1)
    listed = [Event(str(n), NOON + n * hour, "Detroit Tigers", "Cincinnati Reds") for n in range(4)]
    assert [e.event_id for e in theodds.in_window(listed, NOON + hour, NOON + 2 * hour)] == ["1", "2"]
    assert [e.event_id for e in theodds.in_window(listed, None, NOON)] == ["0"]
    assert len(theodds.in_window(listed, None, None)) == 4


@pytest.mark.parametrize("price", [0, 99, -99])
def test_a_price_that_does_not_exist_is_a_fault_of_the_world_and_loud(price: int) -> None:
    with pytest.raises(ValueError, match=f"{price} is no American price"):
        theodds.decimal_price(price)


def test_injuries_are_read_club_by_club_with_mlbs_numbers() -> None:
    third = Person(11, "Ha-Seong Kim", "Ha-Seong", "Kim")
    hurt = [
        (BY_ABBR["NYY"], JUDGE, "D10", dt.date(2025, 6, 1)),
        (BY_ABBR["ATH"], third, "day-to-day", dt.date(2025, 6, 14)),
        (BY_ABBR["NYY"], SWITCH, "D60", dt.date(2025, 4, 1)),
    ]
    said = sportradar.injuries(hurt, NOON)
    assert [(team["abbr"], len(team["players"])) for team in said["teams"]] == [("NYY", 2), ("ATH", 1)]
    rows = people.parse_injuries(answer(people.plan_injuries()[0], said))
    assert rows.rejected_by_rule == {}
    columns = ("team", "player_id_mlbam", "full_name", "status", "injury", "started_on")
    assert rows.frame.select(columns).sort("started_on").rows() == [
        ("NYY", 9, "José Núñez Jr.", "D60", "Hamstring", dt.date(2025, 4, 1)),
        ("NYY", 592450, "Aaron Judge", "D10", "Hamstring", dt.date(2025, 6, 1)),
        ("ATH", 11, "Ha-Seong Kim", "day-to-day", "Hamstring", dt.date(2025, 6, 14)),
    ]


@pytest.mark.parametrize(
    ("person", "club", "expected"),
    [
        (JUDGE, BY_ABBR["NYY"], (592450, "Aaron Judge", dt.date(1992, 4, 26), "R", "R", "RF", "NYY")),
        (SWITCH, None, (9, "José Núñez Jr.", None, "B", None, None, None)),
    ],
)
def test_a_profile_is_read_with_what_is_known_of_the_player(
    person: Person, club: Any, expected: tuple[Any, ...]
) -> None:
    uuid = sportradar.uuid_of_player(person.player_id)
    parsed = people.parse_profile(answer(people.plan_profiles([uuid])[0], sportradar.profile(person, club, NOON)))
    names = ("player_id_mlbam", "full_name", "birth_date", "bats", "throws", "position", "team")
    assert parsed.frame.select(names).row(0) == expected
    assert parsed.frame["player_id_sportradar"].to_list() == [uuid]


BATTED = {
    "plateAppearances": 5, "atBats": 4, "hits": 3, "doubles": 1, "triples": 0, "homeRuns": 1, "totalBases": 7,
    "baseOnBalls": 1, "intentionalWalks": 1, "hitByPitch": 0, "strikeOuts": 1, "rbi": 2, "runs": 2, "stolenBases": 1,
}  # fmt: skip
PITCHED = BATTED | {"battersFaced": 25, "outs": 17, "earnedRuns": 2, "runs": 3}


def test_a_season_is_the_sum_of_its_games_and_strikeouts_are_not_strikes() -> None:
    rows = [
        Appearance(592450, is_home=True, batting=BATTED), Appearance(592450, is_home=True, batting=BATTED | {"intentionalWalks": 0}),
        Appearance(9, is_home=True, pitching=PITCHED), Appearance(9, is_home=True, pitching=PITCHED),
    ]  # fmt: skip
    said = sportradar.season(BY_ABBR["NYY"], 2025, rows, {592450: JUDGE}.get, NOON)
    parsed = season.parse(answer(season.plan(2025, ["NYY"])[0], said))
    assert parsed.rejected_by_rule == {}
    by_id = {row["player_id_mlbam"]: row for row in parsed.frame.to_dicts()}
    batter = {"plate_appearances": 10, "hits": 6, "home_runs": 2, "total_bases": 14, "walks": 2, "strikeouts": 2,
              "rbi": 4, "stolen_bases": 2, "batters_faced": None, "season": 2025, "team": "NYY"}  # fmt: skip
    assert {name: by_id[592450][name] for name in batter} == batter
    pitcher = {"batters_faced": 50, "outs_recorded": 34, "pitcher_strikeouts": 2, "hits_allowed": 6, "pitcher_walks": 2,
               "home_runs_allowed": 2, "earned_runs": 4, "plate_appearances": None, "full_name": None}  # fmt: skip
    assert {name: by_id[9][name] for name in pitcher} == pitcher
