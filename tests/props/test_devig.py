from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.props.devig import METHODS, additive, shin
from backstop.props.odds import (
    american_from_decimal,
    decimal_from_american,
    decimal_from_fraction,
    fraction_from_decimal,
    implied,
)

TABLE = [
    # over, under, multiplicative, shin, logit, probit, power
    (-110, -110, 0.500, 0.500, 0.500, 0.500, 0.500),
    (250, -330, 0.271, 0.259, 0.258, 0.258, 0.252),
    (450, -700, 0.172, 0.153, 0.151, 0.152, 0.142),
    (900, -2000, 0.095, 0.074, 0.069, 0.070, 0.058),
]


def value(expression):
    return pl.select(expression).item()


@pytest.mark.parametrize(("over", "under", "multiplicative", "shin_", "logit", "probit", "power"), TABLE)
def test_the_methods_give_the_published_values(over, under, multiplicative, shin_, logit, probit, power):
    a, b = (implied(decimal_from_american(pl.lit(float(x)))) for x in (over, under))
    expected = {"multiplicative": multiplicative, "shin": shin_, "logit": logit, "probit": probit, "power": power}
    found = {name: round(value(method(a, b)), 3) for name, method in METHODS.items()}
    assert found == pytest.approx(expected, abs=1.01e-3)


@given(st.floats(0.02, 0.85), st.floats(0.0, 0.15))
def test_both_sides_sum_to_one_whatever_the_method(p, margin):
    a, b = pl.lit(p + margin * p), pl.lit(min(1 - p + margin * (1 - p), 0.999))
    for name, method in METHODS.items():
        over, under = value(method(a, b)), value(method(b, a))
        assert over is None or under is None or over + under == pytest.approx(1, abs=1e-7), name


def test_shin_falls_back_to_the_odds_ratio_where_it_leaves_the_unit_interval():
    a, b = pl.lit(0.01), pl.lit(1.05 - 0.01)
    assert value(additive(a, b)) is None
    a, b = pl.lit(0.01), pl.lit(0.999)
    assert 0 < value(shin(a, b)) < 0.05


def test_a_missing_side_has_no_fair_probability():
    for method in METHODS.values():
        assert value(method(pl.lit(0.5), pl.lit(None, pl.Float64))) is None


@given(st.one_of(st.integers(100, 20_000), st.integers(-20_000, -101)))
def test_american_odds_survive_the_way_there_and_back(american):
    there = decimal_from_american(pl.lit(float(american)))
    assert value(american_from_decimal(there)) == pytest.approx(american, rel=1e-9)


@given(st.integers(1, 99), st.integers(1, 99))
def test_fractional_odds_survive_the_way_there_and_back(over, under):
    decimal = value(decimal_from_fraction(pl.lit(over), pl.lit(under)))
    numerator, denominator = map(int, value(fraction_from_decimal(pl.lit(decimal))).split("/"))
    assert numerator / denominator == pytest.approx(over / under)


@pytest.mark.parametrize("wrong", [0.0, 50.0, -99.0, float("nan"), float("inf")])
def test_american_odds_that_do_not_exist_are_null(wrong):
    assert value(decimal_from_american(pl.lit(wrong))) is None


@pytest.mark.parametrize("wrong", [1.0, 0.5, -2.0, float("inf")])
def test_decimal_odds_of_one_or_less_are_null(wrong):
    assert value(implied(pl.lit(wrong))) is None
    assert value(american_from_decimal(pl.lit(wrong))) is None
    assert value(fraction_from_decimal(pl.lit(wrong))) is None
