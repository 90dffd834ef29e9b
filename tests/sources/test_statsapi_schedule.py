"""Schedule: postponed and resumed games, doubleheaders, the official date, what is not known yet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.clock import days_between
from backstop.errors import UpstreamMalformed, UsageError
from backstop.sources.parsed import Parsed
from backstop.sources.statsapi import schedule
from backstop.tables import GAMES
from tests.sources.answers import answer, recorded

DAY = dt.date(2025, 6, 15)
RANGE = schedule.plan(dt.date(2025, 6, 1), dt.date(2025, 6, 30))[0]


def game(pk: int = 777245, **changes: Any) -> dict[str, Any]:
    """A game before it is played, as the schedule lists it without any hydration."""
    listed: dict[str, Any] = {
        "gamePk": pk,
        "gameType": "R",
        "season": "2025",
        "gameDate": "2025-06-15T17:40:00Z",
        "officialDate": "2025-06-15",
        "status": {"abstractGameState": "Preview", "detailedState": "Scheduled", "startTimeTBD": False},
        "teams": {
            "away": {"team": {"id": 113, "name": "Cincinnati Reds"}, "leagueRecord": {"wins": 1, "losses": 1}},
            "home": {"team": {"id": 116, "name": "Detroit Tigers"}, "leagueRecord": {"wins": 1, "losses": 1}},
        },
        "venue": {"id": 2394, "name": "Comerica Park"},
        "doubleHeader": "N",
        "gameNumber": 1,
    }
    return listed | changes


def listing(*days: list[dict[str, Any]]) -> dict[str, Any]:
    return {"totalItems": 1, "dates": [{"date": "2025-06-15", "games": games} for games in days]}


def parse(body: Any) -> Parsed:
    got = answer(RANGE, body)
    schedule.inspect(got.body)
    return schedule.parse(got)


def test_a_range_is_asked_month_by_month() -> None:
    items = schedule.plan(dt.date(2025, 3, 27), dt.date(2025, 5, 2))
    assert [item.key for item in items] == [
        "2025-03-27..2025-03-31", "2025-04-01..2025-04-30", "2025-05-01..2025-05-02",
    ]  # fmt: skip
    assert dict(items[0].params) == {
        "sportId": "1", "startDate": "2025-03-27", "endDate": "2025-03-31", "hydrate": "probablePitcher",
    }  # fmt: skip


@settings(deadline=None)
@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 400))
def test_the_months_of_a_range_hold_each_day_once(first: dt.date, length: int) -> None:
    last = first + dt.timedelta(days=length)
    asked = [
        day
        for item in schedule.plan(first, last)
        for day in days_between(*(dt.date.fromisoformat(text) for text in item.key.split("..")))
    ]
    assert asked == days_between(first, last)


def test_a_range_that_ends_before_it_begins_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="ends before it begins"):
        schedule.plan(DAY, DAY - dt.timedelta(days=1))


def test_one_day_is_asked_with_probable_pitchers_and_lineups() -> None:
    item = schedule.plan_day(DAY)[0]
    assert dict(item.params) == {"sportId": "1", "date": "2025-06-15", "hydrate": "probablePitcher,team,lineups"}


def test_a_listed_game_becomes_a_row_and_what_is_absent_is_null() -> None:
    parsed = parse(listing([game()]))
    assert parsed.frame.schema == GAMES.schema
    row = parsed.frame.row(0, named=True)
    assert (row["home_team"], row["away_team"], row["season"], row["status"]) == ("DET", "CIN", 2025, "Scheduled")
    assert row["home_score"] is row["home_starter_id_mlbam"] is None
    assert not parsed.drift


def test_probable_pitchers_and_scores_are_taken_where_they_are_given() -> None:
    played = game()
    played["teams"]["home"] |= {"score": 3, "probablePitcher": {"id": 669373, "fullName": "Tarik Skubal"}}
    row = parse(listing([played])).frame.row(0, named=True)
    assert (row["home_score"], row["home_starter_id_mlbam"], row["away_starter_id_mlbam"]) == (3, 669373, None)


def test_the_day_of_a_night_game_is_the_official_date_and_not_the_utc_one() -> None:
    row = parse(listing([game(gameDate="2025-06-16T02:10:00Z")])).frame.row(0, named=True)
    assert row["game_date"] == DAY
    assert row["start_at"] == dt.datetime(2025, 6, 16, 2, 10, tzinfo=dt.UTC)


def test_of_a_postponed_game_the_later_listing_counts() -> None:
    off = game(status={"abstractGameState": "Final", "detailedState": "Postponed"}, rescheduleDate="2025-06-16")
    again = game(officialDate="2025-06-16", gameDate="2025-06-16T17:40:00Z", rescheduledFrom="2025-06-15")
    for order in ([off], [again]), ([again], [off]):
        parsed = parse(listing(*order))
        assert (parsed.rows_in, len(parsed.frame), parsed.rejected_by_rule) == (2, 1, {"superseded": 1})
        assert parsed.frame["game_date"].to_list() == [dt.date(2025, 6, 16)]
        assert parsed.frame["status"].to_list() == ["Scheduled"]


@pytest.mark.parametrize("state", ["Postponed", "Postponed: Rain"])
def test_a_game_postponed_within_its_day_is_not_outdone_by_its_old_listing(state: str) -> None:
    off = game(status={"abstractGameState": "Final", "detailedState": state})
    assert parse(listing([game(), off])).frame["status"].to_list() == ["Scheduled"]


def test_a_suspended_game_keeps_its_first_day_and_its_last_state() -> None:
    suspended = game(status={"abstractGameState": "Live", "detailedState": "Suspended"}, resumeDate="2025-06-20")
    resumed = game(status={"abstractGameState": "Final", "detailedState": "Final"}, resumedFrom="2025-06-15")
    row = parse(listing([resumed], [suspended])).frame.row(0, named=True)
    assert (row["game_date"], row["status"]) == (DAY, "Final")


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ({}, None),
        ({"resumeDate": "2025-06-20T23:10:00Z", "resumeGameDate": "2025-06-20"}, 20),
        ({"resumeDate": "2025-06-20T02:10:00Z"}, 19),
        ({"resumeDate": "2025-06-20"}, 20),
        ({"resumeDate": "soon", "resumeGameDate": ""}, None),
        ({"resumedFrom": "2025-06-15T17:40:00Z", "gameDate": "2025-06-21T01:05:00Z"}, 20),
        ({"resumedFromDate": "2025-06-15", "gameDate": "2025-06-20T17:05:00Z"}, 20),
        ({"resumedFrom": "2025-06-15T17:40:00Z", "resumeGameDate": "2025-06-22"}, 22),
        ({"rescheduledFrom": "2025-06-14T17:40:00Z"}, None),
    ],
    ids=["never", "named", "the evening before in UTC", "a day alone", "unreadable", "listed again at night",
         "listed again", "suspended once more", "postponed"],
)  # fmt: skip
def test_the_day_on_which_a_suspended_game_goes_on(said: dict[str, Any], day: int | None) -> None:
    (told,) = parse(listing([game(**said)])).frame["resumed_on"]
    assert told == (None if day is None else dt.date(2025, 6, day))


def test_a_game_resumed_on_the_day_asked_belongs_to_its_first_day() -> None:
    item = schedule.plan_day(dt.date(2025, 6, 20))[0]
    parsed = schedule.parse(answer(item, listing([game(resumedFrom="2025-06-15")])))
    assert parsed.rejected_by_rule == {"other_day": 1}
    assert "belongs to 2025-06-15" in parsed.rejected["reason"][0]


@pytest.mark.parametrize("kind", ["Y", "S"])
def test_both_games_of_a_doubleheader_stay(kind: str) -> None:
    parsed = parse(listing([game(1, doubleHeader=kind), game(2, doubleHeader=kind, gameNumber=2)]))
    assert parsed.frame["game_number"].to_list() == [1, 2]
    assert parsed.frame["doubleheader"].to_list() == [kind, kind]


@pytest.mark.parametrize("said", [True, False, None])
def test_a_start_that_is_to_be_determined_is_told_from_a_known_one(said: bool | None) -> None:
    status = {"abstractGameState": "Preview", "detailedState": "Scheduled"}
    status |= {} if said is None else {"startTimeTBD": said}
    assert parse(listing([game(status=status)])).frame["start_is_tbd"].to_list() == [said]


def test_no_games_is_an_answer_without_dates() -> None:
    assert parse({"totalItems": 0, "dates": []}).rows_in == 0


def test_the_all_star_game_has_two_sides_that_are_no_clubs() -> None:
    sides = {"home": {"team": {"id": 159}}, "away": {"team": {"id": 160}}}
    row = parse(listing([game(gameType="A", teams=sides)])).frame.row(0, named=True)
    assert (row["home_team"], row["away_team"]) == ("AL", "NL")


def test_an_unknown_opponent_is_set_apart_unless_its_abbreviation_is_given() -> None:
    college = {"home": {"team": {"id": 116}}, "away": {"team": {"id": 9000, "name": "Southeastern"}}}
    assert parse(listing([game(teams=college)])).rejected_by_rule == {"unknown_team": 1}
    college["away"]["team"]["abbreviation"] = "SEU"
    assert parse(listing([game(teams=college)])).frame["away_team"].to_list() == ["SEU"]
    college["away"]["team"] = {"id": 792, "name": "Colombia", "abbreviation": "COL"}
    refused = parse(listing([game(teams=college)]))
    assert (refused.frame.height, refused.rejected_by_rule) == (0, {"unknown_team": 1})


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"gamePk": None}, "missing_key"),
        ({"gamePk": "777245"}, "type"),
        ({"gameDate": "tomorrow"}, "cast"),
        ({"officialDate": None}, "cast"),
        ({"gameNumber": 1.5}, "type"),
    ],
)
def test_a_game_that_is_not_as_it_must_be_is_set_apart_and_the_others_stay(changes: dict[str, Any], rule: str) -> None:
    parsed = parse(listing([game(1), game(**changes)]))
    assert (len(parsed.frame), parsed.rejected_by_rule, parsed.rows_in) == (1, {rule: 1}, 2)


def test_a_new_key_of_a_game_is_reported_by_name() -> None:
    assert parse(listing([game(robotUmpires=True)])).drift.added == ("robotUmpires",)


@pytest.mark.parametrize("body", [b"", b"<html><title>502</title>", b'{"dates":[{"ga', b"[]", b'{"dates": 3}'])
def test_what_is_no_schedule_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        schedule.inspect(body)


def test_an_error_body_with_a_byte_order_mark_is_refused_with_its_message() -> None:
    body = b'\xef\xbb\xbf{"messageNumber":1,"message":"Internal error occurred","traceId":"c058"}'
    with pytest.raises(UpstreamMalformed, match="Internal error occurred"):
        schedule.inspect(body)


def test_ranges_are_merged_and_of_a_game_in_two_months_the_later_date_counts() -> None:
    june = parse(listing([game(status={"abstractGameState": "Final", "detailedState": "Postponed"})]))
    july = parse(listing([game(officialDate="2025-07-02", gameDate="2025-07-02T17:40:00Z")]))
    for parts in ([june, july], [july, june]):
        merged = schedule.merge(parts)
        assert merged.frame["game_date"].to_list() == [dt.date(2025, 7, 2)]
        assert merged.rows_in == 2


def test_posted_lineups_are_read_in_their_order_and_none_is_normal() -> None:
    nine = [{"id": 600000 + n, "fullName": f"Player {n}", "primaryPosition": {"abbreviation": "SS"}} for n in range(9)]
    item = schedule.plan_day(DAY)[0]
    posted = schedule.lineups(answer(item, listing([game(1, lineups={"homePlayers": nine}), game(2)])))
    assert posted.frame["slot"].to_list() == list(range(1, 10))
    assert posted.frame["is_home"].all()
    assert schedule.lineups(answer(item, listing([game(2)]))).rows_in == 0


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "games"),
    [
        ("darkside/schedule.json", 3),
        ("darkside/schedule_hydrated_team.json", 1),
        ("zero_sum/schedule__schedule_date.json", 15),
        ("zero_sum/schedule__schedule_start_end_date.json", 8),
    ],
)
def test_recorded_schedules_are_read_whole_without_drift(realdata: Path, name: str, games: int) -> None:
    parsed = parse(recorded(realdata / "mlb_statsapi" / name))
    assert (len(parsed.frame), len(parsed.rejected)) == (games, 0)
    assert not parsed.drift


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["response__error_500.json", "response__not_found_404.json"])
def test_recorded_error_bodies_are_refused(realdata: Path, name: str) -> None:
    with pytest.raises(UpstreamMalformed, match=r"Internal error|not found"):
        schedule.inspect(recorded(realdata / "mlb_statsapi/zero_sum" / name))


@pytest.mark.realdata
def test_the_schedule_of_2026_keeps_its_official_dates_and_doubleheaders(realdata: Path) -> None:
    """A season flattened to a table, written back as it was listed."""
    season = pl.read_csv(recorded(realdata / "mlb_statsapi/fuku8_schedule_2026-08-22.csv.gz"))
    games = [
        game(
            row["game_pk"], gameDate=row["game_date"], officialDate=row["official_date"], doubleHeader=row["double_header"],
            season="2026", status={"detailedState": row["status"], "abstractGameState": "Final"},
            teams={side: {"team": {"id": row[f"{side}_team_id"], "abbreviation": "X"}} for side in ("home", "away")},
        )
        for row in season.to_dicts()
    ]  # fmt: skip
    parsed = parse(listing(games))
    assert (parsed.rows_in, len(parsed.frame) + len(parsed.rejected)) == (2_483, 2_483)
    assert set(parsed.rejected_by_rule) <= {"superseded"}
    later = parsed.frame.filter(pl.col("start_at").dt.date() > pl.col("game_date"))
    assert 560 <= len(later) <= 582
    kinds = dict(parsed.frame.group_by("doubleheader").len().iter_rows())
    assert kinds["S"] > kinds["Y"] > 0
