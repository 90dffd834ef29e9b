"""Exact distributions of counts: sums of unequal chances over an uncertain number of tries.

P(X = x) = sum over n of P(N = n) * PoissonBinomial(x; q_1 .. q_n)      (docs/model.md)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def count_distribution(chance: Floats, tries: Floats, highest: int) -> Floats:
    """Return P(X = x), x = 0..highest, one row per row of chances.

    Args:
        chance: Chance of success at try k = 1..K, (rows, K).
        tries: P(tries = n), n = 0..K, (rows, K + 1), each row summing to one.
        highest: Outcomes above it are counted there.
    """
    rows, most = chance.shape
    state = np.zeros((rows, highest + 1))
    state[:, 0] = 1.0
    total = state * tries[:, :1]
    for k in range(most):
        moved = state * chance[:, k : k + 1]
        state -= moved
        state[:, 1:] += moved[:, :-1]
        state[:, -1] += moved[:, -1]
        total += state * tries[:, k + 1 : k + 2]
    return total


def sum_distribution(values: Floats, tries: Floats, highest: int) -> Floats:
    """Return P(sum = x), x = 0..highest, when each try yields 0, 1, 2, ... with its own probabilities.

    Args:
        values: P(try k yields v), (rows, K, V); the last axis sums to one.
        tries: P(tries = n), n = 0..K, (rows, K + 1).
        highest: Outcomes above it are counted there.
    """
    rows, most, sizes = values.shape
    state = np.zeros((rows, highest + 1))
    state[:, 0] = 1.0
    total = state * tries[:, :1]
    for k in range(most):
        after = state * values[:, k, :1]
        for size in range(1, sizes):
            chance = values[:, k, size : size + 1]
            after[:, size:] += state[:, : highest + 1 - size] * chance
            after[:, -1] += ordered_sum(state[:, highest + 1 - size :]) * chance[:, 0]
        state = after
        total += state * tries[:, k + 1 : k + 2]
    return total


def ordered_sum(values: Floats) -> Floats:
    """Sum the last axis from its first entry to its last: a row gives the same bits alone as among others."""
    return np.asarray(np.add.accumulate(values, axis=-1)[..., -1])


def at_least(pmf: Floats) -> Floats:
    """Return P(X >= n), n = 0..highest + 1, from P(X = x): falling by construction from one to zero."""
    tail = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    certain, never = np.ones((len(pmf), 1)), np.zeros((len(pmf), 1))
    return np.concatenate([certain, np.minimum(tail[:, 1:], 1.0), never], axis=1)
