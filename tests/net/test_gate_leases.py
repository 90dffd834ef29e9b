"""Slots of a host leased to workers by one script: whatever they do, never more than the cap, and shared out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

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

from backstop.net import keys, scripts

CAP = 7
TTL_MS = 3000
BEAT_MS = TTL_MS // 3


@dataclass
class Worker:
    """What a `LeasedGate` knows, without its loop."""

    name: str
    want: list[int] = field(default_factory=lambda: [0, 0, 0])
    in_use: int = 0
    held: int = 0
    target: int = 0
    valid_until: int = 0
    asked_at: int = -1
    is_cut_off: bool = False

    @property
    def free(self) -> int:
        return min(self.held, self.target) - self.in_use


class Workers(RuleBasedStateMachine):
    """Any number of workers that come, ask, use, stop and die: never more in use than the cap, nobody left short.

    A worker may be cut off from Redis, and Redis may lose what it knows; then somebody who held slots asks first.
    """

    client: redis.Redis

    @initialize()
    def start(self) -> None:
        self.now = 1_000_000
        self.keys = keys.gate(uuid.uuid4().hex)
        self.script = self.client.register_script(scripts.LEASE)
        self.workers: dict[str, Worker] = {}
        self.born = 0

    @rule()
    def a_worker_comes(self) -> None:
        if len(self.workers) < 4:
            self.born += 1
            name = f"w{self.born}"
            self.workers[name] = Worker(name)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), rank=st.integers(0, 2), more=st.integers(1, 20))
    def requests_come(self, data: st.DataObject, rank: int, more: int) -> None:
        worker = self._any(data)
        worker.want[rank] += more
        self._ask(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def requests_go_in(self, data: st.DataObject) -> None:
        worker = self._any(data)
        if self.now < worker.valid_until:
            worker.in_use += max(0, min(worker.free, sum(worker.want) - worker.in_use))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), count=st.integers(1, 10), ask=st.booleans())
    def requests_end(self, data: st.DataObject, count: int, ask: bool) -> None:
        worker = self._any(data)
        for _ in range(min(count, worker.in_use)):
            worker.in_use -= 1
            rank = next(rank for rank in range(3) if worker.want[rank])
            worker.want[rank] -= 1
        if ask:
            self._ask(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def a_worker_is_killed(self, data: st.DataObject) -> None:
        del self.workers[self._any(data).name]

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def a_worker_is_cut_off_or_reaches_redis_again(self, data: st.DataObject) -> None:
        worker = self._any(data)
        worker.is_cut_off = not worker.is_cut_off

    @precondition(lambda self: any(each.valid_until and not each.is_cut_off for each in self.workers.values()))
    @rule()
    def redis_loses_its_data(self) -> None:
        self.client.delete(*self.keys)
        self._ask(next(each for each in self.workers.values() if each.valid_until and not each.is_cut_off))

    @rule(beats=st.integers(1, 12), ms=st.sampled_from([1, 100, BEAT_MS // 2]))
    def time_passes(self, beats: int, ms: int) -> None:
        for _ in range(beats):
            self.now += ms
            for worker in self.workers.values():
                if self.now - worker.asked_at >= BEAT_MS:
                    self._ask(worker)  # a sign of life
                if self.now >= worker.valid_until and worker.in_use:
                    self._gives_up(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), age=st.integers(0, 2000))
    def a_worker_meets_congestion(self, data: st.DataObject, age: int) -> None:
        self._ask(self._any(data), congested_age=age)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), good=st.integers(1, 30))
    def a_worker_meets_good_answers(self, data: st.DataObject, good: int) -> None:
        self._ask(self._any(data), good=good)

    @precondition(lambda self: self.workers)
    @rule()
    def all_is_said_and_done(self) -> None:
        """When all have ended their surplus, all have asked and the dead are forgotten, the slots are shared out."""
        self.now += TTL_MS - 1  # everybody alive asks below; what a killed one held runs out
        for worker in self.workers.values():
            worker.in_use, worker.is_cut_off = 0, False
            self._ask(worker)
        self.now += TTL_MS // 2 + 2  # so do the beats after a loss
        for _ in range(2):
            for worker in self.workers.values():
                width = self._ask(worker)
        held = sum(worker.held for worker in self.workers.values())
        assert held == min(width, sum(sum(worker.want) for worker in self.workers.values()))
        top = [worker for worker in self.workers.values() if worker.want[0]]
        if sum(worker.want[0] for worker in top) >= width:
            assert sum(worker.held for worker in top) == width
            fair = width // len(top)
            assert all(worker.held >= min(fair, worker.want[0]) for worker in top)

    @invariant()
    def never_more_than_the_cap(self) -> None:
        if hasattr(self, "workers"):
            assert sum(worker.in_use for worker in self.workers.values()) <= CAP

    def _any(self, data: st.DataObject) -> Worker:
        return self.workers[data.draw(st.sampled_from(sorted(self.workers)))]

    def _ask(self, worker: Worker, *, good: int = 0, congested_age: int = -1) -> int:
        if worker.is_cut_off:
            return 0
        held_before = int(worker.valid_until > 0)
        args = ["c", self.now, worker.name, TTL_MS, CAP, 3, worker.in_use, *worker.want, good, congested_age, 0]
        held, target, width, _, _ = self.script(keys=self.keys, args=[*args, held_before])
        worker.held, worker.target, worker.valid_until = held, target, self.now + TTL_MS
        worker.asked_at = self.now
        return int(width)

    def _gives_up(self, worker: Worker) -> None:
        for _ in range(worker.in_use):
            worker.want[next(rank for rank in range(3) if worker.want[rank])] -= 1
        worker.in_use = 0


@pytest.fixture(scope="module")
def client(redis_server: str) -> Iterator[redis.Redis]:
    connected = redis.Redis.from_url(redis_server)
    yield connected
    connected.close()


def test_leases_keep_all_workers_within_the_cap_and_share_it_out(client: redis.Redis) -> None:
    Workers.client = client
    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=50, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_a_worker_that_leaves_gives_everything_back(client: redis.Redis, place: str) -> None:
    lease, leave = client.register_script(scripts.LEASE), client.register_script(scripts.LEAVE)
    ask = lambda worker: lease(keys=keys.gate(place), args=["c", "", worker, 5000, 5, 5, 0, 0, 0, 9, 0, -1, 0])  # noqa: E731
    assert ask("first")[0] == 5
    assert ask("second")[0] == 0
    leave(keys=keys.gate(place), args=["c", "first"])
    assert ask("second")[0] == 5
