"""Text that reads as a date, a format or JSON: what Python's own parsers say of each value by itself."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import jsonschema
import polars as pl
import pytest
from dateutil import parser
from great_expectations.core import ExpectationValidationResult
from hypothesis import given, settings
from hypothesis import strategies as st

import gx_polars
from gx_polars.conditions.parse import dateutil_parseable, json_parseable, match_json_schema, match_strftime_format
from tests.gx_polars.comparison import messages

PIECES = [
    "2024-01-31", "2024-02-30", "2024-02-29", "2023-02-29", "0001-01-01", "0000-01-01", "20240101", "2024-1-1", "٢٠٢٤-٠١-٠١",
    "10:61", "12:30", "24:00", "2024-01-01T25:00", "2024-01-01 10:00:00.1234567", "2024-01-28T10:00:00+0100", "Z", "+01:00",
    "T", " ", "\n", "x", "", "31", "12", "%", "-", "9" * 20, "{", '{"a":1}', "[1]", '"a"', "null", "NaN", "Infinity", "1e999",
    "1.", "01", "1", "\ud7ff",
]  # fmt: skip
TEXT = st.sampled_from(PIECES) | st.lists(st.sampled_from(PIECES), max_size=3).map("".join) | st.text(max_size=4)
COLUMNS = st.lists(TEXT | st.none(), min_size=1, max_size=5)
FORMATS = [
    "%Y-%m-%d", "%d", "%H%M", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%y", "%j", "%b %d", "%%", "%Y-%m-%d %H:%M:%S.%f", "x", "%I %p",
    "%z", " %d", "%d ",
]  # fmt: skip


def says(parse: Callable[[str], Any], *errors: type[Exception]) -> Callable[[str], bool]:
    def judge(text: str) -> bool:
        try:
            parse(text)
        except errors:
            return False
        return True

    return judge


READS_AS_DATE = says(parser.parse, ValueError, OverflowError)
IS_JSON = says(json.loads, ValueError, RecursionError)


def failing(values: list[str | None], condition: Callable[..., pl.Expr], **arguments: Any) -> list[int]:
    """The rows that do not meet a condition; missing values neither meet nor fail it."""
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.String)})
    meets = frame.select(meets=condition(gx_polars.Column("x", pl.String(), pl.col("x")), **arguments))["meets"]
    assert [met is None for met in meets] == [value is None for value in values]
    return [row for row, met in enumerate(meets) if met is False]


def judged(values: list[str | None], judge: Callable[[str], bool]) -> list[int]:
    return [row for row, value in enumerate(values) if value is not None and not judge(value)]


@settings(max_examples=150, deadline=None)
@given(COLUMNS)
def test_a_date_is_what_dateutil_reads(values: list[str | None]) -> None:
    assert failing(values, dateutil_parseable) == judged(values, READS_AS_DATE)


@settings(max_examples=200, deadline=None)
@given(COLUMNS, st.sampled_from(FORMATS))
def test_a_format_is_what_strptime_reads(values: list[str | None], form: str) -> None:
    judge = says(lambda text: dt.datetime.strptime(text, form), ValueError)  # noqa: DTZ007 - only whether it reads
    assert failing(values, match_strftime_format, strftime_format=form) == judged(values, judge)


@settings(max_examples=100, deadline=None)
@given(COLUMNS)
def test_json_is_what_python_loads(values: list[str | None]) -> None:
    assert failing(values, json_parseable) == judged(values, IS_JSON)


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=3,
)
SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "required": ["a"]},
    {"type": ["integer", "null"], "minimum": 0},
    {"enum": [None, "a", [1]]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    {},
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | DOCUMENTS.map(json.dumps), min_size=1, max_size=5), st.sampled_from(SCHEMAS))
def test_a_json_schema_accepts_what_jsonschema_accepts(values: list[str | None], schema: dict[str, Any]) -> None:
    judge = says(lambda text: jsonschema.validate(json.loads(text), schema), jsonschema.ValidationError)
    assert failing(values, match_json_schema, json_schema=schema) == judged(values, judge)


def test_a_json_document_that_is_nested_without_end_is_no_json() -> None:
    assert failing(["[" * 100_000, "[]"], json_parseable) == [0]


def test_each_distinct_value_is_asked_about_once_and_a_plain_iso_date_never(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def parse(text: str) -> None:
        asked.append(text)
        if text == "nonsense":
            raise ValueError(text)

    monkeypatch.setattr("gx_polars.conditions.parse.dateutil_parser.parse", parse)
    values = ["2024-01-28", "nonsense", "June 3", None, "nonsense", "2024-01-29"] * 3
    wrong = [row for row, value in enumerate(values) if value == "nonsense"]
    assert failing(values, dateutil_parseable) == wrong
    assert sorted(asked) == ["2024-01-29", "June 3", "nonsense"]


def checked(frame: pl.DataFrame, expectation: gxe.Expectation) -> ExpectationValidationResult:
    suite = gx.ExpectationSuite("text", expectations=[expectation])
    (result,) = gx_polars.validate(frame, suite, "COMPLETE").results
    return result


@pytest.mark.parametrize(
    "expectation",
    [
        gxe.ExpectColumnValuesToBeDateutilParseable(column="x"),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="x", strftime_format="%Y"),
    ],
    ids=lambda each: each.expectation_type,
)
@pytest.mark.parametrize("values", [[dt.date(2025, 7, 1)], [2025], [[1]]], ids=["dates", "numbers", "lists"])
def test_a_column_that_is_read_already_is_refused_with_what_to_do(
    values: list[Any], expectation: gxe.Expectation
) -> None:
    result = checked(pl.DataFrame({"x": values}), expectation)
    assert not result.success
    assert f"Values passed to {expectation.expectation_type} must be of type string" in messages(result)
    assert "before converting from string format" in messages(result)


@pytest.mark.parametrize(("values", "wrong"), [([1, 2], [0, 1]), ([[1], [2]], [0, 1])], ids=["numbers", "lists"])
def test_values_that_are_no_text_are_no_json(values: list[Any], wrong: list[int]) -> None:
    result = checked(pl.DataFrame({"x": values}), gxe.ExpectColumnValuesToBeJsonParseable(column="x"))
    assert result.result["unexpected_index_list"] == wrong
