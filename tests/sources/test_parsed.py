"""The rows of an answer: each loaded or set apart, of one key the last counts, and the counts add up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import ConservationBroken
from backstop.sources.parsed import (
    MOST_OF_A_REASON,
    Drift,
    Intake,
    Parsed,
    check_of,
    last_by_key,
    merge,
    raw_text,
    rejections,
)
from backstop.tables import UTC_INSTANT, Column, Table

TABLE = Table(
    "core_things",
    "one row per place and number",
    ("place", "number"),
    (
        Column("place", pl.String(), "key"),
        Column("number", pl.Int16(), "key"),
        Column("value", pl.Float64(), "measured"),
        Column("at", UTC_INSTANT, "when"),
    ),
)
NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


def thing(place: Any = "a", number: Any = 1, value: Any = 0.5, at: Any = None) -> dict[str, Any]:
    return {"place": place, "number": number, "value": value, "at": at}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 1.0}, "number is 1.0, which is not a whole number (Int16)."),
        ({"number": True}, "number is True, which is not a whole number (Int16)."),
        ({"number": "1"}, "number is '1', which is not a whole number (Int16)."),
        ({"number": 32768}, "number is 32768, which is not a whole number (Int16)."),
        ({"value": float("nan")}, "value is nan, which is not a finite number."),
        ({"value": float("inf")}, "value is inf, which is not a finite number."),
        ({"value": "0.5"}, "value is '0.5', which is not a finite number."),
        ({"value": False}, "value is False, which is not a finite number."),
        ({"place": 7}, "place is 7, which is not text."),
        ({"place": ["a"]}, "place is ['a'], which is not text."),
        ({"at": "2025-06-15"}, "at is '2025-06-15', which is not an instant with its zone."),
        ({"at": dt.datetime(2025, 6, 15)}, "which is not an instant with its zone."),  # noqa: DTZ001 - what is refused
        ({"at": dt.date(2025, 6, 15)}, "which is not an instant with its zone."),
    ],
)
def test_a_value_of_another_type_than_its_columns_sets_the_record_apart(change: dict[str, Any], words: str) -> None:
    intake = Intake(TABLE)
    intake.load(thing() | change, "the raw row")
    found = intake.parsed()
    assert (len(found.frame), found.rejected_by_rule) == (0, {"type": 1})
    assert words in found.rejected["reason"][0]
    assert found.rejected["row"][0] == '"the raw row"'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"place": None}, "No place: the row cannot"),
        ({"number": None}, "No number: the row cannot"),
        ({"place": None, "number": None}, "No place, no number: the row cannot be told from others."),
    ],
)
def test_a_record_without_its_key_is_set_apart(change: dict[str, Any], words: str) -> None:
    intake = Intake(TABLE)
    intake.load(thing() | change, {})
    found = intake.parsed()
    assert found.rejected_by_rule == {"missing_key": 1}
    assert words in found.rejected["reason"][0]


def test_whole_numbers_are_numbers_absent_values_are_null_and_other_keys_are_left_out() -> None:
    intake = Intake(TABLE)
    intake.load({"place": "", "number": -32767, "value": 3, "more": object()}, {})
    found = intake.parsed()
    assert found.frame.schema == TABLE.schema
    assert found.frame.rows() == [("", -32767, 3.0, None)]


def test_nothing_taken_in_is_an_empty_table() -> None:
    found = Intake(TABLE).parsed()
    assert (found.frame.schema, found.rows_in, found.rejected_by_rule, bool(found.drift)) == (
        TABLE.schema,
        0,
        {},
        False,
    )


def test_counts_that_do_not_add_up_are_the_parsers_fault_and_loud() -> None:
    with pytest.raises(ConservationBroken, match="held 3 rows, but 0 were taken and 1 rejected"):
        Parsed(TABLE.empty(), rejections([({}, "rule", "reason")]), rows_in=3)


def test_rules_are_counted_most_frequent_first() -> None:
    rows = [({}, rule, "") for rule in ("b", "a", "c", "a", "c", "a")]
    assert list(Parsed(TABLE.empty(), rejections(rows), rows_in=6).rejected_by_rule.items()) == [
        ("a", 3),
        ("c", 2),
        ("b", 1),
    ]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"a": 1}, '{"a":1}'), (None, "null"), ("é", '"é"'), ([1, None], "[1,null]"), ({1: 2}, '{"1":2}'),
        ({"at": NOON}, '{"at":"2025-06-15T12:00:00+00:00"}'), ({"x": {1}}, '{"x":"{1}"}'), (float("nan"), "null"),
    ],
)  # fmt: skip
def test_a_raw_row_is_kept_as_json_whatever_it_holds(raw: Any, text: str) -> None:
    assert raw_text(raw) == text


def test_a_reason_of_any_length_is_cut_and_the_row_is_not() -> None:
    (row,) = rejections([({"long": "x" * 9_000}, "type", "y" * 9_000)]).to_dicts()
    assert row["reason"] == "y" * MOST_OF_A_REASON + "..."
    assert len(row["row"]) > 9_000


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 2), st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=10
)


def frame_of(rows: list[tuple[str, int, int, int | None]]) -> pl.DataFrame:
    made = [thing(p, n, float(v), None if at is None else NOON + dt.timedelta(hours=at)) for p, n, v, at in rows]
    return pl.DataFrame(made, schema=TABLE.schema)


@given(ROWS, st.sampled_from([None, "at"]))
def test_of_rows_with_one_key_the_last_or_the_newest_counts_and_the_others_are_named(
    rows: list[tuple[str, int, int, int | None]], newest: str | None
) -> None:
    best: dict[tuple[str, int], tuple[int, Any]] = {}
    for nth, (place, number, _, at) in enumerate(rows):
        rank = (-1 if at is None else at) if newest else nth
        if (place, number) not in best or rank >= best[place, number][0]:
            best[place, number] = rank, rows[nth]
    kept, outdone = last_by_key(frame_of(rows), TABLE, newest=newest)
    assert kept.equals(frame_of([best[key][1] for key in sorted(best)]))
    assert len(outdone) == len(rows) - len(best)
    assert set(outdone["rule"]) <= {"superseded"}


@given(ROWS, ROWS)
def test_parts_put_together_are_what_they_would_be_as_one(one: Any, other: Any) -> None:
    parts = []
    for rows in (one, other):
        intake = Intake(TABLE)
        for place, number, value, _ in rows:
            intake.load(thing(place, number, float(value)), {})
        parts.append(intake.parsed(Drift(added=("x",)) if rows is one else Drift(gone=("y",))))
    both = merge(parts, TABLE)
    whole, _ = last_by_key(frame_of([(p, n, v, None) for p, n, v, _ in [*one, *other]]), TABLE)
    assert both.frame.equals(whole)
    assert both.rows_in == len(one) + len(other) == len(both.frame) + len(both.rejected)
    assert both.drift.sentence() == "added: x; gone: y"


def test_no_parts_at_all_are_an_empty_table() -> None:
    assert merge([], TABLE).frame.schema == TABLE.schema


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        (pl.Int16(), [0, -1, 32767], [32768, -32769, 1.0, "1", True, None]),
        (pl.Int64(), [2**63 - 1], [2**63, 0.5]),
        (pl.Float64(), [1, 0.5, -1e300], [float("nan"), float("-inf"), "1", True]),
        (pl.String(), ["", "x"], [1, b"x", None]),
        (pl.Boolean(), [True, False], [0, 1, "true"]),
        (pl.Date(), [dt.date(2025, 6, 15)], [NOON, "2025-06-15"]),
        (UTC_INSTANT, [NOON], [NOON.replace(tzinfo=None), dt.date(2025, 6, 15), 0]),
    ],
)
def test_what_may_stand_in_a_column_of_a_type(dtype: pl.DataType, good: list[Any], bad: list[Any]) -> None:
    sound = check_of(dtype)
    assert [sound(value) for value in good] == [True] * len(good)
    assert [sound(value) for value in bad] == [False] * len(bad)


def test_drift_of_two_answers_is_what_differs_in_either() -> None:
    both = Drift(added=("b", "a"), retyped=("r",)) | Drift(added=("a", "c"), duplicated=("d",))
    assert both == Drift(added=("a", "b", "c"), retyped=("r",), duplicated=("d",))
    assert both.sentence() == "added: a, b, c; retyped: r; duplicated: d"
    assert Drift() | Drift() == Drift()
    assert (Drift().sentence(), bool(Drift()), bool(Drift(gone=("x",)))) == ("", False, True)
