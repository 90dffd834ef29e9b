"""How long a client waits before it tries Redis again."""

from __future__ import annotations

import random

import pytest

from backstop.store.connection import Pauses


def test_the_first_try_comes_at_once_and_the_next_within_pauses_that_double_up_to_the_cap():
    pauses = Pauses(cap=1.0, base=0.05)
    assert pauses.compute(1) == 0
    for failures, longest in ((2, 0.1), (3, 0.2), (4, 0.4), (5, 0.8), (9, 1.0)):
        waited = [pauses.compute(failures) for _ in range(200)]
        assert 0 <= min(waited) < longest / 4
        assert longest / 2 < max(waited) <= longest


@pytest.mark.parametrize("failures", [2, 5])
def test_processes_that_were_forked_from_one_do_not_wait_equally_long(failures):
    random.seed(7)
    first = Pauses().compute(failures)
    random.seed(7)
    assert Pauses().compute(failures) != first
