"""The Odds API: events and props, live and historical; prices, sides, lines, in-play quotes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.errors import UpstreamMalformed, UsageError
from backstop.net.item import Secret
from backstop.sources.parsed import Parsed
from backstop.sources.teams import ODDS_API_NAME, TEAMS
from backstop.sources.theodds import events, markets, props, wire
from backstop.tables import QUOTES
from tests.sources.answers import answer, recorded

DAY = dt.date(2025, 6, 15)
START = dt.datetime(2025, 6, 15, 17, 40, tzinfo=dt.UTC)
EVENT_ID = "4ea77ab191c4962c015385bb70e3bc32"
LISTED = pl.DataFrame({"event_id_theodds": [EVENT_ID], "commence_at": [START]})
ITEM = props.plan(LISTED, ["batter_hits"])[0]


def event(**changes: Any) -> dict[str, Any]:
    listed = {
        "id": EVENT_ID,
        "sport_key": "baseball_mlb",
        "sport_title": "MLB",
        "commence_time": "2025-06-15T17:40:00Z",
        "home_team": "Detroit Tigers",
        "away_team": "Cincinnati Reds",
    }
    return listed | changes


def outcome(**changes: Any) -> dict[str, Any]:
    return {"name": "Over", "description": "Riley Greene", "price": -150, "point": 0.5} | changes


def quoted(
    *outcomes: Any, market: str = "batter_hits", stamp: str | None = "2025-06-15T15:00:00Z", **changes: Any
) -> Any:
    listed: dict[str, Any] = {"key": market, "outcomes": list(outcomes)}
    if stamp:
        listed["last_update"] = stamp
    return event(bookmakers=[{"key": "fanduel", "title": "FanDuel", "markets": [listed]}], **changes)


def parse(body: Any, *, item: Any = ITEM, at: dt.datetime = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)) -> Parsed:
    got = answer(item, body, at=at)
    props.inspect(got.body)
    return props.parse(got)


def test_events_are_asked_for_the_baseball_day_and_cost_nothing() -> None:
    item = events.plan(DAY)[0]
    assert item.path == "/v4/sports/baseball_mlb/events"
    assert item.params == (("commenceTimeFrom", "2025-06-15T08:00:00Z"), ("commenceTimeTo", "2025-06-16T07:59:59Z"))
    assert (item.credits, item.secret) == (0, Secret.QUERY_API_KEY)


def test_events_of_the_past_are_asked_at_an_instant_and_cost_one() -> None:
    item = events.plan(DAY, dt.datetime(2025, 6, 15, 12, 0, 30, 999, dt.UTC))[0]
    assert item.path == "/v4/historical/sports/baseball_mlb/events"
    assert item.params[0] == ("date", "2025-06-15T12:00:30Z")
    assert item.credits == 1


def test_an_instant_without_zone_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no zone"):
        events.plan(DAY, dt.datetime(2025, 6, 15))  # noqa: DTZ001 - the very mistake


def test_events_become_rows_with_abbreviations_and_the_baseball_day() -> None:
    late = event(id="b", commence_time="2025-06-16T02:10:00Z", home_team="Oakland Athletics")
    parsed = events.parse(answer(events.plan(DAY)[0], [event(), late]))
    assert parsed.frame["home_team"].to_list() == ["DET", "ATH"]
    assert parsed.frame["game_date"].to_list() == [DAY, DAY]


def test_history_comes_in_an_envelope() -> None:
    body = {"timestamp": "2025-06-15T12:00:00Z", "previous_timestamp": None, "next_timestamp": None, "data": [event()]}
    assert len(events.parse(answer(events.plan(DAY)[0], body)).frame) == 1
    with pytest.raises(UpstreamMalformed, match="timestamp"):
        events.inspect(b'{"timestamp": null, "data": []}')


def test_no_events_is_an_empty_list() -> None:
    assert events.parse(answer(events.plan(DAY)[0], [])).rows_in == 0


def test_an_event_of_unknown_teams_is_set_apart() -> None:
    stars = event(home_team="National League All-Stars")
    assert events.parse(answer(events.plan(DAY)[0], [event(id="b"), stars])).rejected_by_rule == {"unknown_team": 1}


@pytest.mark.parametrize("name", sorted(ODDS_API_NAME.values()))
def test_every_club_is_known_by_the_name_of_the_feed(name: str) -> None:
    assert wire.team(name) in {team.abbreviation for team in TEAMS}


def test_props_are_asked_per_event_and_cost_markets_times_regions() -> None:
    item = props.plan(LISTED, ["batter_hits", "pitcher_strikeouts", "batter_hits"], regions=("us", "us2"))[0]
    assert item.path == f"/v4/sports/baseball_mlb/events/{EVENT_ID}/odds"
    assert dict(item.params) == {
        "regions": "us,us2", "markets": "batter_hits,pitcher_strikeouts", "oddsFormat": "american", "dateFormat": "iso",
    }  # fmt: skip
    assert (item.credits, item.table, item.key) == (4, "core_quotes", f"2025-06-15/{EVENT_ID}")


def test_props_of_the_past_cost_ten_times_as_much() -> None:
    item = props.plan(LISTED, ["batter_hits"], at="commence")[0]
    assert item.path == f"/v4/historical/sports/baseball_mlb/events/{EVENT_ID}/odds"
    assert item.params[0] == ("date", "2025-06-15T17:40:00Z")
    assert (item.credits, item.key) == (10, f"2025-06-15/{EVENT_ID}@2025-06-15T17:40:00Z")
    earlier = props.plan(LISTED, ["batter_hits"], at=START - dt.timedelta(hours=2))[0]
    assert dict(earlier.params)["date"] == "2025-06-15T15:40:00Z"


def test_no_markets_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="at least one market"):
        props.plan(LISTED, [])


def test_a_market_that_would_fail_the_whole_call_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="batter_bunts"):
        props.plan(LISTED, ["batter_hits", "batter_bunts"])


def test_alternate_lines_are_asked_where_the_feed_has_them() -> None:
    item = props.plan(LISTED, markets.with_alternates(["batter_hits", "pitcher_outs"]))[0]
    assert dict(item.params)["markets"] == "batter_hits,batter_hits_alternate,pitcher_outs"
    assert item.credits == 3


def test_an_outcome_becomes_a_quote() -> None:
    parsed = parse(quoted(outcome()))
    assert parsed.frame.schema == QUOTES.schema
    row = parsed.frame.row(0, named=True)
    assert (row["bookmaker"], row["market"], row["line"], row["side"]) == ("fanduel", "batter_hits", 0.5, "over")
    assert row["price_decimal"] == pytest.approx(1 + 100 / 150)
    assert row["game_pk"] is row["player_id_mlbam"] is None


def test_one_sided_markets_stay_one_sided() -> None:
    assert parse(quoted(outcome())).frame["side"].to_list() == ["over"]


def test_one_market_may_mix_several_points() -> None:
    parsed = parse(quoted(outcome(), outcome(point=1.5, price=200), outcome(point=1.5, name="Under", price=-260)))
    assert parsed.frame.select("line", "side").rows() == [(0.5, "over"), (1.5, "over"), (1.5, "under")]


def test_yes_and_no_are_over_and_under_half() -> None:
    sides = [outcome(name="Yes", point=None), outcome(name="No", price=120)]
    del sides[1]["point"]
    frame = parse(quoted(*sides, market="pitcher_record_a_win")).frame
    assert frame.select("line", "side").rows() == [(0.5, "over"), (0.5, "under")]


def test_alternate_markets_fold_into_their_base_which_counts_first() -> None:
    body = quoted(outcome(point=1.5, price=300), outcome(price=-140), market="batter_hits_alternate")
    body["bookmakers"][0]["markets"].append({"key": "batter_hits", "last_update": "2025-06-15T15:00:00Z",
                                             "outcomes": [outcome(price=-150)]})  # fmt: skip
    parsed = parse(body)
    assert parsed.frame["market"].unique().to_list() == ["batter_hits"]
    assert parsed.frame.filter(line=0.5)["price_decimal"].to_list() == [pytest.approx(1 + 100 / 150)]
    assert parsed.rejected_by_rule == {"superseded": 1}


@pytest.mark.parametrize(
    ("price", "odds_format", "expected"),
    [
        (-110, "american", 1 + 100 / 110), (100, "american", 2.0), (-100, "american", 2.0), (300_000, "american", 3001.0),
        (5, "decimal", 5.0), (200, "decimal", 200.0), (1.06, "decimal", 1.06),
        (0, "american", None), (99, "american", None), (-99.5, "american", None), ("110", "american", None),
        (1, "decimal", None), (1.0, "decimal", None), (-110, "decimal", None), (None, "decimal", None), (True, "decimal", None),
        (float("inf"), "decimal", None), (float("nan"), "american", None),
    ],
)  # fmt: skip
def test_prices_in_both_formats(price: Any, odds_format: str, expected: float | None) -> None:
    assert wire.decimal_price(price, odds_format) == (None if expected is None else pytest.approx(expected))


def test_a_price_that_cannot_be_is_set_apart() -> None:
    parsed = parse(quoted(outcome(price=50), outcome(name="Under")))
    assert (len(parsed.frame), parsed.rejected_by_rule) == (1, {"price": 1})
    assert "50 cannot be a price in american odds" in parsed.rejected["reason"][0]


def test_an_answer_in_another_format_than_asked_gives_no_price_at_all() -> None:
    prices = [1.9, 5, 3.4, 200, 17]
    parsed = parse(quoted(*(outcome(price=price, description=f"P {price}") for price in prices)))
    assert (len(parsed.frame), parsed.rejected_by_rule) == (0, {"price_format": 5})
    decimal = type(ITEM)(ITEM.feed, ITEM.table, ITEM.key, ITEM.path, (("oddsFormat", "decimal"),))
    american = [outcome(price=price, description=f"P {price}") for price in (-110, -150, 120, -300)]
    assert parse(quoted(*american), item=decimal).rejected_by_rule == {"price_format": 4}


def test_a_quote_updated_at_the_start_or_later_is_counted_as_in_play() -> None:
    for stamp in ("2025-06-15T17:40:00Z", "2025-06-15T19:00:00Z"):
        parsed = parse(quoted(outcome(), stamp=stamp))
        assert (len(parsed.frame), parsed.rejected_by_rule) == (0, {"in_play": 1})
    assert len(parse(quoted(outcome(), stamp="2025-06-15T17:39:59Z")).frame) == 1


def test_a_quote_without_a_stamp_counts_by_the_time_it_was_seen() -> None:
    body = quoted(outcome(), stamp=None)
    assert parse(body).frame["updated_at"].to_list() == [None]
    assert parse(body, at=START).rejected_by_rule == {"in_play": 1}
    history = {"timestamp": "2025-06-15T17:35:00Z", "data": body}
    assert len(parse(history, at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).frame) == 1


def test_the_stamp_of_the_market_counts_before_that_of_the_book() -> None:
    body = quoted(outcome())
    body["bookmakers"][0]["last_update"] = "2025-06-15T20:00:00Z"
    assert len(parse(body).frame) == 1
    body = quoted(outcome(), stamp=None)
    body["bookmakers"][0]["last_update"] = "2025-06-15T20:00:00Z"
    assert parse(body).rejected_by_rule == {"in_play": 1}


def test_of_two_prices_of_one_instant_the_lower_counts() -> None:
    for prices in ([200, 180], [180, 200]):
        parsed = parse(quoted(*(outcome(price=price) for price in prices)))
        assert parsed.frame["price_decimal"].to_list() == [pytest.approx(2.8)]
        assert parsed.rejected_by_rule == {"superseded": 1}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"point": None}, "line"),
        ({"description": None}, "player"),
        ({"description": " "}, "player"),
        ({"name": "Draw"}, "side"),
        ({"point": "0.5"}, "type"),
    ],
)
def test_an_outcome_that_is_not_as_it_must_be_is_set_apart(changes: dict[str, Any], rule: str) -> None:
    parsed = parse(quoted(outcome(**changes), outcome(name="Under")))
    assert (len(parsed.frame), parsed.rejected_by_rule, parsed.rows_in) == (1, {rule: 1}, 2)


def test_an_outcome_that_is_no_object_is_set_apart() -> None:
    assert parse(quoted("Over", outcome())).rejected_by_rule == {"side": 1}


def test_what_is_no_object_where_a_book_or_market_should_be_is_set_apart() -> None:
    body = event(bookmakers=["fanduel", {"key": "b", "markets": [7, {"key": "batter_hits", "outcomes": [outcome()]}]}])
    parsed = parse(body)
    assert (len(parsed.frame), parsed.rejected_by_rule) == (1, {"side": 2})


@pytest.mark.parametrize(
    "changes",
    [
        {"bookmakers": "none"},
        {"bookmakers": {"key": "b", "markets": []}},
        {"bookmakers": [{"key": "b", "markets": {"key": "batter_hits", "outcomes": [outcome(), outcome()]}}]},
        {"bookmakers": [{"key": "b", "markets": [{"key": "batter_hits", "outcomes": outcome()}]}]},
    ],
)
def test_what_stands_where_a_list_should_be_is_set_apart_and_not_passed_over(changes: dict[str, Any]) -> None:
    parsed = parse(event(**changes))
    assert (len(parsed.frame), parsed.rejected_by_rule) == (0, {"side": 1})


def test_an_event_without_books_has_no_quotes() -> None:
    assert parse(event(bookmakers=[])).rows_in == 0
    assert parse(event()).rows_in == 0


def test_quotes_of_an_unknown_team_are_set_apart() -> None:
    assert parse(quoted(outcome(), home_team="Sacramento Athletics")).rejected_by_rule == {"unknown_team": 1}


def test_a_new_key_of_an_outcome_is_reported_by_name() -> None:
    assert parse(quoted(outcome(boost=1))).drift.added == ("boost",)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"message":"Usage quota has been reached","error_code":"OUT_OF_USAGE_CREDITS"}', b"[]", b"{"],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        props.inspect(body)


@pytest.mark.realdata
def test_a_recorded_event_is_read_whole_with_whole_number_prices_and_several_points(realdata: Path) -> None:
    body = recorded(realdata / "odds/raw/the_odds_api_event_odds_batter_home_runs_2024-09-01_excerpt.json")
    item = props.plan(LISTED, ["batter_home_runs"])[0]
    decimal = type(item)(item.feed, item.table, item.key, item.path, (("oddsFormat", "decimal"),))
    parsed = parse(body, item=decimal, at=dt.datetime(2024, 9, 1, 12, tzinfo=dt.UTC))
    assert (parsed.rows_in, len(parsed.rejected), parsed.drift.sentence()) == (74, 0, "")
    assert {0.5, 1.5} <= set(parsed.frame["line"])
    assert 5.0 in parsed.frame["price_decimal"]


@pytest.mark.realdata
@pytest.mark.slow
def test_two_months_of_recorded_quotes_are_read_whole_and_the_in_play_ones_are_counted(realdata: Path) -> None:
    """Written back as the feed would have answered at each recording; 3,007 quotes were updated after the start."""
    raw = pl.read_parquet(realdata / "odds/the_odds_api_mlb_batter_props_2025-05_07.parquet")
    american = props.plan(LISTED, ["batter_hits"])[0]
    counts: Counter[str] = Counter()
    for (event_id, at), rows in raw.group_by("event_id", "committed_at"):
        first = rows.row(0, named=True)
        books = [
            {"key": book, "markets": [{
                "key": market, "last_update": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "outcomes": [
                    {"name": name, "description": player, "price": price, "point": point}
                    for name, player, price, point in part.select("raw_name", "description", "odds", "line").iter_rows()
                ],
            }]}
            for (book, market, stamp), part in rows.group_by("bookmaker", "market", "last_update")
        ]  # fmt: skip
        start = first["commence_time"].strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"id": event_id, "commence_time": start, "home_team": first["home_team"], "bookmakers": books,
                "away_team": first["away_team"]}  # fmt: skip
        assert isinstance(at, dt.datetime)
        parsed = parse(body, item=american, at=at)
        assert not parsed.drift
        counts.update(parsed.rejected_by_rule)
        counts["taken"] += len(parsed.frame)
        counts["rows"] += parsed.rows_in
    assert counts["rows"] == len(raw) == 202_795
    assert counts["in_play"] == 3_007
    assert set(counts) <= {"rows", "taken", "in_play", "superseded"}
    assert counts["taken"] + counts["in_play"] + counts["superseded"] == counts["rows"]
