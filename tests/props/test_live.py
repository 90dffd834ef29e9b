from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.props.live import batters_left, over, team_turns_left, turns_left


def test_what_is_reached_already_is_certain():
    p = over(np.array([2]), np.array([1.5]), np.full((1, 3), 0.3), np.array([[0.25, 0.25, 0.25, 0.25]]))
    assert p[0] == 1


def test_nothing_left_means_nothing_more():
    p = over(np.array([1]), np.array([1.5]), np.full((1, 3), 0.3), np.array([[1.0, 0, 0, 0]]))
    assert p[0] == 0


def test_two_tries_left_for_one_more_have_the_textbook_chance():
    p = over(np.array([1]), np.array([1.5]), np.full((1, 2), 0.3), np.array([[0.0, 0.0, 1.0]]))
    assert p[0] == pytest.approx(1 - 0.7**2)


@given(st.integers(0, 4), st.integers(0, 4))
def test_more_counted_already_never_lowers_the_chance(counted, more):
    chance, left = np.full((1, 4), 0.25), np.full((1, 5), 0.2)
    line = np.array([2.5])
    less = over(np.array([counted]), line, chance, left)[0]
    assert over(np.array([counted + more]), line, chance, left)[0] >= less - 1e-12


def test_a_side_with_outs_left_bats_at_least_that_often():
    reach = team_turns_left(np.array([0, 1, 27]), np.array([0.7, 0.7, 0.7]), 60)
    assert reach[0, :2].tolist() == [1, 0]
    assert reach[1, :3] == pytest.approx([1, 1, 0.3])
    assert reach[2, :28] == pytest.approx(1)
    assert reach[2].sum() - 1 == pytest.approx(27 / 0.7, abs=0.05)
    assert (np.diff(reach, axis=1) <= 1e-12).all()


def test_the_next_batter_comes_up_and_the_one_before_him_waits_a_round():
    reach = team_turns_left(np.array([3, 3]), np.array([1.0, 1.0]), 30)
    left = turns_left(np.array([4, 3]), np.array([4, 4]), reach, np.array([1.0, 1.0]), 3)
    assert left[0].tolist() == [0, 1, 0, 0]
    assert left[1].tolist() == [1, 0, 0, 0]


def test_turns_left_are_a_distribution():
    reach = team_turns_left(np.array([15] * 9), np.full(9, 0.68), 60)
    left = turns_left(np.arange(1, 10), np.full(9, 5), reach, np.full(9, 0.95), 6)
    np.testing.assert_allclose(left.sum(axis=1), 1)
    assert (left >= 0).all()


def test_a_starter_still_in_faces_what_the_distribution_has_left():
    pmf = np.array([[0.1, 0.2, 0.3, 0.4]])
    assert batters_left(pmf, np.array([1]))[0] == pytest.approx([0, 3 / 7, 4 / 7, 0])
    assert batters_left(pmf, np.array([3]))[0] == pytest.approx([0, 1, 0, 0])
