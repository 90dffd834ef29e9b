"""How often a caller may ask: never more than his rate and burst, and not refused who waited as he was told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.api import limit
from backstop.api.limit import BURST, Limit


class Hand:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


RATES = st.sampled_from([0.1, 0.3, 1, 1.7, 3, 7, 10.1, 50])


@given(per_s=RATES, pauses=st.lists(st.floats(0, 3), max_size=60))
def test_whoever_waits_as_long_as_he_was_told_may_go(per_s, pauses):
    now = Hand()
    bucket = Limit(per_s, now=now)
    for pause in pauses:
        now.at += pause
        wait_s = bucket.take("a")
        if wait_s:
            assert 0 < wait_s <= 1 / per_s
            now.at += wait_s
            assert bucket.take("a") == 0


@given(per_s=RATES, steps=st.lists(st.floats(0, 0.5), min_size=1, max_size=120))
def test_nobody_gets_more_than_his_burst_and_his_rate(per_s, steps):
    now = Hand()
    bucket, gone = Limit(per_s, now=now), 0
    for step in steps:
        now.at += step
        gone += bucket.take("a") == 0
    assert gone <= max(1, per_s * BURST) + per_s * now.at + 1e-3
    assert bucket.refused == len(steps) - gone


def test_callers_do_not_pay_for_one_another_and_one_who_was_forgotten_begins_anew(monkeypatch):
    monkeypatch.setattr(limit, "CALLERS", 2)
    bucket = Limit(1, now=Hand())
    assert [bucket.take("a") for _ in range(3)] == [0, 0, 1]
    assert bucket.take("b") == 0
    assert bucket.take("a") == 1
    assert bucket.take("c") == 0  # b was heard of longest ago
    assert bucket.take("a") == 1
    assert [bucket.take("b") for _ in range(3)] == [0, 0, 1]


def test_a_rate_below_one_a_second_still_lets_one_request_go():
    now = Hand()
    bucket = Limit(0.1, now=now)
    assert bucket.take("a") == 0
    assert bucket.take("a") == pytest.approx(10)
    now.at = 4
    assert bucket.take("a") == pytest.approx(6)


def test_a_long_silence_earns_no_more_than_the_burst():
    now = Hand()
    bucket = Limit(3, now=now)
    bucket.take("a")
    now.at = 1e6
    assert [bucket.take("a") == 0 for _ in range(7)] == [True] * 6 + [False]
