"""Several workers and a Redis that goes away, comes back or forgets: nobody asks uncounted, and no answer is lost."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from redis.asyncio import Redis

from backstop.clock import FixedClock
from backstop.errors import StoreUnavailable
from backstop.net import keys
from backstop.net.archive import Archive
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Item, Priority
from backstop.net.lease import LeasedGate
from backstop.net.link import Link
from backstop.net.terms import Terms
from backstop.settings import Feed, Settings
from scripts.keys import network
from tests.net.server import FaultServer, Say, on_loop, until
from tests.net.workers import GAME, alone, fetchers, numbered


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
