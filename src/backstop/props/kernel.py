"""Exact distributions of counts: sums of unequal chances over an uncertain number of tries.

P(X = x) = sum over n of P(N = n) * PoissonBinomial(x; q_1 .. q_n)      (docs/model.md)

As generating functions, with f_k(z) that of try k, this is Horner's rule, from the last try to the first:

    P(N = 0) + f_1 (P(N = 1) + f_2 (P(N = 2) + ... + f_K P(N = K)))

Rows are players. In memory they lie side by side, outcome after outcome, so that a step is a few long operations. A
player's numbers come from the same operations in the same order, alone or among others: to the bit.
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
    q, ends = np.ascontiguousarray(chance.T[::-1]), np.ascontiguousarray(tries.T[::-1])
    state = np.zeros((highest + 1, len(chance)))
    moved = np.empty_like(state)
    state[0] = ends[0]
    for k, succeeds in enumerate(q):
        reached = min(k, highest) + 1
        part = np.multiply(state[:reached], succeeds, out=moved[:reached])
        state[:reached] -= part
        state[1 : reached + 1] += part[:highest]
        if reached > highest:
            state[highest] += part[highest]
        state[0] += ends[k + 1]
    return state.T


def sum_distribution(values: Floats, tries: Floats, highest: int) -> Floats:
    """Return P(sum = x), x = 0..highest, when each try yields 0, 1, 2, ... with its own probabilities.

    Args:
        values: P(try k yields v), (rows, K, V); the last axis sums to one.
        tries: P(tries = n), n = 0..K, (rows, K + 1).
        highest: Outcomes above it are counted there.
    """
    worth = np.ascontiguousarray(values.transpose(1, 2, 0)[::-1])
    ends = np.ascontiguousarray(tries.T[::-1])
    state = np.zeros((highest + 1, len(values)))
    state[0] = ends[0]
    after, moved = np.empty_like(state), np.empty_like(state)
    for k, chances in enumerate(worth):
        reached = min(k * (len(chances) - 1), highest) + 1
        np.multiply(state[:reached], chances[0], out=after[:reached])
        after[reached:] = 0.0
        for size, chance in enumerate(chances[1:], start=1):
            part = np.multiply(state[:reached], chance, out=moved[:reached])
            fits = max(highest + 1 - size, 0)
            after[size : size + reached] += part[:fits]
            if fits < reached:
                after[highest] += ordered_sum(part[fits:].T)
        state, after = after, state
        state[0] += ends[k + 1]
    return state.T


def ordered_sum(values: Floats) -> Floats:
    """Sum the last axis from its first entry to its last: a row gives the same bits alone as among others."""
    total = values[..., 0].copy(order="K")
    for n in range(1, values.shape[-1]):
        total += values[..., n]
    return total


def at_least(pmf: Floats) -> Floats:
    """Return P(X >= n), n = 0..highest + 1, from P(X = x): falling by construction from one to zero."""
    rows, outcomes = pmf.shape
    tail = np.ones((outcomes + 1, rows))
    tail[outcomes] = reached = np.zeros(rows)
    for n in range(outcomes - 1, 0, -1):
        reached = reached + pmf[:, n]
        np.minimum(reached, 1.0, out=tail[n])
    return tail.T
