"""Newton's method against slow references and data whose coefficients are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.fitting import regression


def descended(loss, start: np.ndarray, steps: int = 40_000, rate: float = 0.002) -> np.ndarray:
    """The minimum of a convex loss by plain descent along numerical slopes: slow, and without a formula."""
    b, width = start.astype(float).copy(), 1e-5
    for _ in range(steps):
        slope = np.array([(loss(b + width * side) - loss(b - width * side)) / (2 * width) for side in np.eye(len(b))])
        if np.abs(slope).max() < 1e-6:
            break
        b -= rate * slope
    return b


def test_log_odds_are_those_of_plain_descent():
    random = np.random.default_rng(3)
    x = np.column_stack([np.ones(60), random.normal(size=60)])
    y = (random.random(60) < 0.4).astype(float)
    weight = random.integers(1, 4, 60).astype(float)
    towards = np.array([0.5, -0.5])

    def loss(b):
        eta = x @ b
        return weight @ (np.log1p(np.exp(eta)) - y * eta) + 2.0 / 2 * ((b - towards) ** 2).sum()

    assert regression.logistic(x, y, weight, towards, 2.0) == pytest.approx(descended(loss, towards), abs=1e-5)


def test_log_rates_are_those_of_plain_descent():
    random = np.random.default_rng(4)
    x = np.column_stack([np.ones(50), random.normal(size=50)])
    offset = np.log(random.uniform(1, 5, 50))
    y = random.poisson(np.exp(offset + 0.2)).astype(float)
    towards = np.zeros(2)

    def loss(b):
        eta = x @ b + offset
        return (np.exp(eta) - y * eta).sum() + 1.0 / 2 * (b**2).sum()

    assert regression.poisson(x, y, offset, towards, 1.0) == pytest.approx(descended(loss, towards), abs=1e-5)


def test_a_share_is_fitted_exactly_and_a_weight_counts_rows():
    x, y = np.ones((2, 1)), np.array([1.0, 0.0])
    fitted = regression.logistic(x, y, np.array([30.0, 10.0]), np.zeros(1), 0.0)
    assert fitted == pytest.approx([np.log(3.0)])
    whole = regression.logistic(np.ones((40, 1)), np.repeat(y, [30, 10]), np.ones(40), np.zeros(1), 0.0)
    assert whole == pytest.approx(fitted)


@pytest.mark.parametrize("fit", ["logistic", "poisson", "least_squares"])
def test_without_data_of_a_term_the_number_in_use_stays(fit):
    x = np.column_stack([np.ones(30), np.zeros(30)])
    y = (np.arange(30) % 3 == 0).astype(float)
    towards = np.array([0.1, -4.6])
    given_rows = {"logistic": (np.ones(30),), "poisson": (np.zeros(30),), "least_squares": ()}[fit]
    fitted = getattr(regression, fit)(x, y, *given_rows, towards, 1.0)
    assert fitted[1] == pytest.approx(-4.6, abs=1e-12)
    assert fitted[0] != pytest.approx(0.1)


def test_an_outcome_that_always_happens_stays_finite():
    x, y = np.ones((500, 1)), np.ones(500)
    fitted = regression.logistic(x, y, np.ones(500), np.zeros(1), 0.01)
    assert 5 < fitted[0] < 12


def test_a_start_far_from_the_answer_does_not_fly_off():
    """Newton's plain step from -9 on even chances would be about 4,000."""
    y = (np.arange(200) % 2).astype(float)
    fitted = regression.logistic(np.ones((200, 1)), y, np.ones(200), np.array([-9.0]), 1e-6)
    assert fitted == pytest.approx([0.0], abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(0.0, 50.0), st.integers(0, 2**32 - 1))
def test_a_mean_lies_between_the_data_and_the_number_in_use(level, towards, steady, seed):
    y = level + np.random.default_rng(seed).normal(size=20)
    (fitted,) = regression.least_squares(np.ones((20, 1)), y, np.array([towards]), steady)
    assert fitted == pytest.approx((20 * y.mean() + steady * towards) / (20 + steady))
