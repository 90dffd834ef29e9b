"""JSON answers value by value: what is read, what is none, and what refuses the whole answer with which words."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.clock import baseball_day
from backstop.errors import UpstreamMalformed
from backstop.sources import jsontext
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import schedule
from backstop.sources.theodds import events, props
from tests.sources.answers import answer

BOM = b"\xef\xbb\xbf"
DAY = dt.date(2025, 6, 15)
MOMENT = dt.datetime(2025, 6, 15, 23, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2025-06-15T23:10:00Z", MOMENT),
        ("2025-06-15T23:10:00+00:00", MOMENT),
        ("2025-06-15T19:10:00-04:00", MOMENT),
        ("2025-06-16T08:10:00+09:00", MOMENT),
        ("2025-06-15 23:10Z", MOMENT),
        ("2025-06-15T23:10:00.250Z", MOMENT.replace(microsecond=250_000)),
        (1750029000, MOMENT),
        (1750029000.25, MOMENT.replace(microsecond=250_000)),
        ("1900-01-01T12:00:00Z", dt.datetime(1900, 1, 1, 12, tzinfo=dt.UTC)),
    ],
)
def test_an_instant_is_read_in_every_form_that_a_feed_gives_it(said: Any, meant: dt.datetime) -> None:
    assert jsontext.instant(said) == meant
    assert jsontext.instant(said).tzinfo is dt.UTC


@pytest.mark.parametrize(
    "said",
    [
        None, True, "", "TBD", "2025-06-15", "2025-06-15T23:10:00", "2025-13-15T23:10:00Z", "23:10Z", [], {}, 0, -1, 10**11,
        10**400, float("nan"), float("inf"), "1750029000",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "9999-12-31T23:59:59Z",
        "1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_of_a_game_is_none(said: Any) -> None:
    assert jsontext.instant(said) is None


@given(st.text() | st.integers() | st.floats() | st.datetimes(timezones=st.timezones()).map(dt.datetime.isoformat))
def test_every_instant_that_is_read_has_a_baseball_day(said: Any) -> None:
    moment = jsontext.instant(said)
    if moment is not None:
        assert moment.utcoffset() == dt.timedelta(0)
        assert abs(baseball_day(moment) - moment.date()) <= dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2025-06-15", DAY), ("2024-02-29", dt.date(2024, 2, 29)), ("2025-02-29", None), ("20250615", None),
        ("2025-W24-7", None), ("2025-06-15T00:00:00", None), ("٢٠٢٥-٠٦-١٥", None), ("", None), (20250615, None),
        (None, None), ({}, None),
    ],
)  # fmt: skip
def test_a_day_has_one_form(said: Any, meant: dt.date | None) -> None:
    assert jsontext.day(said) == meant


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body where JSON was expected"),
        (BOM + b" \r\n", "an empty body"),
        (b"<html><title>Down</title></html>", "a web page entitled 'Down'"),
        (BOM + b"\n <!DOCTYPE html>", "a web page where data"),
        (b'{"games": [', "11 bytes that are not JSON"),
        (b"not json", "8 bytes that are not JSON"),
        (b'{"a": NaN}', "that are not JSON"),
        ("Überlast".encode("latin-1"), "that are not JSON"),
    ],
)
def test_a_body_that_is_no_json_is_named_for_what_it_is(body: bytes, words: str) -> None:
    with pytest.raises(UpstreamMalformed, match=words) as caught:
        jsontext.decode(body, source="The feed")
    assert str(caught.value).startswith("The feed answered ")
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b'{"a": 1}', BOM + b'{"a": 1}', b'\n {"a": 1}\r\n', BOM + b'\n{"a": 1}'])
def test_a_byte_order_mark_and_white_space_around_it_do_not_matter(body: bytes) -> None:
    assert jsontext.decode(body, source="x") == {"a": 1}


@pytest.mark.parametrize(
    ("body", "keys", "words"),
    [
        ({"message": "Object not found"}, ("games",), r"an object without 'games' \(Object not found\)"),
        ({"b": 1, "a": 2}, ("games", "date"), r"without 'games' and 'date' \(a, b\)"),
        ([], ("games",), "a list, expected an object"),
        (None, ("games",), "a NoneType, expected an object"),
        ("text", (), "a str, expected an object"),
    ],
)
def test_an_object_that_lacks_what_is_needed_is_refused_with_what_it_says(
    body: Any, keys: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UpstreamMalformed, match=words):
        jsontext.decode_object(json.dumps(body).encode(), *keys, source="x")


@pytest.mark.parametrize("value", [None, {}, "text", 3])
def test_a_list_is_nothing_else(value: Any) -> None:
    with pytest.raises(UpstreamMalformed, match=f"'rows' as {type(value).__name__}, expected a list"):
        jsontext.decode_list(json.dumps({"rows": value}).encode(), "rows", source="x")
    assert jsontext.decode_list(b'{"rows": [1]}', "rows", source="x") == [1]


@pytest.mark.parametrize("block", [None, [], "text", 3, {"a": None}, {"a": []}, {"a": {"b": None}}, {"a": {"b": {}}}])
def test_what_is_absent_is_absent_below_it_too(block: Any) -> None:
    assert jsontext.dig(block, "a", "b", "c") is None
    assert jsontext.mapping(jsontext.dig(block, "x")) == {}


def test_drift_names_keys_that_are_new_and_needed_ones_that_some_object_lacks() -> None:
    records = [{"id": 1, "new": 2}, {"name": "x"}, "no object", None, {"id": 3, "name": "y", "newer": 1}]
    drift = jsontext.drift_of(records, frozenset({"id", "name"}), frozenset({"id"}))
    assert (drift.added, drift.gone) == (("new", "newer"), ("id",))
    assert not jsontext.drift_of([], frozenset(), frozenset({"id"}))


EVENT = {"id": "e", "home_team": "Detroit Tigers", "away_team": "Cincinnati Reds", "bookmakers": []}
CLUBS = {"home": {"abbr": "DET", "id": "x"}, "away": {"abbr": "CIN", "id": "y"}}
PERSON = {"id": "p", "full_name": "A B"}


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", None, "soon"])
@pytest.mark.parametrize(
    ("feed", "item", "body"),
    [
        (events, events.plan(DAY)[0], lambda when: [EVENT | {"commence_time": when}]),
        (
            schedule, schedule.plan_day(DAY)[0],
            lambda when: {"dates": [{"games": [{"gamePk": 1, "officialDate": "2025-06-15", "gameDate": when,
                                               "teams": {}, "status": {}, "gameType": "R", "season": "2025"}]}]},
        ),
        (
            sportradar_schedule, sportradar_schedule.plan(DAY)[0],
            lambda when: {"league": {}, "date": "2025-06-15", "games": [{"id": "g", "scheduled": when, **CLUBS}]},
        ),
        (
            summary, summary.plan_day(DAY)[0],
            lambda when: {"game": {"id": "g", "scheduled": when, "home": {**CLUBS["home"], "roster": [PERSON]}}},
        ),
    ],
    ids=["events", "schedule", "sportradar schedule", "sportradar summary"],
)  # fmt: skip
def test_a_game_at_a_time_that_cannot_be_is_set_apart_and_costs_nothing_else(
    feed: Any, item: Any, body: Any, when: Any
) -> None:
    parsed = feed.parse(answer(item, body(when)))
    assert (len(parsed.frame), len(parsed.rejected)) == (0, 1)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-11:00"])
def test_prices_of_a_game_at_a_time_that_cannot_be_are_set_apart(when: str) -> None:
    outcome = {"name": "Over", "description": "A B", "price": -110, "point": 0.5}
    book = {
        "key": "b",
        "markets": [{"key": "batter_hits", "last_update": "2025-06-15T12:00:00Z", "outcomes": [outcome]}],
    }
    item = playerprops.plan(DAY)[0]
    props_item = next(iter(props.plan(_listed(), ["batter_hits"])))
    parsed = props.parse(answer(props_item, EVENT | {"commence_time": when, "bookmakers": [book]}))
    assert (len(parsed.frame), len(parsed.rejected)) == (0, 1)
    block = {"sport_event": {"id": "e", "start_time": when}, "players_props": [
        {"player": {"name": "B, A"}, "markets": [{"name": "hits", "books": [{"name": "x", "outcomes": [{"type": "over"}]}]}]}
    ]}  # fmt: skip
    other = playerprops.parse(answer(item, {"generated_at": "x", "sport_schedule_sport_events_players_props": [block]}))
    assert (len(other.frame), other.rejected_by_rule) == (0, {"unknown_team": 1})


def _listed() -> pl.DataFrame:
    return pl.DataFrame({"event_id_theodds": ["e"], "commence_at": [MOMENT]})
