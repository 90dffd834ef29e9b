from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.features.outcomes import OUTCOMES
from backstop.props.expressions import BASE_LINES, COUNTED, HITS, PROPS_PER_BATTER, over_lines
from backstop.props.kernel import at_least, count_distribution, sum_distribution

MOST = 6


def chances(rows, seed):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.array([22, 8, 1, 14, 5, 0.5, 3, 47]), size=(rows, MOST))
    reach = np.sort(random.random((rows, MOST)), axis=1)[:, ::-1]
    columns = {f"reach_{k + 1}": reach[:, k] for k in range(MOST)}
    columns |= {f"{o}_{k + 1}": p[:, k, i] for k in range(MOST) for i, o in enumerate(OUTCOMES)}
    return p, reach, pl.LazyFrame(columns)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000))
def test_expressions_give_the_numbers_of_the_kernel(seed):
    p, reach, frame = chances(20, seed)
    found = over_lines(frame, MOST).collect()
    assert found.width == PROPS_PER_BATTER == 14
    edges = np.concatenate([np.ones((20, 1)), reach, np.zeros((20, 1))], axis=1)
    tries = edges[:, :-1] - edges[:, 1:]
    for market, (outcomes, lines) in COUNTED.items():
        q = p[:, :, [OUTCOMES.index(o) for o in outcomes]].sum(axis=2)
        tail = at_least(count_distribution(q, tries, MOST))
        for j in range(1, lines + 1):
            np.testing.assert_allclose(found[f"{market}:{j - 0.5}"].to_numpy(), tail[:, j], atol=1e-12)
    bases = p[:, :, [OUTCOMES.index(o) for o in HITS]]
    values = np.concatenate([1 - bases.sum(axis=2, keepdims=True), bases], axis=2)
    tail = at_least(sum_distribution(values, tries, 24))
    for j in BASE_LINES:
        np.testing.assert_allclose(found[f"batter_total_bases:{j - 0.5}"].to_numpy(), tail[:, j], atol=1e-12)
