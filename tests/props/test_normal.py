"""The normal distribution in one, two and more dimensions against closed forms and plain integration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import UsageError
from backstop.props.joint import POINTS, _all_below, _halton, probability
from backstop.props.leg import Leg
from backstop.props.normal import both_below, cdf, quantile

CORRELATION = st.floats(-0.95, 0.95)
BOUND = st.floats(-3, 3)


def array(value: float) -> np.ndarray:
    return np.array([value])


def phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def by_simpson(x: float, y: float, r: float, steps: int = 4_000) -> float:
    """P(X <= x, Y <= y): what X is, times what Y then may be, summed from far left to x."""
    width = (x + 9) / steps
    total = 0.0
    for n in range(steps + 1):
        t = -9 + n * width
        weight = 1 if n in {0, steps} else 4 if n % 2 else 2
        total += weight * math.exp(-t * t / 2) * phi((y - r * t) / math.sqrt(1 - r * r))
    return total * width / 3 / math.sqrt(2 * math.pi)


@settings(max_examples=25)
@given(BOUND, BOUND, CORRELATION)
def test_two_dimensions_are_the_integral_over_one(x: float, y: float, r: float):
    assert both_below(array(x), array(y), array(r))[0] == pytest.approx(by_simpson(x, y, r), abs=1e-8)


@given(BOUND, BOUND, CORRELATION)
def test_the_four_corners_are_everything_and_order_does_not_matter(x: float, y: float, r: float):
    corners = [both_below(array(s * x), array(t * y), array(s * t * r))[0] for s in (1.0, -1.0) for t in (1.0, -1.0)]
    assert sum(corners) == pytest.approx(1, abs=1e-9)
    assert corners[0] + corners[1] == pytest.approx(phi(x), abs=1e-9)
    assert both_below(array(y), array(x), array(r))[0] == pytest.approx(corners[0], abs=1e-12)


@given(BOUND, BOUND, st.lists(CORRELATION, min_size=2, max_size=6))
def test_the_closer_two_hang_together_the_likelier_both_are_below(x: float, y: float, correlations: list[float]):
    found = [both_below(array(x), array(y), array(r))[0] for r in sorted(correlations)]
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(found))
    assert all(max(0.0, phi(x) + phi(y) - 1) - 1e-9 <= p <= min(phi(x), phi(y)) + 1e-9 for p in found)


@pytest.mark.parametrize("z", [-40.0, -37.5, -8.0, -7.0710678, -1.96, -0.0, 0.0, 1.0, 7.08, 38.0])
def test_the_distribution_is_right_in_its_far_tails(z: float):
    assert cdf(array(z))[0] == pytest.approx(phi(z), rel=1e-7, abs=1e-300)


@pytest.mark.parametrize(("p", "z"), [(0.975, 1.959963985), (0.5, 0.0), (0.02425, -1.972961), (1e-9, -5.997807015)])
def test_quantiles_of_the_table(p: float, z: float):
    assert quantile(array(p))[0] == pytest.approx(z, abs=1e-6)
    assert quantile(array(1 - p))[0] == pytest.approx(-z, abs=1e-6)


@pytest.mark.parametrize("size", range(3, 9))
def test_of_n_alike_half_correlated_none_is_the_largest_more_often(size: int):
    """The orthant probability at a correlation of one half is 1 / (n + 1)."""
    alike = np.full((size, size), 0.5) + 0.5 * np.eye(size)
    assert _all_below(np.zeros(size), alike) == pytest.approx(1 / (size + 1), abs=0.001)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=8))
def test_what_is_independent_multiplies(bounds: list[float]):
    found = _all_below(np.array(bounds), np.eye(len(bounds)))
    assert found == pytest.approx(math.prod(map(phi, bounds)), abs=1e-9)


@given(st.floats(-0.45, 0.95), st.floats(-0.45, 0.95), st.floats(-0.1, 0.9))
def test_three_dimensions_have_sheppards_octant(a: float, b: float, c: float):
    matrix = np.array([[1, a, b], [a, 1, c], [b, c, 1]])
    if np.linalg.eigvalsh(matrix).min() < 0.01:
        return
    octant = 1 / 8 + (math.asin(a) + math.asin(b) + math.asin(c)) / (4 * math.pi)
    assert _all_below(np.zeros(3), matrix) == pytest.approx(octant, abs=0.001)


def test_correlations_that_do_not_fit_together_give_the_nearest_that_do():
    # two who always agree cannot disagree about the third
    torn = np.array([[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]])
    assert np.linalg.eigvalsh(torn).min() < 0
    assert 0 <= _all_below(np.zeros(3), torn) <= 0.5


@pytest.mark.parametrize(("base", "first"), [(2, [1 / 2, 1 / 4, 3 / 4, 1 / 8]), (3, [1 / 3, 2 / 3, 1 / 9, 4 / 9])])
def test_van_der_corputs_points_turn_the_digits_round(base: int, first: list[float]):
    assert _halton(4, base) == pytest.approx(first)
    assert len(set(_halton(POINTS, base).tolist())) == POINTS


def test_as_many_legs_as_there_are_primes_and_not_one_more():
    legs = [Leg(game, 7, "AAA", 1, "batter_hits", 0.5, "over", 0.5) for game in range(9)]
    none = None
    assert probability(legs[:8], none) == pytest.approx(0.5**8)
    with pytest.raises(UsageError, match="9 legs were given; a joint probability takes 1 to 8"):
        probability(legs, none)
