"""Slates read through the cache: what was published and nothing else, or a sentence that the version is gone."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from polars.testing import assert_frame_equal

from backstop.cache.cache import VersionGone
from backstop.cache.slates import Slates
from backstop.errors import StoreError
from backstop.store import keys
from backstop.store.loader import SlateWriter
from tests.cache.conftest import CUTOFF, cache_over, publish, settled
from tests.store.rows import DAY, features, props

NEXT = DAY + dt.timedelta(days=1)


@pytest.fixture
def read(embedded_url, clock):
    """Run a coroutine function with slates over a cache of its own."""

    def read(body):
        async def run():
            async with settled(cache_over(embedded_url, clock)) as cache:
                return await body(Slates(cache))

        return asyncio.run(run())

    return read


async def served(slates, day=DAY):
    return await slates.cache.pointers.pointer(day)


def test_days_are_those_whose_version_is_there(redis, clock, read):
    publish(redis, clock)
    publish(redis, clock, day=NEXT, cutoff=CUTOFF + dt.timedelta(days=1))
    redis.zadd(keys.days(), {(DAY + dt.timedelta(days=2)).isoformat(): 9})  # listed, not flipped yet

    async def body(slates):
        before = await slates.days()
        redis.unlink(keys.SlateKeys(DAY).meta(1))
        slates._forget_days()
        return before, await slates.days()

    assert read(body) == ((DAY, NEXT), (NEXT,))


def test_nothing_published_is_no_day_and_no_version(redis, read):
    async def body(slates):
        return await slates.days(), await served(slates), await slates.version(DAY, 1), await slates.versions(DAY)

    assert read(body) == ((), None, None, [])


def test_a_kept_version_is_read_whatever_is_served_and_one_that_is_not_kept_is_none(redis, clock, read):
    for seed in (1, 2, 3):
        publish(redis, clock, seed=seed)

    async def body(slates):
        first, last = await slates.version(DAY, 1), await slates.version(DAY, 3)
        assert (first.version, last) == (1, await served(slates))
        assert [(await slates.about(each)).meta["seed"] for each in (first, last)] == [1, 3]
        assert first.edition != last.edition
        return await slates.versions(DAY), await slates.version(DAY, 4), await slates.frame(first, "props")

    listed, absent, frame = read(body)
    assert (listed, absent) == ([1, 2, 3], None)
    assert_frame_equal(frame, props(30, seed=1, lines=1).sort("player_id_mlbam", "prop_id"), check_column_order=False)


@pytest.mark.parametrize("codec", ["plain", "zstd"])
def test_rows_and_frames_are_what_was_published(redis, clock, read, codec):
    writer, some, more = SlateWriter(redis, clock, codec=codec), features(30), props(30, lines=1)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r", rows={"props": 40_000})
    writer.load(draft, "features", some)
    writer.load(draft, "props", more)
    writer.publish(draft, {"features": len(some), "props": len(more)}, {})

    async def body(slates):
        pointer = await served(slates)
        players = [600_000, 600_007, 1]
        return (
            await slates.rows(pointer, "props", players),
            await slates.frame(pointer, "features"),
            await slates.values(pointer, "props", ["1", "600000"]),
        )

    rows, frame, values = read(body)
    columns = ["player_id_mlbam", *(name for name in more.columns if name != "player_id_mlbam")]
    mine = more.filter(player_id_mlbam=600_007).sort("prop_id").select(columns).to_dicts()
    assert (rows[600_007], rows[1]) == (mine, [])
    assert_frame_equal(frame, some.sort("player_id_mlbam", "game_pk", "role"), check_column_order=False)
    assert (values[0], values[1] is None) == (None, False)


def test_a_version_of_one_kind_alone_has_no_rows_of_the_other(redis, clock, read):
    writer, more = SlateWriter(redis, clock), props(5)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r")
    writer.load(draft, "props", more)
    writer.publish(draft, {"props": len(more)}, {})

    async def body(slates):
        pointer = await served(slates)
        assert await slates.rows(pointer, "features", [600_000]) == {600_000: []}
        assert await slates.values(pointer, "features", ["600000"]) == [None]
        return await slates.read_frame(pointer, "features")

    assert read(body).shape == (0, 0)


@pytest.mark.parametrize("lost", ["the meta", "a hash of rows", "a player"])
def test_a_version_that_lost_something_is_gone_and_nothing_of_it_is_given_out(redis, clock, read, lost):
    publish(redis, clock)
    slate = keys.SlateKeys(DAY)

    async def body(slates):
        pointer = await served(slates)
        assert (await slates.about(pointer)).rows["props"] > 0
        if lost == "the meta":
            redis.unlink(slate.meta(1))
        elif lost == "a hash of rows":
            redis.unlink(slate.rows(1, "props", 0))
        else:
            redis.hdel(slate.rows(1, "props", 0), "600000")
        with pytest.raises(VersionGone, match=f"Version 1 of {DAY} is not in Redis any more"):
            await slates.read_frame(pointer, "props")
        if lost == "the meta":
            with pytest.raises(VersionGone):
                await slates.values(pointer, "props", ["600000"])

    read(body)


def test_a_version_of_the_same_number_after_a_loss_is_not_taken_for_the_one_before(redis, clock, read):
    publish(redis, clock, seed=1)

    async def body(slates):
        pointer = await served(slates)
        redis.flushall()
        clock.at += dt.timedelta(seconds=5)
        assert publish(redis, clock, seed=2) == pointer.version
        with pytest.raises(StoreError):
            await slates.read_frame(pointer, "props")

    read(body)
