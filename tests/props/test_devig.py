from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.odds import decimal_from_american, implied
from backstop.props.devig import METHODS, additive, shin
from backstop.props.normal import cdf, quantile

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
    a, b = (np.array([value(implied(decimal_from_american(pl.lit(float(x)))))]) for x in (over, under))
    expected = {"multiplicative": multiplicative, "shin": shin_, "logit": logit, "probit": probit, "power": power}
    found = {name: round(float(method(a, b)[0]), 3) for name, method in METHODS.items()}
    assert found == pytest.approx(expected, abs=1.01e-3)


@given(st.floats(0.02, 0.85), st.floats(0.0, 0.15))
def test_both_sides_sum_to_one_whatever_the_method(p, margin):
    a, b = np.array([p + margin * p]), np.array([1 - p + margin * (1 - p)])
    for name, method in METHODS.items():
        over, under = method(a, b)[0], method(b, a)[0]
        assert np.isnan(over) or np.isnan(under) or over + under == pytest.approx(1, abs=1e-7), name


def test_without_a_margin_every_method_returns_the_quote():
    p = np.linspace(0.02, 0.98, 49)
    for method in METHODS.values():
        np.testing.assert_allclose(method(p, 1 - p), p, atol=1e-8)


def test_shin_falls_back_to_the_odds_ratio_where_it_leaves_the_unit_interval():
    a, b = np.array([0.01]), np.array([1.02])
    assert np.isnan(additive(a, b)[0])
    assert 0 <= shin(np.array([0.004]), np.array([0.9999]))[0] < 0.01


def test_a_missing_side_has_no_fair_probability():
    for method in METHODS.values():
        assert np.isnan(method(np.array([0.5]), np.array([np.nan]))[0])


def test_the_normal_distribution_matches_the_error_function():
    z = np.linspace(-8, 8, 161)
    expected = [0.5 * math.erfc(-x / math.sqrt(2)) for x in z]
    np.testing.assert_allclose(cdf(z), expected, rtol=1e-7, atol=1e-14)


@given(st.floats(1e-9, 1 - 1e-9))
def test_the_normal_quantile_undoes_the_distribution(p):
    assert cdf(quantile(np.array([p])))[0] == pytest.approx(p, rel=1e-7)
