"""How many requests a host takes at once, what workers tell each other of breakers, and which request is which."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.net import breaker_shared, keys
from backstop.net.breaker import Moved, State
from backstop.net.item import Item
from backstop.net.width import Latency, Width
from backstop.settings import Feed, Settings

CAPS = st.integers(1, 40)


def rounds(width: Width, count: int) -> list[int]:
    """Answer all that is admitted, again and again; return how many were admitted each time."""
    seen = []
    for _ in range(count):
        seen.append(width.slots)
        for _ in range(width.slots):
            width.good()
    return seen


def test_until_the_first_refusal_each_round_admits_twice_as_many():
    assert rounds(Width(cap=25, value=1.0), 7) == [1, 2, 4, 8, 16, 25, 25]


def test_after_a_refusal_it_is_half_and_each_round_admits_about_one_more():
    width = Width(cap=25, value=16.0)
    width.bad(started_at=1.0, now=2.0)
    assert width.slots == 8
    found = rounds(width, 12)
    assert found[0] == 8
    assert all(0 <= b - a <= 1 for a, b in itertools.pairwise(found))
    assert 17 <= found[-1] <= 19


def test_refusals_of_requests_that_were_under_way_together_halve_once():
    width = Width(cap=25, value=24.0)
    for at in (10.0, 10.1, 10.2):
        width.bad(started_at=9.5, now=at)
    assert width.slots == 12
    width.bad(started_at=10.0, now=10.3)
    assert width.slots == 6, "it began when the width was halved already"


@given(CAPS, st.lists(st.booleans(), max_size=300))
def test_whatever_happens_one_gets_through_and_never_more_than_the_cap(cap: int, answers: list[bool]):
    width = Width(cap=cap, value=1.0)
    for now, good in enumerate(answers):
        if good:
            width.good()
        else:
            width.bad(started_at=now, now=now)
        assert 1 <= width.slots <= cap


@given(CAPS, st.integers(1, 8))
def test_enough_refusals_leave_one_and_enough_answers_bring_back_the_cap(cap: int, refusals: int):
    width = Width(cap=cap, value=float(cap))
    for now in range(refusals):
        width.bad(started_at=now, now=now)
    assert width.slots == max(1, cap >> refusals) or abs(width.value - max(1.0, cap / 2**refusals)) < 1e-9
    for _ in range(cap * cap + 1):
        width.good()
    assert width.slots == cap


def test_a_host_that_answers_as_usual_is_steady_and_one_that_slows_down_is_not():
    latency = Latency()
    assert all(latency.observe("schedule", 0.2) for _ in range(50))
    found = [latency.observe("schedule", 0.6) for _ in range(20)]
    assert found[0]
    assert not found[-1]
    back = [latency.observe("schedule", 0.2) for _ in range(60)]
    assert back[-1], "it recovers"


@given(st.lists(st.floats(0.001, 0.04), min_size=1, max_size=80))
def test_tens_of_milliseconds_are_noise(seconds: list[float]):
    latency = Latency()
    assert all(latency.observe("schedule", each) for each in seconds)


def test_kinds_of_requests_have_usual_times_of_their_own():
    latency = Latency()
    for _ in range(40):
        assert latency.observe("schedule", 0.1)
        assert latency.observe("pitches", 9.0)


@pytest.mark.parametrize(
    ("message", "moved"),
    [
        ("breaker|savant|w1|closed|open|30000|x|no answer", Moved("savant", State.CLOSED, State.OPEN, "no answer", 30.0, here=True)),
        ("breaker|savant|w2|open|half-open|30000|x|", Moved("savant", State.OPEN, State.HALF_OPEN, "", 0.0, here=False)),
        ("breaker|savant|w1|half-open|closed|0|x|a|b|c", Moved("savant", State.HALF_OPEN, State.CLOSED, "a|b|c", 0.0, here=True)),
        ("breaker|savant|w1|open|open|30000|x|again", None),
        ("call|abc|", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_message_tells_of_a_breaker_that_moved_or_of_none(message: str, moved: Moved | None):
    assert breaker_shared.moved(message, "w1") == moved


def test_feeds_behind_one_address_speak_on_one_channel():
    apart, together = Settings(_env_file=None), Settings(_env_file=None, upstream="http://127.0.0.1:9/")
    assert len({keys.channel(apart.url_of(feed)) for feed in Feed}) == len(Feed)
    assert len({keys.channel(together.url_of(feed)) for feed in Feed}) == 1


PARAMS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=4)


@given(PARAMS, PARAMS)
def test_two_requests_are_one_where_feed_path_and_parameters_are(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
):
    first = Item(Feed.STATSAPI, "t", "k", "/p", tuple(one))
    second = Item(Feed.STATSAPI, "another", "key", "/p", tuple(other))
    assert (first.fingerprint == second.fingerprint) == (sorted(one) == sorted(other))
    assert first.fingerprint != Item(Feed.SAVANT, "t", "k", "/p", tuple(one)).fingerprint
    assert first.fingerprint != Item(Feed.STATSAPI, "t", "k", "/q", tuple(one)).fingerprint
    assert len(first.fingerprint) == 32
