from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.features.outcomes import OUTCOMES
from backstop.props import project
from backstop.props.kernel import at_least, count_distribution, ordered_sum, sum_distribution
from backstop.props.markets import MARKETS

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


def enumerate_sums(values, tries, highest):
    """P(sum = x) by going through every number of tries and every result of each; what exceeds the highest is there."""
    pmf = np.zeros(highest + 1)
    for n, ends in enumerate(tries):
        for worth in itertools.product(range(values.shape[1]), repeat=n):
            chance = ends * np.prod([values[k, v] for k, v in enumerate(worth)])
            pmf[min(sum(worth), highest)] += chance
    return pmf


@given(st.integers(0, 4), st.integers(1, 5), st.integers(0, 9), st.integers(0, 2**32 - 1))
def test_sums_over_an_uncertain_number_of_tries_equal_the_enumeration(most, sizes, highest, seed):
    random = np.random.default_rng(seed)
    values, tries = random.dirichlet(np.ones(sizes), (2, most)), random.dirichlet(np.ones(most + 1), 2)
    found = sum_distribution(values, tries, highest)
    for row in range(2):
        np.testing.assert_allclose(found[row], enumerate_sums(values[row], tries[row], highest), atol=1e-12)


@pytest.fixture(scope="module")
def many():
    """Many players of seven turns."""
    random = np.random.default_rng(7)
    rows = 8_195
    return random.random((rows, 7)), random.dirichlet(np.ones(8), rows), random.dirichlet(np.ones(5), (rows, 7))


@pytest.mark.parametrize("highest", [0, 2, 7, 28])
def test_a_player_has_the_same_bits_alone_and_in_any_memory_order_as_among_others(many, highest):
    chance, tries, values = many
    counts, sums = count_distribution(chance, tries, highest), sum_distribution(values, tries, highest)
    for row in (0, 4_096, len(chance) - 1):
        one = slice(row, row + 1)
        assert count_distribution(chance[one], tries[one], highest).tobytes() == counts[one].tobytes()
        assert sum_distribution(values[one], tries[one], highest).tobytes() == sums[one].tobytes()
        assert at_least(counts[one]).tobytes() == at_least(counts)[one].tobytes()
    sideways = count_distribution(np.asfortranarray(chance), np.asfortranarray(tries), highest)
    assert (sideways == counts).all()


def test_a_player_whose_chances_are_not_known_has_no_distribution_and_touches_nobody_elses(many):
    chance, tries, values = (part[:4].copy() for part in many)
    counts, sums = count_distribution(chance, tries, 7), sum_distribution(values, tries, 28)
    chance[1, 3], values[1, 3] = np.nan, np.nan
    others = [0, 2, 3]
    for found, known in ((count_distribution(chance, tries, 7), counts), (sum_distribution(values, tries, 28), sums)):
        assert np.isnan(found[1, 0])
        assert (found[others] == known[others]).all()


def test_batters_have_the_same_bits_alone_in_small_blocks_and_in_one_also_beside_one_who_is_not_known(monkeypatch):
    random = np.random.default_rng(11)
    turns = np.asfortranarray(random.dirichlet(np.ones(len(OUTCOMES)), (23, project.TURNS)))
    tries = random.dirichlet(np.ones(project.TURNS + 1), 23)
    keys = [*project.COUNTED, project.TOTAL_BASES]
    whole = project.batter_sums(keys, turns, tries)
    assert list(whole) == keys
    monkeypatch.setattr(project, "BATTERS_AT_ONCE", 5)
    turns[7, 2] = np.nan
    parts = project.batter_sums(keys, turns, tries)
    others = np.arange(23) != 7
    for key in keys:
        one = slice(3, 4)
        assert (project.batter_sums([key], turns[one], tries[one])[key] == whole[key][one]).all()
        assert (at_least(project.batter_market(key, turns[one], tries[one])) == whole[key][one]).all()
        assert (parts[key][others] == whole[key][others]).all()
        assert np.isnan(parts[key][7, 1])
    nobody = project.batter_sums(["batter_hits"], turns[:0], tries[:0])
    assert nobody["batter_hits"].shape == (0, MARKETS["batter_hits"].highest + 2)


def test_of_nobody_there_are_no_distributions():
    assert count_distribution(np.empty((0, 7)), np.empty((0, 8)), 7).shape == (0, 8)
    assert sum_distribution(np.empty((0, 7, 5)), np.empty((0, 8)), 28).shape == (0, 29)
    assert at_least(np.empty((0, 8))).shape == (0, 9)


def test_an_ordered_sum_adds_from_left_to_right():
    assert ordered_sum(np.array([[1e16, 1.0, 1.0], [1.0, 1.0, 1e16]])).tolist() == [1e16, 1e16 + 2]
