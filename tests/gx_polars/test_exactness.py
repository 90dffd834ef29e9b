"""Comparisons that Polars by itself would make in a coarser type."""

from __future__ import annotations

import datetime as dt
import operator

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest
from great_expectations.expectations.row_conditions import Column as GxColumn
from hypothesis import given
from hypothesis import strategies as st

import gx_polars
from gx_polars.comparison import sides

TWO_53 = 2**53
NOON = dt.datetime(2025, 1, 1, 12)  # noqa: DTZ001 - columns without a zone


def _results(frame: pl.DataFrame, *asked: gxe.Expectation) -> list:
    return gx_polars.validate(frame, gx.ExpectationSuite("s", expectations=list(asked))).results


def _column(name: str, series: pl.Series) -> gx_polars.Column:
    return gx_polars.Column(name, series.dtype, pl.col(name))


@given(
    whole=st.integers(-(2**63), 2**63 - 1),
    number=st.floats(allow_nan=False) | st.integers(-(2**63), 2**63).map(float),
    sign=st.sampled_from(["eq", "lt", "le", "gt", "ge"]),
)
def test_an_integer_and_a_float_compare_as_python_compares_them(whole: int, number: float, sign: str) -> None:
    frame = pl.DataFrame({"i": pl.Series([whole], dtype=pl.Int64), "f": [number]})
    one, other = sides(_column("i", frame["i"]), _column("f", frame["f"]))
    compare = getattr(operator, sign)
    assert frame.select(compare(one, other)).item() is compare(whole, number)


@given(
    span=st.integers(-(10**15), 10**15),
    more=st.integers(-2000, 2000),
    units=st.sampled_from([("ms", "us"), ("us", "ns"), ("ns", "ms")]),
)
def test_instants_of_two_units_compare_as_the_instants_they_are(span: int, more: int, units: tuple[str, str]) -> None:
    per = {"ms": 10**6, "us": 10**3, "ns": 1}
    first, second = units
    frame = pl.DataFrame(
        {
            "a": pl.Series([span * 1000 // per[first]], dtype=pl.Int64).cast(pl.Datetime(first)),
            "b": pl.Series([(span * 1000 + more) // per[second]], dtype=pl.Int64).cast(pl.Datetime(second)),
        }
    )
    a, b = span * 1000 // per[first] * per[first], (span * 1000 + more) // per[second] * per[second]
    one, other = sides(_column("a", frame["a"]), _column("b", frame["b"]))
    assert frame.select(eq=one == other, gt=one > other).row(0) == (a == b, a > b)


def test_pairs_of_integers_and_floats_beyond_the_mantissa_are_kept_apart() -> None:
    frame = pl.DataFrame({"i": [TWO_53, TWO_53 + 1], "f": [float(TWO_53)] * 2})
    equal, greater, within = _results(
        frame,
        gxe.ExpectColumnPairValuesToBeEqual(column_A="i", column_B="f"),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="i", column_B="f"),
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["i", "f"]),
    )
    assert equal.result["partial_unexpected_list"] == [(TWO_53 + 1, float(TWO_53))]
    assert greater.result["unexpected_count"] == 1
    assert within.result["unexpected_count"] == 1


def test_nan_as_a_value_is_beyond_every_integer() -> None:
    frame = pl.DataFrame({"i": [1], "f": [float("nan")]})
    suite = gx.ExpectationSuite(
        "s", expectations=[gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="f", column_B="i")]
    )
    assert gx_polars.validate(frame, suite, nan_is_missing=False).success


def test_a_pair_of_a_set_that_the_columns_cannot_hold_matches_nothing() -> None:
    frame = pl.DataFrame({"i": [1, 2], "s": pl.Series(["a", "b"], dtype=pl.Categorical)})
    asked = gxe.ExpectColumnPairValuesToBeInSet(column_A="i", column_B="s", value_pairs_set=[(1, "a"), ("2", "b")])
    assert _results(frame, asked)[0].result["partial_unexpected_list"] == [(2, "b")]


def test_a_nanosecond_beyond_a_bound_is_beyond_it() -> None:
    frame = pl.DataFrame({"at": pl.Series([NOON]).dt.cast_time_unit("ns").dt.offset_by("1ns")})
    (most,) = _results(frame, gxe.ExpectColumnMaxToBeBetween(column="at", max_value=NOON))
    assert not most.success
    assert most.result["observed_value"] == pd.Timestamp("2025-01-01T12:00:00.000000001")
    assert "000000001" in str(most.to_json_dict()["result"]["observed_value"])
    (value,) = _results(frame, gxe.ExpectColumnValuesToBeBetween(column="at", max_value=NOON))
    assert value.result["partial_unexpected_list"] == [pd.Timestamp("2025-01-01T12:00:00.000000001")]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_nanoseconds_that_are_whole_microseconds_are_python_values(zone: str | None) -> None:
    series = pl.Series("at", [NOON]).dt.cast_time_unit("ns")
    frame = (series if zone is None else series.dt.replace_time_zone(zone)).to_frame()
    (most,) = _results(frame, gxe.ExpectColumnMaxToBeBetween(column="at", min_value="2000-01-01T00:00:00+00:00"))[:1]
    if zone is not None:
        assert most.result["observed_value"] == frame["at"][0]
        assert type(most.result["observed_value"]) is dt.datetime


ROWS = pl.DataFrame(
    {
        "level": pl.Series(["low", "high", None], dtype=pl.Enum(["high", "low"])),
        "team": pl.Series(["NYY", "BOS", None], dtype=pl.Categorical),
        "day": [dt.date(2025, 1, 1), dt.date(2025, 1, 2), None],
        "note": ["a`b", "c", None],
        "whole": [TWO_53, TWO_53 + 1, None],
        "share": [float(TWO_53), float(TWO_53), None],
        "__gx_polars_row__": [5, 6, 7],
    }
)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (GxColumn("level") == "low", 1),
        (GxColumn("level") != "low", 2),
        (GxColumn("level").is_in(["low", "unheard of"]), 1),
        (GxColumn("team") >= "C", 1),
        (GxColumn("team").is_not_in(["NYY"]), 2),
        (GxColumn("day") < dt.datetime(2025, 1, 1, 12), 1),  # noqa: DTZ001
        (GxColumn("day").is_in(["2025-01-01"]), 1),
        (GxColumn("__gx_polars_row__") > 5, 2),
        ('level == "low" or team == "BOS"', 2),
        ('day < "2025-01-01 12:00"', 1),
        ('day in ["2025-01-02"]', 1),
        ('note == "a`b"', 1),
        ("`note` == 'a`b' and `team` == 'NYY'", 1),
        ("whole == share", 1),
        ("whole > share", 1),
        ("-whole < -9007199254740992", 1),
        ("share ** 2 > 1", 2),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_a_row_condition_keeps_the_rows_it_says(condition: object, kept: int, lazy: bool) -> None:
    parser = "pandas" if isinstance(condition, str) else None
    asked = gxe.ExpectColumnValuesToNotBeNull(
        column="__gx_polars_row__", row_condition=condition, condition_parser=parser
    )
    result = _results(ROWS.lazy() if lazy else ROWS, asked)[0]
    assert result.result["element_count"] == kept


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_text_and_a_number_are_there_and_never_equal(lazy: bool) -> None:
    frame = pl.DataFrame({"text": ["1", "2", None], "whole": [1, 2, None]})
    pair, several, within = _results(
        frame.lazy() if lazy else frame,
        gxe.ExpectColumnPairValuesToBeEqual(column_A="text", column_B="whole"),
        gxe.ExpectMulticolumnValuesToBeEqual(column_list=["text", "whole"]),
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["text", "whole"]),
    )
    assert pair.result["unexpected_count"] == 2
    assert several.result["unexpected_count"] == 2
    assert within.result["unexpected_count"] == 0


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_a_column_of_nulls_without_a_type_contains_no_member_of_a_set(lazy: bool) -> None:
    frame = pl.DataFrame({"nothing": [None, None]})
    contain, equal, be_in = _results(
        frame.lazy() if lazy else frame,
        gxe.ExpectColumnDistinctValuesToContainSet(column="nothing", value_set=[1, "a"]),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="nothing", value_set=[1]),
        gxe.ExpectColumnDistinctValuesToBeInSet(column="nothing", value_set=[1]),
    )
    assert (contain.success, equal.success, be_in.success) == (False, False, True)
    assert contain.result["missing_count"] == 2
