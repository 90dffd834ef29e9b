"""Text that can be read as something: dates, formats, JSON."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jsonschema
import polars as pl
from dateutil import parser as dateutil_parser

from gx_polars.distinct import each_distinct, unless_certain
from gx_polars.domain import Column
from gx_polars.patterns import strftime_pattern
from gx_polars.registry import polars_condition
from gx_polars.values import is_text

# Dates and times of ISO 8601 that dateutil reads for certain (days up to 28, which every month has).
_ISO = (
    r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?)?$"
)


def _text(column: Column, expectation: str) -> pl.Expr:
    if not is_text(column.dtype) and column.dtype != pl.Null:
        msg = (
            f"Values passed to {expectation} must be of type string.\nIf you want to validate a column of dates or "
            "timestamps, please call the expectation before converting from string format."
        )
        raise TypeError(msg)
    return column.text


@polars_condition("column_values.dateutil_parseable", nulls="propagate")
def dateutil_parseable(column: Column) -> pl.Expr:
    """The value reads as a date to dateutil; plain ISO dates are recognised without asking it.

    Raises:
        TypeError: The column is not text.
    """
    text = _text(column, "expect_column_values_to_be_dateutil_parseable")
    return unless_certain(text, text.str.contains(_ISO), _dateutil_reads)


def _dateutil_reads(value: str) -> bool:
    try:
        dateutil_parser.parse(value)
    except (ValueError, OverflowError):
        return False
    return True


@polars_condition("column_values.match_strftime_format", nulls="propagate")
def match_strftime_format(column: Column, *, strftime_format: str) -> pl.Expr:
    """The value is a date in this format of `strptime`.

    Raises:
        TypeError: The column is not text.
    """
    text = _text(column, "expect_column_values_to_match_strftime_format")

    def reads(value: str) -> bool:
        try:
            dt.datetime.strptime(value, strftime_format)  # noqa: DTZ007 - only whether it reads
        except ValueError:
            return False
        return True

    shape = strftime_pattern(strftime_format)
    if shape is None:
        return each_distinct(text, reads)
    return unless_certain(text, text.str.contains(shape), reads)


@polars_condition("column_values.json_parseable", nulls="propagate")
def json_parseable(column: Column) -> pl.Expr:
    """The value is JSON."""
    return each_distinct(column.expr, _is_json)


def _is_json(value: Any) -> bool:
    try:
        json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


@polars_condition("column_values.match_json_schema", nulls="propagate")
def match_json_schema(column: Column, *, json_schema: dict[str, Any]) -> pl.Expr:
    """The value is JSON that a JSON schema accepts; text that is not JSON is an error, as with the pandas engine."""

    def accepted(value: str) -> bool:
        try:
            read = json.loads(value)
        except (ValueError, TypeError) as error:  # in words: Polars cannot pass a JSONDecodeError on
            msg = f"The value {value!r} is not JSON: {error}."
            raise TypeError(msg) from error
        try:
            jsonschema.validate(read, json_schema)
        except jsonschema.ValidationError:
            return False
        return True

    return each_distinct(column.expr, accepted)
