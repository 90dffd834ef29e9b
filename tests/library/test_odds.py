"""Odds formats against slow exact arithmetic: fractions, no floats."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.odds import (
    Form,
    american_from_decimal,
    decimal_from_american,
    decimal_from_fraction,
    decimal_of,
    fraction_from_decimal,
    implied,
    written,
)

AMERICAN = st.one_of(st.integers(100, 100_000), st.integers(-100_000, -100))
NO_ODDS = [0.0, 1.0, 0.5, -2.0, math.nan, math.inf, -math.inf, None]


def column(expression, *values, dtype=pl.Float64):
    return pl.DataFrame({"x": pl.Series(values, dtype=dtype)}).select(expression(pl.col("x"))).to_series().to_list()


def exactly(american):
    return 1 + (Fraction(american, 100) if american > 0 else Fraction(100, -american))


@given(AMERICAN)
def test_one_price_and_a_column_of_prices_are_the_exact_ratio(american):
    exact = float(exactly(american))
    assert decimal_of(american) == pytest.approx(exact, rel=1e-15)
    assert column(decimal_from_american, float(american)) == [pytest.approx(exact, rel=1e-15)]


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers(-100_000, 100_000))
def test_one_price_and_a_column_of_prices_are_converted_to_the_same_bits(american):
    assert column(decimal_from_american, float(american)) == [decimal_of(american)]


@given(AMERICAN)
def test_american_odds_come_back_and_even_money_has_one_name(american):
    (back,) = column(american_from_decimal, float(exactly(american)))
    assert back == pytest.approx(100 if american == -100 else american, rel=1e-9)


@pytest.mark.parametrize("american", [0, 99, -99, 99.99, math.nan, math.inf, -math.inf])
def test_american_odds_that_do_not_exist_are_none(american):
    assert decimal_of(american) is None
    assert column(decimal_from_american, american, None) == [None, None]


@pytest.mark.parametrize("odds", NO_ODDS)
@pytest.mark.parametrize("expression", [american_from_decimal, fraction_from_decimal, implied])
def test_decimal_odds_of_one_or_less_and_what_is_no_number_are_null(expression, odds):
    assert column(expression, odds) == [None]


@pytest.mark.parametrize(
    ("decimal", "text"),
    [(2.0, "1/1"), (2.5, "3/2"), (1.5, "1/2"), (4.0, "3/1"), (1 + 1 / 3, "1/3"), (101.0, "100/1"), (1.01, "1/100"), (1.909090909, "10/11")],
)  # fmt: skip
def test_fractional_odds_are_written_as_books_do(decimal, text):
    assert column(fraction_from_decimal, decimal) == [text]


@given(st.integers(1, 500), st.integers(1, 100))
def test_a_fraction_comes_back_in_its_lowest_terms(numerator, denominator):
    lowest = Fraction(numerator, denominator)
    (text,) = column(fraction_from_decimal, 1 + numerator / denominator)
    assert text == f"{lowest.numerator}/{lowest.denominator}"


@pytest.mark.parametrize(
    ("numerator", "denominator", "decimal"),
    [(3, 2, 2.5), (1, 4, 1.25), (0, 5, None), (5, 0, None), (-1, 2, None), (None, 2, None), (2, None, None)],
)
def test_decimal_odds_of_a_fraction(numerator, denominator, decimal):
    frame = pl.DataFrame({"n": [numerator], "d": [denominator]}, schema={"n": pl.Int64, "d": pl.Int64})
    assert frame.select(x=decimal_from_fraction(pl.col("n"), pl.col("d")))["x"].to_list() == [decimal]


@given(AMERICAN)
def test_the_raw_probability_of_a_price_is_what_breaks_even(american):
    exact = exactly(american)
    (probability,) = column(implied, float(exact))
    assert probability * float(exact) == pytest.approx(1.0, rel=1e-12)
    assert (probability > 0.5) == (exact < 2)


@pytest.mark.parametrize(
    ("decimal", "said"),
    [
        (2.0, ("2.00", "+100", "1/1")),
        (1.909090909, ("1.91", "-110", "10/11")),
        (1.9999, ("2.00", "-100", "1/1")),
        (101.0, ("101.00", "+10000", "100/1")),
        *((none, (None, None, None)) for none in NO_ODDS),
    ],
)
def test_odds_are_written_as_people_do(decimal, said):
    assert tuple(column(lambda price, form=form: written(price, form), decimal)[0] for form in Form) == said
