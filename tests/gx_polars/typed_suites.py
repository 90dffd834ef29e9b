"""Strategies for tables with a column of each narrower or rarer type, and for expectations about them.

What `random_suites` is to the common types. Amounts are quarters, whose decimal and binary values are the same number; where
pandas has no answer (the order of categories, of decimals beside NaN) nothing is asked.
"""

from __future__ import annotations

import datetime as dt
import decimal
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
from hypothesis import strategies as st

from tests.gx_polars.random_suites import MOSTLY, Kwargs, limits, of

EASTERN = ZoneInfo("America/New_York")
BEFORE_DAYLIGHT = dt.datetime(2024, 3, 10, 5, 30, tzinfo=dt.UTC)  # 00:30 in New York, where the clock skips 02:00
GRADES = ["c", "a", "b", ""]

INSTANTS = st.integers(0, 4).map(lambda hours: BEFORE_DAYLIGHT + dt.timedelta(hours=hours))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "small": st.integers(-3, 4),
    "single": st.integers(-8, 8).map(lambda quarter: quarter / 4),
    "day": st.integers(1, 4).map(lambda day: dt.date(2024, 2, day)),
    "zoned": INSTANTS,
    "eastern": INSTANTS.map(lambda instant: instant.astimezone(EASTERN)),
    "amount": st.integers(-8, 8).map(lambda quarter: decimal.Decimal(quarter) / 4),
    "grade": st.sampled_from(GRADES),
    "nothing": st.none(),
}
DTYPES: dict[str, tuple[pl.DataType, Any]] = {
    "small": (pl.Int8(), "float64"),
    "single": (pl.Float32(), "float32"),
    "day": (pl.Date(), object),
    "zoned": (pl.Datetime("us", "UTC"), "datetime64[ns, UTC]"),
    "eastern": (pl.Datetime("ms", str(EASTERN)), f"datetime64[ns, {EASTERN}]"),
    "amount": (pl.Decimal(8, 2), object),
    "grade": (pl.Enum(GRADES), pd.CategoricalDtype(GRADES)),
    "nothing": (pl.Null(), object),
}
KIND_OF = {name: kind for kind in VALUES for name in (kind, f"{kind}_b")}
ORDERED = ("small", "single", "day", "zoned", "eastern")


@dataclass(frozen=True)
class TypedTable:
    """One table for both engines."""

    columns: dict[str, list[Any]]

    def polars(self) -> pl.DataFrame:
        return pl.DataFrame(
            [pl.Series(name, values, dtype=DTYPES[KIND_OF[name]][0]) for name, values in self.columns.items()]
        )

    def pandas(self) -> pd.DataFrame:
        return pd.DataFrame(
            {name: pd.Series(values, dtype=DTYPES[KIND_OF[name]][1]) for name, values in self.columns.items()}
        )


def _cells(kind: str, height: int) -> st.SearchStrategy[list[Any]]:
    cell = st.sampled_from([VALUES[kind], st.one_of(VALUES[kind], VALUES[kind], st.none()), st.none()])
    return cell.flatmap(lambda one: st.lists(one, min_size=height, max_size=height))


def typed_tables() -> st.SearchStrategy[TypedTable]:
    def of_height(height: int) -> st.SearchStrategy[TypedTable]:
        columns = st.fixed_dictionaries({name: _cells(kind, height) for name, kind in KIND_OF.items()})
        return st.builds(TypedTable, columns)

    return st.integers(0, 7).flatmap(of_height)


def _literals(kind: str) -> st.SearchStrategy[Any]:
    """Values as an expectation may be given them: Great Expectations takes no decimals, and dates also as text."""
    if kind == "amount":
        return VALUES[kind].map(float)
    return VALUES[kind].map(str) if kind == "day" else VALUES[kind]


def _within(kind: str) -> st.SearchStrategy[Kwargs]:
    return limits(VALUES[kind]).map(lambda ends: {"column": kind} | ends)


def _in_set(kind: str) -> st.SearchStrategy[Kwargs]:
    literals = _literals(kind) if kind != "day" else VALUES[kind]  # text is no member to pandas' isin
    wanted = st.lists(literals, min_size=1, max_size=4)
    return wanted.map(lambda values: {"column": kind, "value_set": values})


def _couple(kinds: tuple[str, ...], *others: tuple[str, str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from([*((kind, f"{kind}_b") for kind in kinds), *others])


def _pair(couples: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[Kwargs]:
    return couples.map(lambda names: {"column_A": names[0], "column_B": names[1]})


def about_typed_columns() -> st.SearchStrategy[gxe.Expectation]:
    """An expectation about one or more columns of such types."""
    column, rows = st.sampled_from(list(VALUES)), {"mostly": MOSTLY}
    kind, ordered = st.sampled_from([kind for kind in VALUES if kind != "nothing"]), st.sampled_from(ORDERED)
    in_pair = {"ignore_row_if": st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])}
    in_list = {"ignore_row_if": st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])}
    greater = _pair(_couple(ORDERED, ("zoned", "eastern"), ("small", "single")))
    equal = _pair(_couple((*ORDERED, "grade", "nothing"), ("eastern", "zoned"), ("zoned", "small"), ("day", "single")))
    several = _couple(("small", "single", "day", "zoned"), ("small", "single")).map(list)
    sums = st.sampled_from([0, 0.5, 1])
    return st.one_of(
        of(gxe.ExpectColumnValuesToNotBeNull, column=column, **rows),
        of(gxe.ExpectColumnValuesToBeUnique, column=column, **rows),
        of(gxe.ExpectColumnValuesToBeBetween, ordered.flatmap(_within), **rows),
        of(gxe.ExpectColumnValuesToBeInSet, kind.flatmap(_in_set), **rows),
        of(gxe.ExpectColumnValuesToNotBeInSet, kind.flatmap(_in_set), **rows),
        *[
            of(each, ordered.flatmap(_within))
            for each in (gxe.ExpectColumnMinToBeBetween, gxe.ExpectColumnMaxToBeBetween)
        ],
        *[
            of(each, kind.flatmap(_in_set))
            for each in (
                gxe.ExpectColumnDistinctValuesToBeInSet,
                gxe.ExpectColumnDistinctValuesToContainSet,
                gxe.ExpectColumnDistinctValuesToEqualSet,
            )
        ],
        of(gxe.ExpectColumnUniqueValueCountToBeBetween, limits(st.integers(0, 4)), column=column),
        of(gxe.ExpectColumnPairValuesToBeEqual, equal, **in_pair, **rows),
        of(gxe.ExpectColumnPairValuesAToBeGreaterThanB, greater, or_equal=st.booleans(), **in_pair, **rows),
        of(gxe.ExpectCompoundColumnsToBeUnique, column_list=several, **in_list, **rows),
        of(gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord, column_list=several, **in_list, **rows),
        of(
            gxe.ExpectMulticolumnSumToEqual, column_list=st.just(["small", "single"]), sum_total=sums, **in_list, **rows
        ),
    )
