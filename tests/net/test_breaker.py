"""The breaker's rules, for one process and for Redis: the same machine drives both, with time passed in."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backstop.net import breaker_shared, scripts
from backstop.net.breaker import Breaker, BreakerTerms, Moved, Pass, State

TERMS = BreakerTerms(window_s=10, at_least=4, failing_share=0.5, first_pause_s=1, longest_pause_s=8, probe_s=20)
START = 1_000_000.0


class InRedis:
    """The scripts behind `SharedBreaker`, called with a time of the test's own."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.key = f"test:breaker:{uuid.uuid4().hex}"
        self.tokens = itertools.count()
        self._ask = client.register_script(scripts.ASK)
        self._report = client.register_script(scripts.REPORT)
        self._give_up = client.register_script(scripts.GIVE_UP)

    @property
    def state(self) -> State:
        return State((self.client.hget(self.key, "state") or b"closed").decode())

    def ask(self, now: float) -> Pass:
        token = str(next(self.tokens))
        args = ["c", now * 1000, "feed", "me", token, TERMS.probe_s * 1000, TERMS.first_pause_s * 1000,
                TERMS.longest_pause_s * 1000, 60_000]  # fmt: skip
        granted, probe, _, wait_ms = self._ask(keys=[self.key], args=args)
        return Pass(bool(granted), bool(probe), wait_ms / 1000, token if probe else "")

    def report(self, leave: Pass, *, ok: bool, now: float) -> None:
        args = ["c", now * 1000, "feed", "me", leave.token, int(ok), int(not ok), TERMS.window_s * 1000, TERMS.at_least,
                TERMS.failing_share, TERMS.first_pause_s * 1000, TERMS.longest_pause_s * 1000, 60_000]  # fmt: skip
        self._report(keys=[self.key], args=args)

    def give_up(self, leave: Pass, now: float) -> None:
        self._give_up(keys=[self.key], args=["c", now * 1000, "feed", "me", leave.token, 60_000])


@pytest.fixture(scope="module")
def client(redis_server: str) -> Iterator[redis.Redis]:
    connected = redis.Redis.from_url(redis_server)
    yield connected
    connected.close()


@pytest.fixture(params=["in process", "in Redis"])
def breaker(request: pytest.FixtureRequest, client: redis.Redis) -> Breaker | InRedis:
    return Breaker("feed", TERMS) if request.param == "in process" else InRedis(client)


def fail(breaker: Breaker | InRedis, times: int, now: float) -> None:
    for _ in range(times):
        breaker.report(Pass(granted=True), ok=False, now=now)


def test_it_stays_closed_below_the_number_from_which_it_concludes(breaker: Breaker | InRedis) -> None:
    fail(breaker, TERMS.at_least - 1, START)
    assert breaker.ask(START).granted


def test_it_opens_when_half_of_the_recent_requests_failed(breaker: Breaker | InRedis) -> None:
    for _ in range(4):
        breaker.report(Pass(granted=True), ok=True, now=START)
    fail(breaker, 3, START)
    assert breaker.ask(START).granted
    fail(breaker, 1, START)
    assert not breaker.ask(START).granted
    assert breaker.state is State.OPEN


def test_failures_outside_the_window_are_forgotten(breaker: Breaker | InRedis) -> None:
    fail(breaker, 3, START)
    fail(breaker, 3, START + TERMS.window_s + 1)
    assert breaker.state is State.CLOSED


def test_after_the_pause_one_probe_goes_and_no_other(breaker: Breaker | InRedis) -> None:
    fail(breaker, 4, START)
    assert not breaker.ask(START + 0.9).granted
    probe = breaker.ask(START + 1)
    assert (probe.granted, probe.probe) == (True, True)
    assert [breaker.ask(START + 1 + n).granted for n in range(5)] == [False] * 5
    breaker.report(probe, ok=True, now=START + 6)
    assert breaker.state is State.CLOSED


def test_each_failed_probe_doubles_the_pause_up_to_the_longest(breaker: Breaker | InRedis) -> None:
    now = START
    fail(breaker, 4, now)
    for pause in (1, 2, 4, 8, 8):
        assert not breaker.ask(now + pause - 0.01).granted
        now += pause
        probe = breaker.ask(now)
        assert probe.probe
        breaker.report(probe, ok=False, now=now)


def test_a_lost_probe_is_replaced_and_not_listened_to(breaker: Breaker | InRedis) -> None:
    fail(breaker, 4, START)
    lost = breaker.ask(START + 1)
    again = breaker.ask(START + 1 + TERMS.probe_s)
    assert again.probe
    breaker.report(lost, ok=False, now=START + 22)
    assert breaker.state is State.HALF_OPEN
    breaker.report(again, ok=True, now=START + 23)
    assert breaker.state is State.CLOSED


def test_a_probe_that_was_cancelled_lets_another_go_at_once(breaker: Breaker | InRedis) -> None:
    fail(breaker, 4, START)
    given_up = breaker.ask(START + 1)
    breaker.give_up(given_up, START + 1.5)
    assert breaker.ask(START + 1.5).probe


def test_late_reports_of_old_requests_do_not_move_an_open_breaker(breaker: Breaker | InRedis) -> None:
    fail(breaker, 4, START)
    breaker.report(Pass(granted=True), ok=True, now=START + 0.5)
    fail(breaker, 10, START + 0.5)
    assert breaker.state is State.OPEN
    assert breaker.ask(START + 1).probe


def test_every_transition_is_told_once_with_its_reason() -> None:
    moves: list[Moved] = []
    breaker = Breaker("feed", TERMS, moves.append)
    fail(breaker, 4, START)
    breaker.report(breaker.ask(START + 1), ok=True, now=START + 1)
    assert [(move.before.value, move.after.value, move.reason, move.pause_s) for move in moves] == [
        ("closed", "open", "4 of the last 4 requests failed", 1.0),
        ("open", "half-open", "the pause of 1 s is over", 0.0),
        ("half-open", "closed", "the probe was answered", 0.0),
    ]


class BothBreakers(RuleBasedStateMachine):
    """Whatever happens, the breaker of one process and the one in Redis decide alike, and never send two probes."""

    client: redis.Redis

    @initialize()
    def start(self) -> None:
        self.now = START
        self.own = Breaker("feed", TERMS)
        self.shared = InRedis(self.client)
        self.passes: list[tuple[Pass, Pass]] = []
        self.probe_since: float | None = None

    # eighths of a second: exact as seconds and as milliseconds, so that both stand on the same side of every limit
    @rule(seconds=st.sampled_from([0.125, 0.5, 1.0, 2.5, 7.0, 11.0, 25.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_request_asks(self) -> None:
        own, shared = self.own.ask(self.now), self.shared.ask(self.now)
        assert (own.granted, own.probe) == (shared.granted, shared.probe)
        assert abs(own.wait_s - shared.wait_s) < 0.002
        if own.probe:
            assert self.probe_since is None or self.now - self.probe_since >= TERMS.probe_s
            self.probe_since = self.now
        if own.granted:
            self.passes.append((own, shared))

    @precondition(lambda self: self.passes)
    @rule(ok=st.booleans(), which=st.integers(0, 20))
    def a_request_reports(self, ok: bool, which: int) -> None:
        own, shared = self.passes.pop(which % len(self.passes))
        self.own.report(own, ok=ok, now=self.now)
        self.shared.report(shared, ok=ok, now=self.now)
        self._after_probe(own)

    @precondition(lambda self: any(own.probe for own, _ in self.passes))
    @rule()
    def a_probe_is_cancelled(self) -> None:
        own, shared = next(pair for pair in self.passes if pair[0].probe)
        self.passes.remove((own, shared))
        self.own.give_up(own, self.now)
        self.shared.give_up(shared, self.now)
        self.probe_since = None

    @rule(times=st.integers(1, 6), ok=st.booleans())
    def several_report(self, times: int, ok: bool) -> None:
        for _ in range(times):
            self.own.report(Pass(granted=True), ok=ok, now=self.now)
            self.shared.report(Pass(granted=True), ok=ok, now=self.now)

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "own"):
            assert self.own.state is self.shared.state

    def _after_probe(self, leave: Pass) -> None:
        if leave.probe and self.own.state is not State.HALF_OPEN:
            self.probe_since = None


def test_in_redis_and_in_process_they_decide_alike(client: redis.Redis) -> None:
    BothBreakers.client = client
    run_state_machine_as_test(
        BothBreakers,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_who_is_no_worker_reads_transitions_from_the_channel() -> None:
    said = "breaker|savant|worker-1|closed|open|1000|1750000000000|5 of the last 10 requests failed"
    move = breaker_shared.moved(said)
    assert move == Moved("savant", State.CLOSED, State.OPEN, "5 of the last 10 requests failed", 1.0, here=False)
    assert breaker_shared.moved(said, "worker-1").here  # type: ignore[union-attr]
    assert breaker_shared.moved("gate") is None
    assert breaker_shared.moved("breaker|savant|worker-1|half-open|half-open|0|0|the probe was cancelled") is None
