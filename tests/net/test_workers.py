"""Several workers, one Redis: the promises that hold over all processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

import pytest

from backstop.clock import FixedClock
from backstop.errors import UpstreamUnavailable
from backstop.net.breaker import BreakerTerms, Moved, State
from backstop.net.item import Answer, Priority
from backstop.net.terms import Terms
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until
from tests.net.workers import GAME, ONCE, fetchers, numbered, worker


def test_four_workers_together_never_have_26_requests_in_flight(server: FaultServer, redis_url: str) -> None:
    server.fallback = Say(delay_s=0.02)
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(worker(server.url, redis_url, name, 250)) for name in "abcd"]
        for process in workers:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert int(process.stdout.readline()) == 250
    assert len(server.heard) == 1000
    assert server.most_in_flight <= 25
    assert server.most_in_flight > 5


def test_the_slots_of_a_killed_worker_come_back(server: FaultServer, redis_url: str) -> None:
    server.fallback = Say(hold=True)
    with worker(server.url, redis_url, "killed", 25, beat_s=0.3) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        asyncio.run(until(lambda: server.in_flight >= 10))
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    server.fallback = Say()
    with worker(server.url, redis_url, "heir", 30, beat_s=0.3) as heir:
        assert heir.stdout is not None
        heir.stdout.readline()
        assert int(heir.stdout.readline()) == 30


@on_loop
async def test_a_worker_that_comes_later_gets_its_share(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.fallback = Say(delay_s=0.01)
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        long = asyncio.ensure_future(first.fetch_many(numbered(600, "first")))
        await until(lambda: len(server.heard) > 100)
        await second.fetch_many(numbered(50, "second"))
        heard = server.paths()
        assert not long.done()
        await long
    # from its first request on: how long a busy machine takes to send that one is another matter
    places = [place for place, path in enumerate(heard) if path.startswith("/second")]
    share = len(places) / (places[-1] - places[0] + 1)
    assert share > 1 / 3
    assert server.most_in_flight <= 25


@on_loop
async def test_live_games_go_before_history_over_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.fallback = Say(delay_s=0.01)
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        long = asyncio.ensure_future(first.fetch_many(numbered(800, "history")))
        await until(lambda: len(server.heard) > 100)
        before = len(server.heard)
        await second.fetch_many(numbered(100, "live", priority=Priority.LIVE))
        meanwhile = server.paths()[before:]
        assert not long.done()
        await long
    # all slots are theirs as soon as the requests under way have ended, until fewer of them wait than there are slots
    places = [place for place, path in enumerate(meanwhile) if path.startswith("/live")]
    assert sum(path.startswith("/history") for path in meanwhile[places[0] : places[74]]) <= 25


@on_loop
async def test_identical_requests_of_two_workers_share_one_call(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.on(GAME.path, Say(b'{"score":3}', hold=True))
    async with fetchers(settings, redis_url, count=3, clock=clock) as workers:
        waiting = [asyncio.ensure_future(fetcher.fetch(GAME)) for fetcher in workers]
        await until(lambda: bool(server.heard))
        server.let_go()
        answers = await asyncio.gather(*waiting)
        assert sorted(fetcher.counts()["statsapi"].joined for fetcher in workers) == [0, 1, 1]
    assert len(server.heard) == 1
    assert {answer.body for answer in answers} == {b'{"score":3}'}
    assert len({answer.content_hash for answer in answers}) == 1


@on_loop
async def test_a_failure_reaches_every_worker_that_waited_for_it(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.on(GAME.path, Say(status=500, hold=True))
    async with fetchers(settings, redis_url, count=3, clock=clock, retry_terms=ONCE) as workers:
        waiting = [asyncio.ensure_future(fetcher.fetch(GAME)) for fetcher in workers]
        await until(lambda: bool(server.heard))
        calls = [fetcher._doors._places[server.url].calls for fetcher in workers]
        await until(lambda: sum(bool(call and call._told) for call in calls) == 3)
        server.let_go()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailable] * 3
    assert len({str(outcome) for outcome in outcomes}) == 1


@on_loop
async def test_another_worker_leads_when_the_first_was_cancelled(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.on(GAME.path, Say(hold=True))
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        leader = asyncio.ensure_future(first.fetch(GAME))
        await until(lambda: len(server.heard) == 1)
        follower = asyncio.ensure_future(second.fetch(GAME))
        calls = second._doors._places[server.url].calls
        assert calls is not None
        await until(lambda: bool(calls._told))
        leader.cancel()
        server.let_go()
        assert isinstance(await follower, Answer)
        assert leader.cancelled()
    assert len(server.heard) == 2


@on_loop
async def test_one_breaker_and_one_probe_for_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.fallback = Say(status=503)
    terms = BreakerTerms(at_least=6, first_pause_s=0.3)
    moves: list[tuple[int, Moved]] = []
    async with fetchers(settings, redis_url, clock=clock, retry_terms=ONCE, breaker_terms=terms) as workers:
        for number, fetcher in enumerate(workers):
            fetcher.listen(lambda move, number=number: moves.append((number, move)))
        for n, item in enumerate(numbered(6)):
            with pytest.raises(UpstreamUnavailable):
                await workers[n % 2].fetch(item)
        await until(lambda: len(moves) == 2)
        assert [feed.breaker for feed in workers[1].health() if feed.feed == "statsapi"] == ["open"]
        asked = len(server.heard)
        server.fallback = Say(hold=True)
        waiting = [asyncio.ensure_future(w.fetch(item)) for w in workers for item in numbered(3, str(id(w)))]
        await until(lambda: len(server.heard) > asked)
        await until(lambda: sum(move.after is State.HALF_OPEN for _, move in moves) == 2)
        assert len(server.heard) == asked + 1
        server.let_go()
        await asyncio.gather(*waiting)
        await until(lambda: len(moves) == 6)
    assert len(server.heard) == asked + 6
    for number in range(2):
        seen = [(move.before, move.after) for who, move in moves if who == number]
        assert seen == [
            (State.CLOSED, State.OPEN), (State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.CLOSED),
        ]  # fmt: skip
    assert sum(move.here for _, move in moves) == 3


@on_loop
async def test_a_new_worker_knows_that_the_breaker_is_open(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.fallback = Say(status=503)
    terms = BreakerTerms(at_least=3, first_pause_s=30)
    options = {"clock": clock, "retry_terms": ONCE, "breaker_terms": terms}
    async with fetchers(settings, redis_url, 1, **options) as (first,):
        await first.fetch_many(numbered(3))
        await until(lambda: first.health()[1].breaker == "open")
        async with fetchers(settings, redis_url, 1, **options) as (second,):
            health = second.health()[1]
            assert (health.feed, health.breaker) == ("statsapi", "open")
            assert health.open_since is not None
            assert health.last_success_at is None
            assert 0 < health.retry_in_s <= 30


@on_loop
async def test_a_rate_holds_over_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    terms = {feed: Terms(per_second=20.0) for feed in Feed}
    async with fetchers(settings, redis_url, clock=clock, terms=terms) as (first, second):
        began = time.monotonic()  # the first request may be long on its way: what is spaced are the starts
        await asyncio.gather(first.fetch_many(numbered(6, "a")), second.fetch_many(numbered(6, "b")))
    assert len(server.heard) == 12
    assert max(heard.at for heard in server.heard) - began > 11 / 20 * 0.99


@on_loop
async def test_a_named_pause_holds_for_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.on(GAME.path, Say(status=429, headers=(("Retry-After", "1"),)), Say())
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        await second.fetch_many(numbered(1, "warm"))
        waiting = asyncio.ensure_future(first.fetch(GAME))
        gate = second._doors._places[server.url].gate
        await until(lambda: GAME.path in server.paths())
        await until(lambda: gate._closed_until > asyncio.get_running_loop().time())
        await second.fetch_many(numbered(1, "later"))
        await waiting
    at = {heard.target: heard.at for heard in reversed(server.heard)}
    assert at["/later/0"] - at[GAME.path] > 0.8
