from __future__ import annotations

import asyncio
import datetime as dt
import signal
import time

import pytest
from redis import Redis

from backstop.cache.cache import Cache
from backstop.cache.namespaces import Collection, Namespace
from backstop.cache.slates import ROWS, Slates
from backstop.errors import StoreUnavailable, UsageError
from backstop.store.slates import Slates as Versions
from tests.cache.conftest import cache_over, line_to, publish, settled, until
from tests.store.rows import DAY
from tests.store.servers import Server

PLAYERS = [str(600_000 + n) for n in range(30)]


def counted(loads, *, slow_s=0.0, shared=False, fail=None):
    async def load(pointer, names):
        loads.append((pointer.version, tuple(names)))
        await asyncio.sleep(slow_s)
        if fail:
            raise fail[0]
        return [f"{pointer.version}:{name}".encode() * 50 for name in names]

    return Collection("test.values", Namespace.METADATA, load, shared=shared)


def test_many_readers_who_miss_together_cause_one_load(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        loads = []
        async with settled(cache_over(embedded_url, clock)) as cache:
            cache.add(counted(loads, slow_s=0.02))
            pointer = await cache.pointers.pointer(DAY)
            values = await asyncio.gather(*(cache.get("test.values", pointer, "a") for _ in range(50)))
            assert len(set(values)) == 1
            assert cache.loads.joined == 49
            assert cache.loads.made["test.values"] == 1
        return loads

    assert asyncio.run(run()) == [(1, ("a",))]


def test_a_reader_who_leaves_does_not_take_the_value_from_the_others(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock)) as cache:
            cache.add(counted([], slow_s=0.05))
            pointer = await cache.pointers.pointer(DAY)
            first = asyncio.create_task(cache.get("test.values", pointer, "a"))
            second = asyncio.create_task(cache.get("test.values", pointer, "a"))
            await asyncio.sleep(0)
            first.cancel()
            assert (await second).startswith(b"1:a")

    asyncio.run(run())


def test_a_load_that_fails_fails_everybody_who_waited_and_is_tried_again_afterwards(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        fail = [UsageError("no")]
        async with settled(cache_over(embedded_url, clock)) as cache:
            cache.add(counted([], fail=fail))
            pointer = await cache.pointers.pointer(DAY)
            answers = await asyncio.gather(
                *(cache.get("test.values", pointer, "a") for _ in range(3)), return_exceptions=True
            )
            assert all(isinstance(each, UsageError) for each in answers)
            fail.clear()
            assert await cache.get("test.values", pointer, "a")

    asyncio.run(run())


def test_what_one_process_made_another_reads_compressed_from_redis(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        mine, theirs = [], []
        one, two = cache_over(embedded_url, clock), cache_over(embedded_url, clock)
        async with settled(one), settled(two):
            for cache, loads in ((one, mine), (two, theirs)):
                cache.add(counted(loads, shared=True))
                pointer = await cache.pointers.pointer(DAY)
                value = await cache.get("test.values", pointer, "a")
            assert value == b"1:a" * 50
            assert mine
            assert not theirs
            assert (one.loads.shared.counts.misses, two.loads.shared.counts.hits) == (1, 1)
            assert (one.misses["test.values"], two.misses["test.values"]) == (1, 1)
            keys = list(redis.keys("*cache*"))
            assert len(keys) == 1
            assert 0 < redis.ttl(keys[0]) <= Namespace.METADATA.lifetime_s

    asyncio.run(run())


def test_a_collection_is_known_by_one_name_only(embedded_url, clock):
    cache = cache_over(embedded_url, clock)
    cache.add(counted([]))
    with pytest.raises(UsageError, match=r"test\.values"):
        cache.add(counted([]))


def test_a_publish_changes_what_every_process_reads_without_waiting_for_its_poll(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        caches = [cache_over(embedded_url, clock, poll_s=60) for _ in range(3)]
        async with settled(caches[0]), settled(caches[1]), settled(caches[2]):
            slates = [Slates(cache) for cache in caches]
            for room in slates:
                await room.cache.read(
                    DAY, lambda pointer, room=room: room.rows(pointer, "props", range(600_000, 600_030))
                )
            for seed in range(2, 7):
                version = await asyncio.to_thread(publish, redis, clock, seed=seed)
                for room in slates:
                    await until(lambda room=room, v=version: room.cache.pointers.known(DAY).version == v)
            assert all(cache.pointers.counts.polls == 0 for cache in caches)

    asyncio.run(run())


def test_what_was_hot_is_read_again_at_the_flip_so_that_nobody_misses_after_it(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock)) as cache:
            slates = Slates(cache)
            for _ in range(2):
                await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", range(600_000, 600_030)))
            publish(redis, clock, seed=2)
            await until(lambda: cache.pointers.known(DAY).version == 2 and cache.carried >= 30)
            missed = cache.misses[ROWS["props"]]
            pointer, rows = await cache.read(DAY, lambda at: slates.rows(at, "props", range(600_000, 600_030)))
            assert pointer.version == 2
            assert cache.misses[ROWS["props"]] == missed
            fresh = Versions(redis).rows(DAY, 2, "props")
            ours = {row["prop_id"]: row["prob_over"] for each in rows.values() for row in each}
            assert ours == dict(fresh.select("prop_id", "prob_over").iter_rows())

    asyncio.run(run())


def test_the_first_version_of_a_new_slate_is_read_ahead_for_those_who_read_the_slate_before(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock)) as cache:
            slates = Slates(cache)
            await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", range(600_000, 600_030)))
            tomorrow = DAY + dt.timedelta(days=1)
            publish(redis, clock, day=tomorrow, seed=3)
            await until(lambda: cache.carried >= 30)
            missed = cache.misses[ROWS["props"]]
            await cache.read(tomorrow, lambda pointer: slates.rows(pointer, "props", range(600_000, 600_030)))
            assert cache.misses[ROWS["props"]] == missed

    asyncio.run(run())


def test_a_rollback_is_newer_than_what_it_replaces(embedded_url, redis, clock):
    async def run():
        for seed in (1, 2):
            publish(redis, clock, seed=seed)
        async with settled(cache_over(embedded_url, clock)) as cache:
            before = await cache.pointers.pointer(DAY)
            Versions(redis).rollback(DAY)
            await until(lambda: cache.pointers.known(DAY).version == 1)
            assert cache.pointers.known(DAY).turn > before.turn
            assert cache.pointers.counts.refused == 0

    asyncio.run(run())


def test_a_read_that_a_flip_overtakes_is_done_again_on_the_new_version(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        seen = []
        async with settled(cache_over(embedded_url, clock)) as cache:

            async def slowly(pointer):
                seen.append(pointer.version)
                if len(seen) == 1:
                    await asyncio.to_thread(publish, redis, clock, seed=2)
                    await until(lambda: cache.pointers.known(DAY).version == 2)
                return pointer.version

            pointer, answer = await cache.read(DAY, slowly)
            assert (pointer.version, answer) == (2, 2)
            assert cache.retried == 1
        return seen

    assert asyncio.run(run()) == [1, 2]


def test_a_slate_that_was_never_published_is_none_and_is_found_once_it_is(embedded_url, redis, clock):
    async def run():
        async with settled(cache_over(embedded_url, clock)) as cache:
            slates = Slates(cache)
            assert await cache.read(DAY, slates.about) is None
            assert await slates.days() == ()
            publish(redis, clock)
            pointer, about = await cache.read(DAY, slates.about)
            assert (pointer.version, about.meta) == (1, {"seed": 1})
            await until(lambda: slates._listed is None)
            assert await slates.days() == (DAY,)

    asyncio.run(run())


def test_with_redis_gone_what_is_cached_is_stale_and_what_is_not_is_an_error_until_it_is_back(tmp_path, clock):
    async def run():
        with Server(tmp_path / "redis", appendonly="yes", appendfsync="always") as server:
            client = Redis.from_url(server.url)
            publish(client, clock)
            async with settled(cache_over(server.url, clock, poll_s=0.2)) as cache:
                slates = Slates(cache)
                pointer, _ = await cache.read(DAY, lambda at: slates.rows(at, "props", [600_001]))
                assert cache.pointers.freshness(pointer).state == "fresh"
                server.kill()
                await until(lambda: not cache.line.up)
                pointer, rows = await cache.read(DAY, lambda at: slates.rows(at, "props", [600_001]))
                assert rows[600_001]
                assert cache.pointers.freshness(pointer).state == "stale"
                assert cache.pointers.freshness(pointer).age_s >= 0
                with pytest.raises(StoreUnavailable, match="cannot be read"):
                    await cache.read(DAY, lambda at: slates.rows(at, "props", [600_002]))
                with pytest.raises(StoreUnavailable):
                    await cache.read(DAY + dt.timedelta(days=1), slates.about)
                server.start()
                await until(lambda: cache.line.up)
                await until(lambda: cache.pointers.freshness(cache.pointers.known(DAY)).state == "fresh")
                _, rows = await cache.read(DAY, lambda at: slates.rows(at, "props", [600_002]))
                assert rows[600_002]
                # and it hears again
                await until(lambda: cache.pointers.counts.resubscribed > 1)
                await asyncio.to_thread(publish, client, clock, seed=2)
                await until(lambda: cache.pointers.known(DAY).version == 2)
            client.close()

    asyncio.run(run())


def test_an_expired_value_is_served_as_stale_while_redis_is_gone(tmp_path, clock):
    async def run():
        at = [0.0]
        with Server(tmp_path / "redis") as server:
            client = Redis.from_url(server.url)
            publish(client, clock)
            cache = Cache(
                line_to(server.url),
                clock,
                used=lambda: 0.1,
                now=lambda: time.monotonic() + at[0],
            )
            async with settled(cache):
                slates = Slates(cache)
                await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", [600_001]))
                server.kill()
                await until(lambda: not cache.line.up)
                at[0] = 2 * 24 * 3600.0
                pointer, rows = await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", [600_001]))
                assert rows[600_001]
                assert cache.memory.counts.expired
                assert cache.pointers.freshness(pointer).state == "stale"
            client.close()

    asyncio.run(run())


def test_a_cache_opens_without_redis_and_finds_it_when_it_comes(tmp_path, clock):
    async def run():
        server = Server(tmp_path / "redis")
        async with cache_over(server.url, clock, poll_s=0.2) as cache:
            slates = Slates(cache)
            with pytest.raises(StoreUnavailable):
                await slates.days()
            with server:
                await until(lambda: cache.line.up)
                assert await slates.days() == ()

    asyncio.run(run())


def test_a_server_that_hangs_is_treated_as_gone_and_taken_back(tmp_path, clock):
    async def run():
        with Server(tmp_path / "redis") as server:
            client = Redis.from_url(server.url)
            publish(client, clock)
            async with settled(cache_over(server.url, clock, poll_s=0.2, answer_s=60.0)) as cache:
                slates = Slates(cache)
                await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", [600_001]))
                server.process.send_signal(signal.SIGSTOP)
                cache.line.answer_s = 0.3  # not before: a server that lives may be slow on a busy machine
                try:
                    await until(lambda: not cache.line.up)
                    refused = asyncio.ensure_future(
                        cache.read(DAY, lambda pointer: slates.rows(pointer, "props", [600_002]))
                    )
                    for _ in range(50):  # turns of the loop, no time: nobody waits for the server
                        await asyncio.sleep(0)
                    assert isinstance(refused.exception(), StoreUnavailable)
                finally:
                    server.process.send_signal(signal.SIGCONT)
                cache.line.answer_s = 60.0
                await until(lambda: cache.line.up)
                _, rows = await cache.read(DAY, lambda pointer: slates.rows(pointer, "props", [600_002]))
                assert rows[600_002]
            client.close()

    asyncio.run(run())
