"""Bounds for days, instants, times and durations: every unit and zone against Python's own comparison of the values."""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gx_polars import Column
from gx_polars.conditions.presence import in_set
from gx_polars.conditions.ranges import between
from gx_polars.row_condition import compare

BERLIN = ZoneInfo("Europe/Berlin")
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
PER_TICK = {"ms": 1000, "us": 1, "ns": 1}  # microseconds that a column of this unit can tell apart from Python's
UNITS = st.sampled_from(["ms", "us", "ns"])
START = dt.datetime(2025, 3, 30)  # noqa: DTZ001 - the day on which Berlin's clocks leave out an hour
MICROSECONDS = st.integers(-3, 3) | st.integers(-(10**11), 10**11) | st.sampled_from([999, 1000, 1001, 3_600_000_000])


def column_of(series: pl.Series) -> Column:
    return Column(series.name, series.dtype, pl.col(series.name))


def holds(series: pl.Series, expr: pl.Expr) -> list[bool | None]:
    return series.to_frame().select(found=expr)["found"].to_list()


def in_unit(microseconds: int, unit: str) -> int:
    """What a column of a unit makes of an instant: the part below its ticks is cut off."""
    return microseconds // PER_TICK[unit] * PER_TICK[unit]


def judged(values: list[Any], sign: str, bound: Any) -> list[bool | None]:
    return [(sign == "!=" or None) if value is None else SIGNS[sign](value, bound) for value in values]


@settings(max_examples=150, deadline=None)
@given(
    offsets=st.lists(MICROSECONDS | st.none(), min_size=1, max_size=4),
    bound=MICROSECONDS,
    unit=UNITS,
    zone=st.sampled_from([None, "UTC", "Europe/Berlin"]),
    sign=st.sampled_from(list(SIGNS)),
    written=st.booleans(),
)
def test_an_instant_compares_as_the_instant_it_is(
    offsets: list[int | None], bound: int, unit: Any, zone: str | None, sign: str, written: bool
) -> None:
    instants = [None if n is None else START + dt.timedelta(microseconds=in_unit(n, unit)) for n in offsets]
    literal = START + dt.timedelta(microseconds=bound)
    naive = pl.Series("at", instants, dtype=pl.Datetime("us")).dt.cast_time_unit(unit)
    if zone is None:
        series, value = naive, literal
    else:
        series = naive.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        value = literal.replace(tzinfo=dt.UTC).astimezone(BERLIN)
    found = holds(series, compare(column_of(series), sign, value.isoformat() if written else value))
    assert found == judged(instants, sign, literal)


@settings(max_examples=60, deadline=None)
@given(
    offsets=st.lists(MICROSECONDS, min_size=1, max_size=4),
    ends=st.tuples(MICROSECONDS, MICROSECONDS).map(sorted),
    unit=UNITS,
    strict=st.tuples(st.booleans(), st.booleans()),
)
def test_an_instant_lies_between_two_others_in_any_unit(
    offsets: list[int], ends: list[int], unit: Any, strict: tuple[bool, bool]
) -> None:
    cut = [in_unit(n, unit) for n in offsets]
    series = pl.Series("at", [START + dt.timedelta(microseconds=n) for n in cut], dtype=pl.Datetime("us"))
    series = series.dt.cast_time_unit(unit)
    low, high = (START + dt.timedelta(microseconds=n) for n in ends)
    expr = between(column_of(series), min_value=low, max_value=high, strict_min=strict[0], strict_max=strict[1])
    above, below = (operator.gt if strict[0] else operator.ge), (operator.lt if strict[1] else operator.le)
    assert holds(series, expr) == [above(n, ends[0]) and below(n, ends[1]) for n in cut]


@settings(max_examples=60, deadline=None)
@given(offsets=st.lists(MICROSECONDS, min_size=1, max_size=4), wanted=st.lists(MICROSECONDS, max_size=4), unit=UNITS)
def test_an_instant_is_one_of_a_set_only_if_no_part_of_it_is_cut_off(
    offsets: list[int], wanted: list[int], unit: Any
) -> None:
    cut = [in_unit(n, unit) for n in offsets]
    series = pl.Series("at", [START + dt.timedelta(microseconds=n) for n in cut], dtype=pl.Datetime("us"))
    series = series.dt.cast_time_unit(unit)
    values = [START + dt.timedelta(microseconds=n) for n in [*wanted, cut[0]]]
    found = holds(series, in_set(column_of(series), value_set=values))
    assert found == [n in {*wanted, cut[0]} for n in cut]


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.integers(-5, 5), min_size=1, max_size=4),
    bound=st.integers(-5_000_000, 5_000_000),
    unit=UNITS,
    sign=st.sampled_from(list(SIGNS)),
)
def test_a_duration_compares_as_the_time_it_takes(seconds: list[int], bound: int, unit: Any, sign: str) -> None:
    spans = [dt.timedelta(seconds=n) for n in seconds]
    series = pl.Series("took", spans, dtype=pl.Duration("us")).dt.cast_time_unit(unit)
    literal = dt.timedelta(microseconds=bound)
    assert holds(series, compare(column_of(series), sign, literal)) == judged(spans, sign, literal)


DAYS = [dt.date(2024, 2, 29), dt.date(2025, 1, 1), dt.date(1969, 12, 31)]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("bound", [dt.date(2025, 1, 1), "2025-01-01", dt.datetime(2025, 1, 1)])  # noqa: DTZ001
def test_a_day_compares_with_a_day_in_any_form(sign: str, bound: Any) -> None:
    series = pl.Series("day", DAYS)
    assert holds(series, compare(column_of(series), sign, bound)) == judged(DAYS, sign, dt.date(2025, 1, 1))


def test_a_day_is_its_midnight_beside_an_instant() -> None:
    series = pl.Series("day", DAYS)
    noon = dt.datetime(2025, 1, 1, 12)  # noqa: DTZ001
    assert holds(series, compare(column_of(series), "<", noon)) == [True, True, True]
    assert holds(series, compare(column_of(series), "==", noon)) == [False, False, False]


@pytest.mark.parametrize("bound", [dt.time(12, 30), "12:30", "12:30:00"])
def test_a_time_of_day_compares_with_a_time_in_any_form(bound: Any) -> None:
    times = [dt.time(12, 29, 59, 999_999), dt.time(12, 30), dt.time(23), None]
    series = pl.Series("at", times)
    assert holds(series, between(column_of(series), min_value=bound)) == [False, True, True, None]


@pytest.mark.parametrize(
    ("dtype", "value", "sentence"),
    [
        (pl.Datetime("us", "UTC"), dt.datetime(2025, 1, 1), "has the time zone UTC, the value .* has none"),  # noqa: DTZ001
        (pl.Datetime("us", "Europe/Berlin"), "2025-01-01", "has the time zone Europe/Berlin"),
        (pl.Date(), 5, "the value 5 is int: give a date, datetime or text"),
        (pl.Datetime("ms"), True, "the value True is bool"),
        (pl.Duration("us"), 5, "the value 5 is int. Great Expectations takes no timedelta"),
        (pl.Duration("us"), "5s", "total_seconds"),
        (pl.List(pl.Int64), [1], "neither less nor greater"),
    ],
)
def test_a_bound_that_a_column_cannot_be_compared_with_is_refused_with_what_could(
    dtype: Any, value: Any, sentence: str
) -> None:
    series = pl.Series("x", [], dtype=dtype)
    with pytest.raises(TypeError, match=sentence):
        between(column_of(series), min_value=value)


@pytest.mark.parametrize("value", [19_723, 19_723.0, True, b"2024-01-01"], ids=["whole", "number", "truth", "bytes"])
@pytest.mark.parametrize("bound", [dt.date(2024, 1, 1), START, dt.time(1), dt.timedelta(1)], ids=str)
def test_what_is_no_time_does_not_compare_with_one(value: Any, bound: Any) -> None:
    """To Polars itself 19,723 is the first of January 2024."""
    column = column_of(pl.Series("x", [value]))
    told = f"The column is {column.dtype}, the value {bound!r} is {type(bound).__name__}: "
    for ask in (lambda: compare(column, "==", bound), lambda: between(column, max_value=bound)):
        with pytest.raises(TypeError, match=re.escape(told)):
            ask()


@pytest.mark.parametrize("bound", [1000, 1.5, dt.date(2024, 1, 1), START, dt.timedelta(1)], ids=str)
def test_an_hour_compares_with_hours_only(bound: Any) -> None:
    column = column_of(pl.Series("x", [dt.time(0, 0, 0, 1)]))
    with pytest.raises(TypeError, match="The column is Time, the value "):
        compare(column, ">=", bound)
