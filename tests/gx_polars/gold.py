"""For every expectation the engine supports: arguments on which it passes and arguments on which it fails.

The table and the pairs are re-stated from the one that Great Expectations runs on each of its own backends. Six rows; every
column is there for the expectations that read it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import great_expectations.expectations as gxe
import polars as pl

DAYS = [dt.date(2024, 1, day) for day in range(1, 7)]

TABLE = pl.DataFrame(
    {
        "increasing_key": [1, 2, 3, 4, 5, 6],
        "decreasing_value": [60, 50, 40, 30, 20, 10],
        "float_value": [10.0, 12.5, 15.0, 17.5, 20.0, 22.5],
        "category": ["red", "green", "blue"] * 2,
        "pattern_code": ["A100", "A200", "A300", "A400", "A500", "A600"],
        "nullable_value": [1.0, None, 3.0, None, 5.0, 6.0],
        "record_date": DAYS,
        "record_timestamp": [dt.datetime(day.year, day.month, day.day, 8, tzinfo=dt.UTC) for day in DAYS],
        "json_payload": [f'{{"a": {number}}}' for number in range(1, 7)],
        "strftime_code": [day.isoformat() for day in DAYS],
        "pair_low": [1, 2, 3, 4, 5, 6],
        "pair_high": [10, 20, 30, 40, 50, 60],
        "multicolumn_a": [10, 9, 8, 7, 6, 5],
        "multicolumn_b": [10, 11, 12, 13, 14, 15],
        "multicolumn_c": [10] * 6,
    }
)

COLUMNS = TABLE.columns
MULTICOLUMN = ["multicolumn_a", "multicolumn_b", "multicolumn_c"]
PAIRS = list(zip(TABLE["pair_low"], TABLE["pair_high"], strict=True))
NUMBER_UNDER_A = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
TEXT_UNDER_A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
COLOURS = ["red", "green", "blue"]


@dataclass(frozen=True)
class Pair:
    """An expectation with what both sides share, what makes it pass, and what makes it fail."""

    expectation: type[gxe.Expectation]
    passes: dict[str, Any]
    fails: dict[str, Any]

    def passing(self) -> gxe.Expectation:
        return self.expectation(**self.passes)

    def failing(self) -> gxe.Expectation:
        return self.expectation(**self.fails)


def pair(expectation: type[gxe.Expectation], passes: dict[str, Any], fails: dict[str, Any], **both: Any) -> Pair:
    return Pair(expectation, both | passes, both | fails)


def column(
    expectation: type[gxe.Expectation], name: str, passes: dict[str, Any], fails: dict[str, Any], **both: Any
) -> Pair:
    return pair(expectation, passes, fails, column=name, **both)


def between(expectation: type[gxe.Expectation], name: str, passes: tuple[Any, Any], fails: tuple[Any, Any]) -> Pair:
    ranges = [{"min_value": low, "max_value": high} for low, high in (passes, fails)]
    return column(expectation, name, *ranges)


VALUES = [
    pair(gxe.ExpectColumnValuesToNotBeNull, {"column": "increasing_key"}, {"column": "nullable_value"}),
    pair(gxe.ExpectColumnValuesToBeUnique, {"column": "increasing_key"}, {"column": "category"}),
    pair(gxe.ExpectColumnValuesToBeIncreasing, {"column": "increasing_key"}, {"column": "decreasing_value"}),
    pair(gxe.ExpectColumnValuesToBeDecreasing, {"column": "decreasing_value"}, {"column": "increasing_key"}),
    pair(gxe.ExpectColumnValuesToBeDateutilParseable, {"column": "strftime_code"}, {"column": "category"}),
    pair(gxe.ExpectColumnValuesToBeJsonParseable, {"column": "json_payload"}, {"column": "category"}),
    column(gxe.ExpectColumnValuesToBeNull, "nullable_value", {"mostly": 0.3}, {}),
    column(gxe.ExpectColumnValuesToBeBetween, "float_value", {"max_value": 22.5}, {"max_value": 20.0}, min_value=10.0),
    column(gxe.ExpectColumnValuesToBeInSet, "category", {"value_set": COLOURS}, {"value_set": ["red"]}),
    column(gxe.ExpectColumnValuesToNotBeInSet, "category", {"value_set": ["purple"]}, {"value_set": ["red"]}),
    between(gxe.ExpectColumnValueLengthsToBeBetween, "pattern_code", (4, 4), (5, 10)),
    column(gxe.ExpectColumnValueLengthsToEqual, "pattern_code", {"value": 4}, {"value": 5}),
    column(
        gxe.ExpectColumnValueZScoresToBeLessThan,
        "float_value",
        {"threshold": 2.0},
        {"threshold": 0.01},
        double_sided=True,
    ),
    column(
        gxe.ExpectColumnValuesToNotBeOutliers, "float_value", {"multiplier": 2.0}, {"multiplier": 0.01}, method="std"
    ),
    column(
        gxe.ExpectColumnValuesToNotBeOutliers, "float_value", {"multiplier": 1.5}, {"multiplier": 0.01}, method="iqr"
    ),
]

TYPES = [
    column(gxe.ExpectColumnValuesToBeOfType, "increasing_key", {"type_": "Int64"}, {"type_": "String"}),
    column(gxe.ExpectColumnTypeToBe, "increasing_key", {"type_": "Int64"}, {"type_": "String"}),
    column(
        gxe.ExpectColumnValuesToBeInTypeList,
        "increasing_key",
        {"type_list": ["Int64", "Int32"]},
        {"type_list": ["String"]},
    ),
]

PATTERNS = [
    column(gxe.ExpectColumnValuesToMatchRegex, "pattern_code", {"regex": "^A[0-9]{3}$"}, {"regex": "^B"}),
    column(gxe.ExpectColumnValuesToNotMatchRegex, "pattern_code", {"regex": "^B"}, {"regex": "^A"}),
    column(
        gxe.ExpectColumnValuesToMatchRegexList,
        "pattern_code",
        {"regex_list": ["^A", "[0-9]{3}$"]},
        {"regex_list": ["^B"]},
        match_on="all",
    ),
    column(
        gxe.ExpectColumnValuesToNotMatchRegexList,
        "pattern_code",
        {"regex_list": ["^B", "^C"]},
        {"regex_list": ["^A"]},
    ),
    column(gxe.ExpectColumnValuesToMatchLikePattern, "pattern_code", {"like_pattern": "A%"}, {"like_pattern": "B%"}),
    column(gxe.ExpectColumnValuesToNotMatchLikePattern, "pattern_code", {"like_pattern": "B%"}, {"like_pattern": "A%"}),
    column(
        gxe.ExpectColumnValuesToMatchLikePatternList,
        "pattern_code",
        {"like_pattern_list": [f"A{number}%" for number in range(1, 7)]},
        {"like_pattern_list": ["B%"]},
        match_on="any",
    ),
    column(
        gxe.ExpectColumnValuesToNotMatchLikePatternList,
        "pattern_code",
        {"like_pattern_list": ["B%", "C%"]},
        {"like_pattern_list": ["A1%", "A2%", "A3%"]},
    ),
    column(
        gxe.ExpectColumnValuesToMatchStrftimeFormat,
        "strftime_code",
        {"strftime_format": "%Y-%m-%d"},
        {"strftime_format": "%m/%d/%Y"},
    ),
    column(
        gxe.ExpectColumnValuesToMatchJsonSchema,
        "json_payload",
        {"json_schema": NUMBER_UNDER_A},
        {"json_schema": TEXT_UNDER_A},
    ),
]

AGGREGATES = [
    between(gxe.ExpectColumnMinToBeBetween, "record_date", (DAYS[0], DAYS[0]), (DAYS[1], DAYS[5])),
    between(gxe.ExpectColumnMaxToBeBetween, "float_value", (22.4, 22.6), (22.51, 23.0)),
    between(gxe.ExpectColumnMeanToBeBetween, "float_value", (16.2, 16.3), (16.26, 16.5)),
    between(gxe.ExpectColumnMedianToBeBetween, "float_value", (16.2, 16.3), (16.26, 17.0)),
    between(gxe.ExpectColumnStdevToBeBetween, "float_value", (4.6, 4.8), (4.68, 5.0)),
    between(gxe.ExpectColumnSumToBeBetween, "float_value", (97.4, 97.6), (97.51, 98.0)),
    between(gxe.ExpectColumnUniqueValueCountToBeBetween, "increasing_key", (6, 6), (7, 10)),
    between(gxe.ExpectColumnProportionOfUniqueValuesToBeBetween, "increasing_key", (0.99, 1.0), (0.0, 0.999)),
    between(gxe.ExpectColumnProportionOfNonNullValuesToBeBetween, "nullable_value", (0.66, 0.67), (0.67, 0.7)),
    column(
        gxe.ExpectColumnQuantileValuesToBeBetween,
        "float_value",
        {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[14.9, 17.6]]}},
        {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0.0, 14.9]]}},
    ),
    column(
        gxe.ExpectColumnDistinctValuesToBeInSet, "category", {"value_set": [*COLOURS, "pink"]}, {"value_set": ["red"]}
    ),
    column(gxe.ExpectColumnDistinctValuesToContainSet, "category", {"value_set": COLOURS[:2]}, {"value_set": ["pink"]}),
    column(gxe.ExpectColumnDistinctValuesToEqualSet, "category", {"value_set": COLOURS}, {"value_set": COLOURS[:2]}),
    column(
        gxe.ExpectColumnMostCommonValueToBeInSet,
        "category",
        {"value_set": COLOURS},
        {"value_set": ["pink"]},
        ties_okay=True,
    ),
    column(
        gxe.ExpectColumnKLDivergenceToBeLessThan,
        "category",
        {"partition_object": {"values": COLOURS, "weights": [1 / 3] * 3}},
        {"partition_object": {"values": COLOURS, "weights": [0.9, 0.05, 0.05]}},
        threshold=0.01,
    ),
]

SEVERAL_COLUMNS = [
    pair(
        gxe.ExpectColumnPairValuesAToBeGreaterThanB,
        {"column_A": "pair_high", "column_B": "pair_low"},
        {"column_A": "pair_low", "column_B": "pair_high"},
    ),
    pair(
        gxe.ExpectColumnPairValuesToBeEqual,
        {"column_B": "pair_low"},
        {"column_B": "pair_high"},
        column_A="increasing_key",
    ),
    pair(
        gxe.ExpectColumnPairValuesToBeInSet,
        {"value_pairs_set": PAIRS},
        {"value_pairs_set": PAIRS[:-1]},
        column_A="pair_low",
        column_B="pair_high",
    ),
    pair(
        gxe.ExpectCompoundColumnsToBeUnique,
        {"column_list": MULTICOLUMN},
        {"column_list": ["multicolumn_c", "category"]},
    ),
    pair(gxe.ExpectMulticolumnSumToEqual, {"sum_total": 30}, {"sum_total": 31}, column_list=MULTICOLUMN),
    pair(
        gxe.ExpectMulticolumnValuesToBeEqual,
        {"column_list": ["increasing_key", "pair_low"]},
        {"column_list": ["increasing_key", "pair_high"]},
    ),
    pair(
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord,
        {"column_list": ["pair_low", "pair_high"]},
        {"column_list": ["increasing_key", "pair_low"]},
    ),
]

TABLES = [
    pair(gxe.ExpectColumnToExist, {"column": "increasing_key"}, {"column": "no_such_column"}),
    pair(
        gxe.ExpectTableColumnCountToBeBetween,
        {"min_value": len(COLUMNS), "max_value": len(COLUMNS)},
        {"min_value": len(COLUMNS) + 1, "max_value": len(COLUMNS) + 5},
    ),
    pair(gxe.ExpectTableColumnCountToEqual, {"value": len(COLUMNS)}, {"value": len(COLUMNS) + 1}),
    pair(
        gxe.ExpectTableColumnsToMatchOrderedList,
        {"column_list": COLUMNS},
        {"column_list": [COLUMNS[1], COLUMNS[0], *COLUMNS[2:]]},
    ),
    pair(gxe.ExpectTableColumnsToMatchSet, {"column_set": COLUMNS}, {"column_set": COLUMNS[1:]}, exact_match=True),
    pair(gxe.ExpectTableRowCountToBeBetween, {"min_value": 6, "max_value": 6}, {"min_value": 7, "max_value": 10}),
    pair(gxe.ExpectTableRowCountToEqual, {"value": 6}, {"value": 7}),
    pair(
        gxe.UnexpectedRowsExpectation,
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE increasing_key > 6"},
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE increasing_key > 5"},
    ),
]

PAIRS_OF_ALL = [*VALUES, *TYPES, *PATTERNS, *AGGREGATES, *SEVERAL_COLUMNS, *TABLES]
