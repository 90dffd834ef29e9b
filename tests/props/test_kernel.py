from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.props.kernel import at_least, count_distribution, sum_distribution

chances = st.lists(st.floats(0, 1), min_size=1, max_size=5)


def enumerate_counts(q):
    """P(X = x) by going through all 2^n results."""
    pmf = np.zeros(len(q) + 1)
    for result in itertools.product((0, 1), repeat=len(q)):
        pmf[sum(result)] += np.prod([p if hit else 1 - p for p, hit in zip(q, result, strict=True)])
    return pmf


@given(chances)
def test_counts_of_unequal_chances_equal_the_enumeration(q):
    tries = np.zeros((1, len(q) + 1))
    tries[0, -1] = 1
    pmf = count_distribution(np.array([q]), tries, len(q))
    np.testing.assert_allclose(pmf[0], enumerate_counts(q), atol=1e-12)


@given(chances, st.integers(0, 4))
def test_an_uncertain_number_of_tries_mixes_the_distributions(q, shorter):
    n = len(q)
    few = min(shorter, n)
    tries = np.zeros((1, n + 1))
    tries[0, few] += 0.25
    tries[0, n] += 0.75
    mixed = count_distribution(np.array([q]), tries, n)[0]
    expected = 0.75 * enumerate_counts(q)
    expected[: few + 1] += 0.25 * enumerate_counts(q[:few])
    np.testing.assert_allclose(mixed, expected, atol=1e-12)


@given(chances)
def test_total_bases_with_singles_only_are_hits(q):
    tries = np.full((1, len(q) + 1), 1 / (len(q) + 1))
    chance = np.array([q])
    values = np.stack([1 - chance, chance], axis=2)
    hits = count_distribution(chance, tries, len(q))
    np.testing.assert_allclose(sum_distribution(values, tries, len(q)), hits, atol=1e-12)


@given(chances, st.integers(1, 3))
def test_what_exceeds_the_highest_outcome_is_counted_there(q, highest):
    tries = np.zeros((1, len(q) + 1))
    tries[0, -1] = 1
    counted = count_distribution(np.array([q]), tries, highest)
    values = np.stack([1 - np.array([q]), np.zeros((1, len(q))), np.array([q])], axis=2)
    assert counted.sum() == pytest.approx(1)
    assert sum_distribution(values, tries, highest).sum() == pytest.approx(1)


def test_tails_are_monotone_and_start_at_one():
    tails = at_least(np.array([[0.2, 0.5, 0.3]]))
    np.testing.assert_allclose(tails, [[1.0, 0.8, 0.3, 0.0]])
