"""The ends of every range, set and key of every suite: the last value that is let in, and the first that is not."""

from __future__ import annotations

import copy
import datetime as dt
import math

import polars as pl
import pytest

from expectations.check import check
from expectations.rules import LARGEST, WARNING, differ, finite, later, never, one_of, required, suite, unique, within
from tests.expectations.cases import SUITES, last


def rules_of_kind(kind):
    """Every rule of a kind in every suite, with the name of its suite."""
    return [
        pytest.param(name, each, id=f"{name}: {each.meta['rule']}")
        for name, made in SUITES.items()
        for each in made.suite.expectations
        if each.expectation_type == kind
    ]


def with_last(name, column, value):
    """The sound rows of a suite, the last of which has a value."""
    return last(**{column: value})(SUITES[name].sound(pl.DataFrame()))


def next_to(value, dtype, *, above):
    """The nearest value of a column's type beyond another."""
    step = 1 if above else -1
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=step)
    if dtype.is_integer():
        return int(math.floor(value) + 1 if above else math.ceil(value) - 1)
    # the single precision of a column would round the nearest double back to the end itself
    beyond = math.nextafter(value, math.inf if above else -math.inf)
    return beyond if dtype == pl.Float64 else value + step * max(abs(value), 1.0) * 1e-5


def names(rule):
    """A rule as a verdict names it."""
    return rule.meta["rule"] if rule.severity != WARNING else f"warning: {rule.meta['rule']}"


@pytest.mark.parametrize(("name", "rule"), rules_of_kind("expect_column_values_to_be_between"))
def test_a_range_lets_in_its_ends_and_nothing_beyond_them(name, rule):
    dtype = SUITES[name].sound(pl.DataFrame()).schema[rule.column]
    for end, above, strict in ((rule.min_value, False, rule.strict_min), (rule.max_value, True, rule.strict_max)):
        if end is None:
            continue
        inside = next_to(end, dtype, above=not above) if strict else end
        outside = end if strict else next_to(end, dtype, above=above)
        held = check(with_last(name, rule.column, inside), SUITES[name].suite)
        assert names(rule) not in held.rules, (end, inside)
        verdict = check(with_last(name, rule.column, outside), SUITES[name].suite)
        assert verdict.rules[names(rule)] == 1, (end, outside)
        if rule.severity != WARNING:
            assert rule.meta["rule"] in verdict.rejected["rule"][0].split("; ")
            assert rule.meta["reason"] in verdict.rejected["reason"][0]


@pytest.mark.parametrize(("name", "rule"), rules_of_kind("expect_column_values_to_be_in_set"))
def test_a_set_lets_in_each_of_its_values_and_no_other_spelling_of_them(name, rule):
    known = rule.value_set
    frame = SUITES[name].sound(pl.DataFrame())
    several = pl.concat([frame.tail(1)] * len(known)).with_columns(
        pl.Series(rule.column, known, frame.schema[rule.column])
    )
    assert check(several, suite("one rule", [copy.copy(rule)])).broken == ()
    if frame.schema[rule.column] != pl.String:
        return
    others = (
        {each.swapcase() for each in known} | {f" {each}" for each in known} | {f"{each}\n" for each in known} | {""}
    )
    others = sorted(others - set(known))
    wrong = pl.concat([frame.tail(1)] * len(others)).with_columns(pl.Series(rule.column, others))
    assert check(wrong, suite("one rule", [copy.copy(rule)])).rules == {names(rule): len(others)}


@pytest.mark.parametrize(("name", "rule"), rules_of_kind("expect_column_values_to_not_be_null"))
def test_a_value_that_is_required_is_missing_as_null_and_as_nan_and_as_nothing_else(name, rule):
    frame = SUITES[name].sound(pl.DataFrame())
    alone = suite("one rule", [copy.copy(rule)])
    dtype = frame.schema[rule.column]
    missing = [None, math.nan] if dtype.is_float() else [None]
    there = {pl.String: [""], pl.Boolean: [False]}.get(dtype, [0, 0.0] if dtype.is_numeric() else [])
    for value in missing:
        assert check(with_last(name, rule.column, value), alone).rules == {names(rule): 1}
    for value in there:
        assert check(with_last(name, rule.column, value), alone).rules == {}


# The words themselves, over every value that matters


def broken(rule, **columns):
    """The rows that break one rule."""
    verdict = check(pl.DataFrame(columns), suite("one rule", [copy.copy(rule)]))
    rejected = verdict.rejected.height
    assert verdict.kept.height + rejected == verdict.rows_in
    return rejected


@pytest.mark.parametrize(
    ("value", "is_broken"),
    [
        (0.0, 0),
        (None, 0),
        (LARGEST, 0),
        (-LARGEST, 0),
        (math.nan, 1),
        (math.inf, 1),
        (-math.inf, 1),
        (LARGEST * 1.001, 1),
    ],
)
@pytest.mark.parametrize("place", ["x", "y"])
def test_a_number_is_finite_or_missing_in_any_of_its_columns(value, is_broken, place):
    columns = {"x": [1.0, 2.0], "y": [1.0, 2.0]}
    columns[place] = pl.Series([value, 2.0], dtype=pl.Float64)
    assert broken(finite(["x", "y"], "why"), **columns) == is_broken


def test_two_columns_differ_in_each_row_where_both_are_known():
    rule = differ("home", "away", "a team does not play itself")
    assert broken(rule, home=["A", "B", None, None], away=["A", "A", "A", None]) == 1


def test_an_instant_is_later_only_if_it_is_not_the_same():
    noon = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
    instants = [noon, noon + dt.timedelta(microseconds=1), noon - dt.timedelta(microseconds=1), None]
    assert broken(later("a", "b", "why"), a=instants, b=[noon] * 4) == 2


def test_a_key_that_comes_twice_is_rejected_both_times_and_one_with_a_part_missing_is_left_to_its_own_rule():
    rows = {"a": [1, 1, 1, None, None], "b": ["x", "x", "y", "x", "x"]}
    assert broken(unique(["a", "b"], "why"), **rows) >= 2
    assert broken(unique(["a"], "why"), a=[1, 1, 2, 3]) == 2
    assert broken(unique(["a"], "why"), a=[1, 2, 3]) == 0


def test_what_may_never_be_rejects_the_rows_where_it_is_and_not_those_where_nothing_is_known():
    rule = never("a > b", "a is at most b", "why")
    assert broken(rule, a=[1, 2, 3, None, 2], b=[2, 2, 2, 2, None]) == 1


def test_rules_of_a_row_are_all_named_in_the_order_of_the_suite():
    rules = suite(
        "several",
        [
            required("x", "first"),
            within("x", 0, 5, "second"),
            one_of("x", [1, 2], "third"),
            never("x > 4", "small", "fourth"),
        ],
    )
    verdict = check(pl.DataFrame({"x": [1, 9, None, 3]}), rules)
    assert verdict.kept["x"].to_list() == [1]
    assert verdict.rejected["rule"].to_list() == [
        "x from 0 to 5; x is a known value; small",
        "x is known",
        "x is a known value",
    ]
    assert verdict.rejected["reason"].to_list() == ["second; third; fourth", "first", "third"]
