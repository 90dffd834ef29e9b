"""No row is lost: whatever an answer holds is taken or set apart, and parts make the whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop.errors import ConservationBroken, DataError, UpstreamError
from backstop.sources import csvtext
from backstop.sources.parsed import Drift, Parsed, last_by_key, merge, rejections
from backstop.sources.savant import pitches
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.theodds import events, props
from backstop.tables import GAMES, PITCHES, QUOTES, Table
from tests.sources.answers import answer
from tests.sources.savant_rows import PITCH, PitchDay

DAY = dt.date(2025, 6, 15)
BY_DAY = pitches.plan([DAY])[0]

CELLS = st.sampled_from(
    ["", "null", "NA", "--", "7", "7.0", "-1", "x", "1e9", "99999999999999999999", 'a "b", c', "2025-06-15"]
)
CHANGES = st.dictionaries(st.sampled_from(sorted(PITCH)), CELLS, max_size=4)


def whole_day(rows: list[dict[str, str]]) -> PitchDay:
    day = PitchDay(1)
    day.rows = [dict(PITCH, pitch_number=str(n % 5), at_bat_number=str(n // 5 + 1)) | row for n, row in enumerate(rows)]
    return day


@settings(deadline=None, max_examples=60)
@given(st.lists(CHANGES, max_size=12))
def test_every_pitch_that_came_in_is_taken_or_set_apart(rows: list[dict[str, str]]) -> None:
    day = whole_day(rows)
    try:
        parsed = pitches.parse(answer(BY_DAY, day.write()))
    except DataError:
        return  # most of a needed column was unreadable: the whole answer is refused, loudly
    assert parsed.rows_in == len(rows)
    assert len(parsed.frame) + len(parsed.rejected) == len(rows)
    assert parsed.rejected["reason"].str.len_chars().min() != 0
    assert parsed.frame.select(pl.struct(PITCHES.key).is_unique().all()).item()


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_day_split_anyhow_and_merged_is_the_day(data: st.DataObject) -> None:
    day = whole_day([{}] * data.draw(st.integers(1, 14)))
    whole = pitches.parse(answer(BY_DAY, day.write()))
    owner = data.draw(st.lists(st.integers(0, 2), min_size=len(day.rows), max_size=len(day.rows)))
    parts = []
    for part in range(3):
        some = PitchDay(1)
        some.rows = [row for row, belongs in zip(day.rows, owner, strict=True) if belongs == part]
        parts.append(pitches.parse(answer(BY_DAY, some.write())))
    merged = pitches.merge(parts)
    assert_frame_equal(merged.frame, whole.frame)
    assert merged.rows_in == whole.rows_in


ROWS = st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3), st.integers(0, 99)), max_size=12)
TOY = Table("toy", "one row per id", ("id",), ())


@settings(deadline=None)
@given(ROWS)
def test_of_each_key_one_row_stays_and_it_is_the_newest(rows: list[tuple[int, int | None, int]]) -> None:
    schema = {"id": pl.Int64(), "at": pl.Int64(), "value": pl.Int64()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    kept, outdone = last_by_key(frame, TOY, newest="at")
    assert len(kept) + len(outdone) == len(rows)
    expected = {}
    for key, at, value in sorted(rows, key=lambda row: -1 if row[1] is None else row[1]):
        expected[key] = (at, value)
    assert {key: (at, value) for key, at, value in kept.iter_rows()} == expected


@settings(deadline=None)
@given(ROWS)
def test_merging_twice_changes_nothing(rows: list[tuple[int, int | None, int]]) -> None:
    made = [dict.fromkeys(GAMES.schema) | {"game_pk": key} for key, _, _ in rows]
    part = Parsed(pl.DataFrame(made, schema=GAMES.schema), rejections([]), len(made))
    once = merge([part], GAMES)
    again = merge([Parsed(once.frame, rejections([]), len(once.frame))], GAMES)
    assert_frame_equal(once.frame, again.frame)


def test_a_parser_that_loses_a_row_is_caught() -> None:
    with pytest.raises(ConservationBroken, match="held 2 rows, but 1 were taken and 0 rejected"):
        Parsed(GAMES.empty().clear(1), rejections([]), rows_in=2)


FIELDS = st.text(alphabet=st.sampled_from(list('ab",1 \n')), max_size=6)


@settings(deadline=None)
@given(st.lists(st.lists(FIELDS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_separators_are_counted_as_a_csv_reader_counts_fields(rows: list[list[str]]) -> None:
    """Fields hold quotes, commas and line ends; each row has three of them and so two separators."""
    lines = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    assert csvtext.separators("\n".join(lines).encode(), "x") == [2] * len(rows)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def mangled(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound object with some of its values replaced by any JSON, or left out."""
    gone = object()
    one = st.dictionaries(st.sampled_from(sorted(sound)), JSON | st.just(gone), max_size=3)
    return one.map(lambda changes: {k: v for k, v in (sound | changes).items() if v is not gone})


GAME = {
    "gamePk": 777245, "gameType": "R", "season": "2025", "gameDate": "2025-06-15T17:40:00Z",
    "officialDate": "2025-06-15", "status": {"abstractGameState": "Preview", "detailedState": "Scheduled"},
    "teams": {"away": {"team": {"id": 113}}, "home": {"team": {"id": 116}}}, "doubleHeader": "N", "gameNumber": 1,
}  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.lists(mangled(GAME), max_size=4))
def test_every_listed_game_is_taken_or_set_apart(games: list[dict[str, Any]]) -> None:
    parsed = schedule.parse(answer(schedule.plan(DAY, DAY)[0], {"dates": [{"games": games}]}))
    assert parsed.rows_in == len(games)


ENTRY = {
    "person": {"id": 5, "fullName": "A B"}, "position": {"abbreviation": "SS"}, "battingOrder": "100",
    "stats": {"batting": {"hits": 1, "plateAppearances": 4}, "pitching": {"outs": 20, "inningsPitched": "6.2"}},
}  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.lists(mangled(ENTRY), max_size=4))
def test_every_roster_entry_is_taken_or_set_apart(entries: list[dict[str, Any]]) -> None:
    game = dict.fromkeys(GAMES.schema) | {"game_pk": 1, "game_date": DAY}
    listed = pl.DataFrame([game], schema=GAMES.schema)
    side = {"team": {"id": 116}, "players": {f"ID{n}": entry for n, entry in enumerate(entries)}}
    body = {"teams": {"home": side, "away": {"team": {"id": 113}, "players": {}}}}
    parsed = boxscore.parse(answer(boxscore.plan([1])[0], body), listed)
    assert parsed.players.rows_in == len(entries)


OUTCOME = {"name": "Over", "description": "A B", "price": -110, "point": 0.5}
EVENT = {
    "id": "e", "commence_time": "2025-06-15T17:40:00Z", "home_team": "Detroit Tigers", "away_team": "Cincinnati Reds",
}  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.lists(mangled(OUTCOME), max_size=5), st.booleans())
def test_every_outcome_is_taken_or_set_apart(outcomes: list[dict[str, Any]], late: bool) -> None:
    stamp = "2025-06-15T18:00:00Z" if late else "2025-06-15T15:00:00Z"
    market = {"key": "batter_hits", "last_update": stamp, "outcomes": outcomes}
    body = EVENT | {"bookmakers": [{"key": "b", "markets": [market]}]}
    listed = pl.DataFrame({"event_id_theodds": ["e"], "commence_at": [dt.datetime(2025, 6, 15, tzinfo=dt.UTC)]})
    parsed = props.parse(answer(props.plan(listed, ["batter_hits"])[0], body))
    assert parsed.rows_in == len(outcomes)
    assert (parsed.frame["price_decimal"] > 1).all()
    assert parsed.frame.schema == QUOTES.schema
    if late:
        assert parsed.frame.is_empty()


@settings(deadline=None, max_examples=60)
@given(st.lists(mangled(EVENT), max_size=4))
def test_every_event_is_taken_or_set_apart(listed: list[dict[str, Any]]) -> None:
    assert events.parse(answer(events.plan(DAY)[0], listed)).rows_in == len(listed)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60) | JSON.map(repr).map(str.encode))
def test_any_body_is_read_or_refused_with_an_error_of_ours(body: bytes) -> None:
    for inspect in (pitches.inspect, schedule.inspect, boxscore.inspect, events.inspect, props.inspect):
        try:
            inspect(body)
        except UpstreamError as error:
            assert error.source  # noqa: PT017 - any of the tree will do


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4))
def test_a_day_with_damaged_bytes_is_read_or_refused_and_never_miscounted(place: int, noise: bytes) -> None:
    body = whole_day([{}] * 6).write()
    place %= len(body)
    damaged = body[:place] + noise + body[place + len(noise) :]
    try:
        pitches.inspect(damaged)
        parsed = pitches.parse(answer(BY_DAY, damaged))
    except (UpstreamError, DataError):
        return
    assert len(parsed.frame) + len(parsed.rejected) == parsed.rows_in
    assert parsed.rows_in <= 7


def test_drift_is_said_in_words() -> None:
    drift = Drift(added=("b",)) | Drift(added=("a",), gone=("c",))
    assert drift.sentence() == "added: a, b; gone: c"
    assert not Drift()
