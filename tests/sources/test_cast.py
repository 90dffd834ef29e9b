"""From text to types: what a column cannot hold is set apart with the reason, what a table needs is never missing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import SchemaDrift
from backstop.sources import cast, csvtext
from backstop.sources.parsed import Parsed
from backstop.tables import Column, Table

TABLE = Table(
    "core_things",
    "one row per thing",
    ("thing",),
    (
        Column("thing", pl.Int64(), "number", "id"),
        Column("day", pl.Date(), "day", "when"),
        Column("speed_mph", pl.Float64(), "mph", "speed"),
        Column("size", pl.Int16(), "small", "size"),
        Column("word", pl.String(), "text"),
    ),
)
KNOWN = frozenset({"id", "when", "speed", "size", "word"})
NEEDED = frozenset({"id"})


def parse(body: str, **how: Any) -> Parsed:
    text = csvtext.read(body.encode(), KNOWN, source="The feed")
    return cast.to_table(text, TABLE, **({"needed": NEEDED, "known": KNOWN, "source": "The feed"} | how))


@pytest.mark.parametrize(
    ("column", "text", "meant"),
    [
        ("speed", "95.4", 95.4), ("speed", ".304", 0.304), ("speed", "-3", -3.0), ("speed", "1e2", 100.0), ("speed", "7.", 7.0),
        ("size", "7", 7), ("size", "7.0", 7), ("size", "-32768", -32768), ("size", "+7", 7),
        ("when", "2025-06-15", dt.date(2025, 6, 15)), ("when", "2025-06-15T23:10:00", dt.date(2025, 6, 15)),
        ("when", "2025-06-15 00:00:00", dt.date(2025, 6, 15)), ("word", " kept as it is", " kept as it is"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_columns_type(column: str, text: str, meant: Any) -> None:
    parsed = parse(f"id,{column}\n1,{text}\n2,\n")
    name = TABLE.upstream_names[column] if column != "word" else "word"
    assert parsed.frame[name].to_list() == [meant, None]
    assert parsed.rejected_by_rule == {}


@pytest.mark.parametrize(
    ("column", "text", "dtype"),
    [
        ("speed", "fast", "Float64"), ("speed", "nan", "Float64"), ("speed", "NaN", "Float64"), ("speed", "inf", "Float64"),
        ("speed", "-Infinity", "Float64"), ("speed", "1_0", "Float64"), ("speed", "95 4", "Float64"),
        ("size", "7.5", "Int16"), ("size", "32768", "Int16"), ("size", "x", "Int16"), ("size", "1e3", "Int16"),
        ("when", "2025-02-29", "Date"), ("when", "15.06.2025", "Date"), ("when", "20250615", "Date"),
    ],
)  # fmt: skip
def test_a_value_that_its_column_cannot_hold_sets_the_row_apart_with_the_reason(
    column: str, text: str, dtype: str
) -> None:
    good = {"speed": "90.1", "size": "3", "when": "2025-06-14"}[column]
    parsed = parse(f"id,{column}\n1,{good}\n2,{text}\n3,{good}\n4,\n")
    assert parsed.frame["thing"].to_list() == [1, 3, 4]
    assert parsed.rejected["rule"].to_list() == ["cast"]
    assert parsed.rejected["reason"].to_list() == [f"{column} is {text!r}, which cannot be read as {dtype}."]
    assert orjson.loads(parsed.rejected["row"][0]) == {"id": "2", column: text}


def test_a_needed_value_that_is_null_sets_the_row_apart() -> None:
    parsed = parse("id,speed\n1,90\n,91\nnull,\n")
    assert parsed.frame["thing"].to_list() == [1]
    assert parsed.rejected_by_rule == {"missing_value": 2}
    assert parsed.rejected["reason"][0] == "id is null, but no row can do without it."


def test_a_row_with_two_wrong_values_is_set_apart_once() -> None:
    parsed = parse("id,speed,size\n1,90,3\n2,x,y\n3,91,4\n")
    assert (len(parsed.frame), len(parsed.rejected), parsed.rows_in) == (2, 1, 3)


def test_absent_columns_are_null_in_the_types_of_the_table() -> None:
    parsed = parse("id\n5\n")
    assert parsed.frame.schema == TABLE.schema
    assert parsed.frame.row(0) == (5, None, None, None, None)
    assert parsed.drift.gone == ("size", "speed", "when", "word")


@pytest.mark.parametrize(("needed", "nullable"), [({"id", "speed"}, set()), ({"id"}, {"speed"})])
def test_a_column_without_which_the_table_means_nothing_may_not_be_gone(needed: set[str], nullable: set[str]) -> None:
    with pytest.raises(
        SchemaDrift, match="answered without the column speed, which core_things needs; the answer has 2"
    ):
        parse("id,size\n1,2\n", needed=frozenset(needed), nullable=frozenset(nullable))


def test_all_needed_columns_that_are_gone_are_named() -> None:
    with pytest.raises(SchemaDrift, match="without the columns speed, when, which"):
        parse("id\n1\n", needed=frozenset({"id", "speed", "when"}))


@pytest.mark.parametrize(("bad", "is_drift"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_needed_column_of_which_most_cannot_be_read_is_drift_and_half_is_not(bad: int, *, is_drift: bool) -> None:
    lines = [f"x{n}" if n < bad else str(n) for n in range(4)]
    body = "id\n" + "\n".join(lines) + "\n"
    if is_drift:
        with pytest.raises(SchemaDrift, match="id with values that are mostly not of the known type, for example 'x0'"):
            parse(body)
    else:
        assert (len(parse(body).frame), parse(body).rejected_by_rule) == (4 - bad, {"cast": bad})


def test_an_optional_column_of_another_type_is_drift_by_name_and_its_rows_are_set_apart() -> None:
    parsed = parse("id,speed\n1,fast\n2,slow\n3,90\n4,\n")
    assert parsed.drift.retyped == ("speed",)
    assert parsed.frame["thing"].to_list() == [3, 4]


def test_drift_names_what_is_new_and_what_stands_twice() -> None:
    parsed = parse("id,word,new,word\n1,a,b,c\n")
    assert (parsed.drift.added, parsed.drift.duplicated) == (("new",), ("word",))
    assert parsed.frame["word"].to_list() == ["a"]


def test_lines_of_the_wrong_length_are_counted_among_the_rows() -> None:
    parsed = parse("id,speed\n1,90\n2\n3,91,more\n")
    assert (parsed.rows_in, parsed.rejected_by_rule) == (3, {"field_count": 2})
    assert parsed.rejected["reason"].unique().to_list() == ["The line does not have 2 fields."]


def test_a_line_that_is_refused_for_a_stray_quotation_mark_says_so() -> None:
    parsed = parse('id,speed\n1,9"0\n2,91\n3,9"2\n4,"9,3",more\n')
    assert (parsed.rows_in, parsed.rejected_by_rule) == (4, {"field_count": 3})
    stray = "The line has a quotation mark where no field begins or ends."
    assert parsed.rejected["reason"].to_list() == [stray, stray, "The line does not have 2 fields."]


@pytest.mark.parametrize("body", ["id,speed\n", "id\n"])
def test_a_header_alone_is_an_empty_table(body: str) -> None:
    parsed = parse(body)
    assert (parsed.frame.schema, parsed.rows_in, len(parsed.rejected)) == (TABLE.schema, 0, 0)


CELLS = st.sampled_from(["", "1", "7.0", "x", "nan", "2025-06-15", "99999999999999999999", "--"])


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=8))
def test_no_row_is_lost_and_no_value_that_is_taken_is_other_than_finite(rows: list[tuple[str, ...]]) -> None:
    body = "id,when,speed,size\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        parsed = parse(body)
    except SchemaDrift:
        unreadable = sum(row[0] in {"x", "nan", "2025-06-15", "99999999999999999999"} for row in rows)
        assert unreadable * 2 > sum(row[0] not in {"", "--"} for row in rows)
        return
    assert len(parsed.frame) + len(parsed.rejected) == len(rows)
    assert parsed.frame["thing"].null_count() == 0
    assert parsed.frame["speed_mph"].drop_nulls().is_finite().all()
