"""The promises that hold over all workers, kept in a Redis Cluster: every script's keys lie in one slot."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from backstop import telemetry
from backstop.clock import FixedClock
from backstop.net import keys
from backstop.net.breaker import BreakerTerms, Moved, State
from backstop.net.bridge import Bridge
from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.net.meter import Counts
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from backstop.store.connection import connect_async
from tests.net.server import FaultServer, Say, on_loop, until
from tests.store.servers import cluster

ONCE = RetryTerms(attempts=1)
QUICKLY_OPEN = BreakerTerms(at_least=3, first_pause_s=30)


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("cluster"), "valkey") as url:
        yield url


def game(number: int) -> Item:
    return Item(Feed.STATSAPI, "core_games", str(number), f"/api/v1/game/{number}")


@on_loop
async def test_two_workers_on_a_cluster_share_calls_slots_and_counts(
    cluster_url: str, server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    shared = settings.model_copy(update={"redis_url": cluster_url})
    server.fallback = Say(b"{}", delay_s=0.02)
    async with contextlib.AsyncExitStack() as stack:
        workers = []
        for _ in range(2):
            client = await connect_async(shared)
            stack.push_async_callback(client.aclose)
            assert isinstance(client, RedisCluster)
            workers.append(await stack.enter_async_context(Fetcher(shared, clock=clock, redis=client)))
        items = [game(number) for number in range(60)]
        outcomes = await asyncio.gather(*(worker.fetch_many(items) for worker in workers))
        assert all(getattr(answer, "status", None) == 200 for each in outcomes for answer in each)
        assert len(server.heard) == 60
        assert server.most_in_flight <= 25
        totals = [(await worker.totals())["statsapi"] for worker in workers]
        both = [worker.counts()["statsapi"] for worker in workers]
    assert totals[1].items == sum(each.items for each in both) == 120
    assert totals[1].requests == 60


@on_loop
async def test_one_breaker_for_all_workers_of_a_cluster(
    cluster_url: str, server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    shared = settings.model_copy(update={"redis_url": cluster_url})
    server.fallback = Say(status=503)
    async with contextlib.AsyncExitStack() as stack:
        workers = []
        for _ in range(2):
            client = await connect_async(shared)
            stack.push_async_callback(client.aclose)
            fetcher = Fetcher(shared, clock=clock, redis=client, retry_terms=ONCE, breaker_terms=QUICKLY_OPEN)
            workers.append(await stack.enter_async_context(fetcher))
        await workers[0].fetch_many([game(number) for number in range(3)])
        await until(lambda: all(_breaker(worker) == "open" for worker in workers))


@on_loop
async def test_what_every_worker_counted_outlives_the_worker(
    redis_url: str, server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    seen: list[Counts] = []
    for _ in range(2):
        redis = Redis.from_url(redis_url)
        async with Fetcher(settings, clock=clock, redis=redis) as fetcher:
            await fetcher.fetch_many([game(number) for number in range(4)])
            seen.append((await fetcher.totals())["statsapi"])
            seen.append((await fetcher.totals())["statsapi"])
        assert await redis.pttl(keys.counts(server.url, "statsapi")) > 0
        await redis.aclose()
    assert [each.answers for each in seen] == [4, 4, 8, 8]


def test_a_transition_of_a_breaker_is_an_event_that_anybody_may_listen_for(
    server: FaultServer, settings: Settings
) -> None:
    server.fallback = Say(status=503)
    moves: list[Moved] = []
    with (
        telemetry.listening(moves.append, Moved),
        Bridge(settings, retry_terms=ONCE, breaker_terms=dataclasses.replace(QUICKLY_OPEN)) as bridge,
    ):
        bridge.fetch_many([game(number) for number in range(3)])
    assert [(move.feed, move.before, move.after) for move in moves] == [("statsapi", State.CLOSED, State.OPEN)]


def _breaker(fetcher: Fetcher) -> str:
    return next(health.breaker for health in fetcher.health() if health.feed == "statsapi")
