"""Strategies for small tables and for expectations about them.

The tables are small and their values few, so that ties, duplicates, empty groups and all-null columns are common. Numbers
are quarters, so that sums and means are exact in any order of addition.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
from great_expectations.expectations.row_conditions import Column
from hypothesis import strategies as st

START = dt.datetime(2024, 3, 30, 12, 30)  # noqa: DTZ001 - a column without a zone

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-3, 4),
    "number": st.integers(-8, 8).map(lambda quarter: quarter / 4),
    "text": st.sampled_from(["", "a", "b", "ab", "Ab", "b2", "12", "x y", "é", "2024-01-02", '{"a": 1}']),
    "flag": st.booleans(),
    "instant": st.integers(0, 5).map(lambda hours: START + dt.timedelta(hours=hours)),
}

DTYPES = {"whole": pl.Int64, "number": pl.Float64, "text": pl.String, "flag": pl.Boolean, "instant": pl.Datetime("us")}

COLUMNS = {
    "whole": "whole",
    "whole_b": "whole",
    "number": "number",
    "number_b": "number",
    "text": "text",
    "text_b": "text",
    "flag": "flag",
    "instant": "instant",
}


@dataclass(frozen=True)
class Table:
    """One table for both engines; `nan` tells for which missing numbers Polars is given NaN instead of null."""

    columns: dict[str, list[Any]]
    nan: list[bool]

    def polars(self) -> pl.DataFrame:
        return pl.DataFrame(
            [pl.Series(name, self._values(name), dtype=DTYPES[COLUMNS[name]]) for name in self.columns],
        )

    def _values(self, name: str) -> list[Any]:
        values = self.columns[name]
        if COLUMNS[name] != "number":
            return values
        return [math.nan if value is None and nan else value for value, nan in zip(values, self.nan, strict=True)]

    def pandas(self) -> pd.DataFrame:
        return pd.DataFrame({name: _pandas_column(values, COLUMNS[name]) for name, values in self.columns.items()})


def _pandas_column(values: list[Any], kind: str) -> pd.Series[Any]:
    if kind == "instant":
        # nanoseconds: on microseconds, the default of pandas 3, the engine of GX compares value by value in Python
        return pd.Series(values, dtype="datetime64[ns]")
    if kind == "flag":
        return pd.Series(values, dtype=object if None in values else bool)
    if kind == "text":
        return pd.Series(values, dtype=object)
    return pd.Series(values, dtype="float64" if kind == "number" or None in values else "int64")


def _cells(kind: str, height: int) -> st.SearchStrategy[list[Any]]:
    """A column of a kind: without a missing value, with some, or with none but missing ones."""
    values = VALUES[kind]
    often = st.one_of(st.none(), values)
    seldom = st.one_of(values, values, values, st.none())
    cells = st.sampled_from([values, seldom, often, st.none()])
    return cells.flatmap(lambda cell: st.lists(cell, min_size=height, max_size=height))


def _table(height: int) -> st.SearchStrategy[Table]:
    columns = st.fixed_dictionaries({name: _cells(kind, height) for name, kind in COLUMNS.items()})
    nan = st.lists(st.booleans(), min_size=height, max_size=height)
    return st.builds(Table, columns, nan)


def tables() -> st.SearchStrategy[Table]:
    return st.integers(0, 9).flatmap(_table)


def some(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, of in COLUMNS.items() if of == kind])


def column_of(*kinds: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, kind in COLUMNS.items() if kind in kinds])


MOSTLY = st.sampled_from([1.0, 1.0, 0.8, 0.5, 0.25])

CONDITIONS = st.sampled_from(
    [
        None,
        None,
        Column("whole_b") > 0,
        Column("whole_b") <= 1,
        Column("text_b") == "a",
        Column("text_b") != "a",
        Column("number_b").is_not_null(),
        Column("number_b").is_null(),
        Column("text_b").is_in(["a", "b", ""]),
        (Column("whole_b") > -1) & (Column("text_b") == "b"),
        (Column("whole_b") > 2) | (Column("number_b") < 0.5),
        Column("flag") == True,  # noqa: E712 - builds a condition
    ]
)


Kwargs = dict[str, Any]


def of(
    expectation: type[gxe.Expectation], *parts: st.SearchStrategy[Kwargs], **arguments: st.SearchStrategy[Any]
) -> st.SearchStrategy[gxe.Expectation]:
    """An expectation with arguments that are drawn one by one or, where they belong together, in parts."""
    drawn = st.tuples(*parts, st.fixed_dictionaries(arguments))
    return drawn.map(lambda groups: expectation(**{key: value for group in groups for key, value in group.items()}))


def limits(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Kwargs]:
    """A range with both ends or one, each of them strict or not."""
    ends = st.tuples(values, values).map(sorted)
    given = st.sampled_from([(True, True), (True, False), (False, True)])
    strict = st.tuples(st.booleans(), st.booleans())
    return st.tuples(ends, given, strict).map(
        lambda drawn: {
            "min_value": drawn[0][0] if drawn[1][0] else None,
            "max_value": drawn[0][1] if drawn[1][1] else None,
            "strict_min": drawn[2][0],
            "strict_max": drawn[2][1],
        }
    )


def column_and(
    key: str, kinds: tuple[str, ...], about: Callable[[str], st.SearchStrategy[Any]]
) -> st.SearchStrategy[Kwargs]:
    """A column of one of the kinds with an argument that suits its kind."""
    return column_of(*kinds).flatmap(lambda name: about(COLUMNS[name]).map(lambda value: {"column": name, key: value}))


def column_within(*kinds: str) -> st.SearchStrategy[Kwargs]:
    """A column of one of the kinds with a range of its values."""
    return column_of(*kinds).flatmap(
        lambda name: limits(VALUES[COLUMNS[name]]).map(lambda ends: {"column": name} | ends)
    )


def members(kind: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(VALUES[kind], min_size=1, max_size=4, unique=True)


REGEXES = st.sampled_from(["^a", "b", "[0-9]+", "^$", "^(?!a)", r"(.)\1", "a|2$", r"\s", "é"])
ROWS = {"mostly": MOSTLY, "row_condition": CONDITIONS}
SUBSET = {"row_condition": CONDITIONS}
ANYTHING, TEXT, AMOUNT = column_of(*VALUES), some("text"), column_of("whole", "number")
QUARTERS = st.integers(-12, 12).map(lambda quarter: quarter / 4)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def about_values() -> st.SearchStrategy[gxe.Expectation]:
    """A row-level expectation about one column."""
    in_set = column_and("value_set", ("whole", "number", "text"), members)
    unique = column_of("whole", "number", "text", "instant")
    formats = st.sampled_from(["%Y-%m-%d", "%d", "%H%M"])
    patterns = st.lists(REGEXES, min_size=1, max_size=3)
    return st.one_of(
        of(gxe.ExpectColumnValuesToNotBeNull, column=ANYTHING, **ROWS),
        of(gxe.ExpectColumnValuesToBeNull, column=ANYTHING, **ROWS),
        of(gxe.ExpectColumnValuesToBeBetween, column_within("whole", "number", "instant"), **ROWS),
        of(gxe.ExpectColumnValuesToBeInSet, in_set, **ROWS),
        of(gxe.ExpectColumnValuesToNotBeInSet, in_set, **ROWS),
        of(gxe.ExpectColumnValuesToBeUnique, column=unique, **ROWS),
        of(gxe.ExpectColumnValuesToBeIncreasing, column=AMOUNT, strictly=st.booleans(), **ROWS),
        of(gxe.ExpectColumnValuesToBeDecreasing, column=AMOUNT, strictly=st.booleans(), **ROWS),
        of(gxe.ExpectColumnValueLengthsToBeBetween, limits(st.integers(0, 3)), column=TEXT, **ROWS),
        of(gxe.ExpectColumnValueLengthsToEqual, column=TEXT, value=st.integers(0, 2), **ROWS),
        of(gxe.ExpectColumnValuesToMatchRegex, column=TEXT, regex=REGEXES, **ROWS),
        of(gxe.ExpectColumnValuesToNotMatchRegex, column=TEXT, regex=REGEXES, **ROWS),
        of(
            gxe.ExpectColumnValuesToMatchRegexList,
            column=TEXT,
            regex_list=patterns,
            match_on=st.sampled_from(["any", "all"]),
            **ROWS,
        ),
        of(gxe.ExpectColumnValuesToNotMatchRegexList, column=TEXT, regex_list=patterns, **ROWS),
        of(gxe.ExpectColumnValuesToMatchStrftimeFormat, column=TEXT, strftime_format=formats, **ROWS),
        of(gxe.ExpectColumnValuesToBeDateutilParseable, column=TEXT, **ROWS),
        of(gxe.ExpectColumnValuesToBeJsonParseable, column=TEXT, **ROWS),
        of(
            gxe.ExpectColumnValueZScoresToBeLessThan,
            column=AMOUNT,
            threshold=st.sampled_from([0.3, 0.9, 1.4]),
            double_sided=st.booleans(),
            **ROWS,
        ),
        of(
            gxe.ExpectColumnValuesToNotBeOutliers,
            column=AMOUNT,
            method=st.sampled_from(["iqr", "std"]),
            multiplier=st.sampled_from([0.3, 1.1]),
            **ROWS,
        ),
    )


def _pair_of(*names: tuple[str, str]) -> st.SearchStrategy[Kwargs]:
    return st.sampled_from(names).map(lambda pair: {"column_A": pair[0], "column_B": pair[1]})


def _pairs(kind: str) -> st.SearchStrategy[Kwargs]:
    either = st.one_of(VALUES[kind], st.none())
    wanted = st.lists(st.tuples(either, either), min_size=1, max_size=5)
    return wanted.map(lambda pairs: {"column_A": kind, "column_B": f"{kind}_b", "value_pairs_set": pairs})


def about_several_columns() -> st.SearchStrategy[gxe.Expectation]:
    """A row-level expectation about two or more columns."""
    in_pair = st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])
    in_list = st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])
    alike = _pair_of(("whole", "whole_b"), ("number", "number_b"), ("text", "text_b"))
    amounts = _pair_of(("whole", "whole_b"), ("number", "number_b"), ("whole", "number"))
    numbers = st.sampled_from([["whole", "whole_b"], ["whole", "number", "number_b"]])
    keys = st.sampled_from([["whole", "text"], ["text", "text_b"], ["number", "whole", "flag"]])
    pairs = st.sampled_from(["whole", "number", "text"]).flatmap(_pairs)
    pair, several = {"ignore_row_if": in_pair, **ROWS}, {"ignore_row_if": in_list, **ROWS}
    return st.one_of(
        of(gxe.ExpectColumnPairValuesToBeEqual, alike, **pair),
        of(gxe.ExpectColumnPairValuesAToBeGreaterThanB, amounts, or_equal=st.booleans(), **pair),
        # without a row_condition: every engine of GX ignores it here, see test_pandas_faults.py
        of(gxe.ExpectColumnPairValuesToBeInSet, pairs, ignore_row_if=in_pair, mostly=MOSTLY),
        of(gxe.ExpectCompoundColumnsToBeUnique, column_list=keys, **several),
        of(gxe.ExpectMulticolumnSumToEqual, column_list=numbers, sum_total=st.sampled_from([0, 1, 0.5]), **several),
        of(gxe.ExpectMulticolumnValuesToBeEqual, column_list=numbers, **several),
        of(gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord, column_list=numbers, **several),
    )


def _quantile_ranges() -> st.SearchStrategy[Kwargs]:
    levels = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=1, max_size=3, unique=True).map(sorted)
    ends = st.lists(st.tuples(QUARTERS, QUARTERS).map(sorted), min_size=3, max_size=3)
    return st.tuples(levels, ends).map(lambda drawn: {"quantiles": drawn[0], "value_ranges": drawn[1][: len(drawn[0])]})


def about_columns() -> st.SearchStrategy[gxe.Expectation]:
    """An expectation about a column as a whole."""
    ranged = [
        gxe.ExpectColumnMinToBeBetween,
        gxe.ExpectColumnMaxToBeBetween,
        gxe.ExpectColumnMeanToBeBetween,
        gxe.ExpectColumnMedianToBeBetween,
        gxe.ExpectColumnStdevToBeBetween,
        gxe.ExpectColumnSumToBeBetween,
    ]
    sets = [
        gxe.ExpectColumnDistinctValuesToBeInSet,
        gxe.ExpectColumnDistinctValuesToContainSet,
        gxe.ExpectColumnDistinctValuesToEqualSet,
    ]
    shares = [gxe.ExpectColumnProportionOfUniqueValuesToBeBetween, gxe.ExpectColumnProportionOfNonNullValuesToBeBetween]
    column = column_of("whole", "number", "text", "instant")
    in_set = column_and("value_set", ("whole", "text"), members)
    partition = st.just({"values": ["a", "b", "ab"], "weights": [0.5, 0.25, 0.25]})
    return st.one_of(
        *[of(each, limits(QUARTERS), column=AMOUNT, **SUBSET) for each in ranged],
        *[of(each, in_set, **SUBSET) for each in sets],
        *[of(each, limits(SHARES), column=column, **SUBSET) for each in shares],
        of(gxe.ExpectColumnUniqueValueCountToBeBetween, limits(st.integers(0, 5)), column=column, **SUBSET),
        of(gxe.ExpectColumnQuantileValuesToBeBetween, column=AMOUNT, quantile_ranges=_quantile_ranges(), **SUBSET),
        of(gxe.ExpectColumnMostCommonValueToBeInSet, in_set, ties_okay=st.booleans(), **SUBSET),
        of(
            gxe.ExpectColumnKLDivergenceToBeLessThan,
            column=TEXT,
            partition_object=partition,
            threshold=st.sampled_from([0.05, 1.0]),
            **SUBSET,
        ),
    )


def about_tables() -> st.SearchStrategy[gxe.Expectation]:
    """An expectation about the table."""
    rows = st.integers(0, 4).map(lambda least: {"min_value": least, "max_value": least + 3})
    return st.one_of(
        of(gxe.ExpectTableRowCountToEqual, value=st.integers(0, 9), row_condition=CONDITIONS),
        of(gxe.ExpectTableRowCountToBeBetween, rows),
        of(gxe.ExpectTableColumnCountToEqual, value=st.sampled_from([len(COLUMNS), 3])),
        of(gxe.ExpectColumnToExist, column=st.sampled_from(["whole", "absent"])),
    )


def expectations() -> st.SearchStrategy[gxe.Expectation]:
    return st.one_of(about_values(), about_several_columns(), about_columns(), about_tables())


RESULT_FORMATS = st.sampled_from(["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE", "COMPLETE"])
