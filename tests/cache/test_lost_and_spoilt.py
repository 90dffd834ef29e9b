"""Redis that lost its last seconds, spoilt values in the second level, foreign messages: readers get right values or none older."""

from __future__ import annotations

import asyncio
import datetime as dt
import random

import pytest

from backstop.cache.keys import code
from backstop.cache.namespaces import Collection, Namespace
from backstop.cache.shared import PACKED, PLAIN
from backstop.cache.slates import Slates
from backstop.errors import StoreError
from backstop.store import keys
from tests.cache.conftest import cache_over, publish, settled, until
from tests.store.rows import DAY


def turned_back(redis, to):
    """Put the pointer back where it was, as a server does that lost its last second of writes."""
    current = keys.SlateKeys(DAY).current
    redis.delete(current)
    redis.hset(current, mapping=to)


def test_a_server_that_lost_its_last_seconds_takes_nobody_back_and_is_believed_again_once_it_has_passed_them(
    embedded_url, redis, clock
):
    async def run():
        publish(redis, clock)
        before = redis.hgetall(keys.SlateKeys(DAY).current)
        publish(redis, clock, seed=2)
        async with settled(cache_over(embedded_url, clock, poll_s=0.05)) as cache:
            slates = Slates(cache)
            pointer, _ = await cache.read(DAY, slates.about)
            assert (pointer.version, cache.pointers.freshness(pointer).state) == (2, "fresh")
            turned_back(redis, before)
            await until(lambda: cache.pointers.counts.refused)
            kept, about = await cache.read(DAY, slates.about)
            assert (kept.version, about.meta) == (2, {"seed": 2})
            assert cache.pointers.freshness(kept).state == "stale"
            assert not cache.pointers.freshness(kept).confirmed
            # turns count the server's microseconds: the next flip is past the lost one, whatever the pointer forgot
            moved = []
            cache.pointers.listeners.append(lambda old, new: moved.append((old.version, new.version)))
            await asyncio.to_thread(publish, redis, clock, seed=3)
            await until(lambda: cache.pointers.freshness(cache.pointers.known(DAY)).state == "fresh")
            now, about = await cache.read(DAY, slates.about)
            assert now.turn > kept.turn
            assert about.meta == {"seed": 3}
            assert moved == [(kept.version, now.version)]

    asyncio.run(run())


def test_a_server_that_lost_everything_leaves_what_is_known_as_stale(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock, poll_s=0.05)) as cache:
            slates = Slates(cache)
            await cache.read(DAY, lambda at: slates.rows(at, "props", [600_001]))
            redis.flushall()
            await until(lambda: not cache.pointers.freshness(cache.pointers.known(DAY)).confirmed)
            pointer, rows = await cache.read(DAY, lambda at: slates.rows(at, "props", [600_001]))
            assert rows[600_001]
            assert cache.pointers.freshness(pointer).state == "stale"

    asyncio.run(run())


def test_a_message_about_an_older_slate_that_nobody_reads_is_not_looked_at(embedded_url, redis, clock):
    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock, poll_s=60)) as cache:
            await cache.pointers.pointer(DAY)
            publish(redis, clock, day=DAY - dt.timedelta(days=1), seed=2)
            publish(redis, clock, day=DAY + dt.timedelta(days=1), seed=3)
            await until(lambda: cache.pointers.known(DAY + dt.timedelta(days=1)) is not None)
            assert cache.pointers.followed() == [DAY, DAY + dt.timedelta(days=1)]
            assert (cache.pointers.counts.heard, cache.pointers.counts.polls) == (2, 0)

    asyncio.run(run())


def value_of(version, name):
    """What the values under test are: some short, some long, some not there."""
    if int(name) % 5 == 0:
        return None
    return f"{version}:{name};".encode() * (1 + 40 * (int(name) % 3))


def spoilt(rng, stored):
    """Bytes that are no value of ours any more."""
    cut = stored[: rng.randrange(len(stored))] if stored[:1] == PACKED else b""
    return rng.choice([b"", b"?" + stored, PACKED + b"not a frame", PACKED + rng.randbytes(30), cut])


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_lost_spoilt_or_flipped_a_reader_gets_his_versions_values(embedded_url, redis, clock, seed):
    rng = random.Random(seed)
    names = [str(n) for n in range(12)]
    at = [0.0]

    async def load(pointer, wanted):
        await asyncio.sleep(0)
        return [value_of(pointer.version, name) for name in wanted]

    def drop():
        for key in redis.keys("*:cache:*"):
            redis.delete(key)

    def spoil():
        for key in redis.keys("*:cache:*"):
            redis.set(key, spoilt(rng, redis.get(key)), keepttl=True)

    def wait():
        at[0] += rng.choice([1.0, 3600.0, 2 * 24 * 3600.0])

    seeds = iter(range(2, 100))
    strikes = [drop, spoil, spoil, wait, lambda: publish(redis, clock, seed=next(seeds)), lambda: None]

    async def run():
        publish(redis, clock)
        collection = Collection("test.values", Namespace.METADATA, load, shared=True)
        caches = [cache_over(embedded_url, clock, now=lambda: at[0], max_bytes=40_000, poll_s=60) for _ in range(2)]
        async with settled(caches[0]), settled(caches[1]):
            for cache in caches:
                cache.add(collection)
            for _ in range(30):
                rng.choice(strikes)()
                cache = rng.choice(caches)
                await cache.pointers.look([DAY])
                some = rng.sample(names, rng.randint(1, 6))
                pointer, found = await cache.read(DAY, lambda p, c=cache, s=some: c.get_many("test.values", p, s))
                assert found == {name: value_of(pointer.version, name) for name in some}
                one = await cache.get("test.values", pointer, some[0])
                assert one == value_of(pointer.version, some[0])
            counts = [cache.loads.shared.counts for cache in caches]
            assert sum(each.hits for each in counts)
            assert sum(each.misses for each in counts)

    asyncio.run(run())
    assert all(0 < redis.ttl(key) <= Namespace.METADATA.lifetime_s for key in redis.keys("*:cache:*"))


def test_a_value_that_is_spoilt_into_a_plain_one_is_not_ours_to_tell(embedded_url, redis, clock):
    """What begins as a plain value is believed: the second level guards against damage of its frames, not of Redis."""

    async def run():
        publish(redis, clock)
        async with settled(cache_over(embedded_url, clock)) as cache:

            async def load(pointer, wanted):
                raise AssertionError("it was in the second level")

            cache.add(Collection("test.values", Namespace.METADATA, load, shared=True))
            pointer = await cache.pointers.pointer(DAY)
            key = f"bs:mlb:{{{DAY}}}:cache:{pointer.version}-{pointer.published_us}:{code()}:test.values:a"
            redis.set(key, PLAIN + b"as it is", ex=60)
            assert await cache.get("test.values", pointer, "a") == b"as it is"

    asyncio.run(run())


@pytest.mark.parametrize(
    "spoil", [("hdel", "published_at"), ("hset", "published_at", "soon"), ("hset", "version", "x")]
)
def test_a_pointer_that_somebody_spoilt_leaves_what_it_led_to_stale_and_all_others_followed(
    embedded_url, redis, clock, spoil
):
    async def run():
        other = DAY + dt.timedelta(days=1)
        publish(redis, clock)
        publish(redis, clock, day=other)
        async with settled(cache_over(embedded_url, clock, poll_s=0.05)) as cache:
            pointers = cache.pointers
            for day in (DAY, other):
                await pointers.pointer(day)
            how, *field = spoil
            getattr(redis, how)(keys.SlateKeys(other).current, *field)
            await until(lambda: pointers.freshness(pointers.known(other)).state == "stale")
            redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await asyncio.to_thread(publish, redis, clock, seed=2)
            await until(lambda: pointers.known(DAY).version == 2)
            polls = pointers.counts.polls
            await until(lambda: pointers.counts.polls > polls + 1)
            assert pointers.freshness(pointers.known(DAY)).state == "fresh"
            assert pointers.known(other).version == 1

    asyncio.run(run())


def test_who_asks_for_a_slate_whose_pointer_is_spoilt_is_told_what_was_found_and_a_publish_mends_it(
    embedded_url, redis, clock
):
    async def run():
        publish(redis, clock)
        redis.hdel(keys.SlateKeys(DAY).current, "published_at")
        async with settled(cache_over(embedded_url, clock, poll_s=0.05)) as cache:
            with pytest.raises(
                StoreError, match=r"2025-06-15 is spoilt: .*'published_at': None.*Publish the day again"
            ):
                await cache.pointers.pointer(DAY)
            publish(redis, clock, seed=2)
            assert (await cache.pointers.pointer(DAY)).version == 2

    asyncio.run(run())
