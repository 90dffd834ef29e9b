"""One call for workers that ask alike, also when its answer is large, its leader fails, gives up or was never there."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from backstop.errors import RateLimited, StoreUnavailable, UpstreamMalformed, UpstreamRefused
from backstop.net import calls
from backstop.net.archive import Archive
from backstop.net.calls import SharedCalls
from backstop.net.content import name_of
from backstop.net.item import Answer, Item
from backstop.net.link import Link
from backstop.settings import Feed
from tests.net.server import on_loop, until

NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
ITEM = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule")
NOISE = random.Random(3).randbytes(4_000)


def answered(body: bytes = b'{"a": 1}') -> Answer:
    headers = (("etag", '"x"'), ("x-requests-remaining", "7"))
    return Answer(ITEM, 200, body, NOON, name_of(body), headers, attempts=3, revalidated=True)


class Calls(SharedCalls):
    """Calls that say how often Redis answered a claim of theirs."""

    answered = 0

    async def _claim(self, name: str, *, waited: bool) -> Any:
        verdict = await super()._claim(name, waited=waited)
        self.answered += 1
        return verdict


@contextlib.asynccontextmanager
async def worker(redis_url: str, place: str, archive: Archive | None = None) -> AsyncIterator[Calls]:
    redis = Redis.from_url(redis_url)
    link = Link(redis, beat_s=0.05)
    shared = Calls(place, link, archive, window_s=5)
    await link.open()
    await shared.open()
    try:
        yield shared
    finally:
        await link.close()
        await redis.aclose()


async def never() -> Answer:
    raise AssertionError("a second worker asked")


@on_loop
async def test_who_comes_within_the_window_gets_the_whole_answer_of_another_worker(redis_url: str, place: str) -> None:
    async with worker(redis_url, place) as one, worker(redis_url, place) as two:

        async def lead() -> Answer:
            return answered()

        assert await one.share(ITEM, lead) == (answered(), False)
        assert await two.share(ITEM, never) == (answered(), True)


@on_loop
async def test_who_comes_while_another_asks_waits_for_its_answer(redis_url: str, place: str) -> None:
    async with worker(redis_url, place) as one, worker(redis_url, place) as two:
        go = asyncio.Event()

        async def lead() -> Answer:
            await go.wait()
            return answered()

        first = asyncio.create_task(one.share(ITEM, lead))
        await until(lambda: ITEM.fingerprint in one._leading)
        second = asyncio.create_task(two.share(ITEM, never))
        await until(lambda: two.answered == 1)
        go.set()
        assert await first == (answered(), False)
        assert await second == (answered(), True)
        assert two._told == {}


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("slow down", source="statsapi", retry_after_s=7.5),
        UpstreamRefused("no such day — ü | |", source="statsapi"),
        UpstreamMalformed("cut", source="statsapi"),
    ],
)
@on_loop
async def test_a_failure_is_told_to_those_who_wait_with_all_it_says(
    redis_url: str, place: str, error: RateLimited
) -> None:
    async with worker(redis_url, place) as one, worker(redis_url, place) as two:
        go = asyncio.Event()

        async def lead() -> Answer:
            await go.wait()
            raise error

        first = asyncio.create_task(one.share(ITEM, lead))
        await until(lambda: ITEM.fingerprint in one._leading)
        second = asyncio.create_task(two.share(ITEM, never))
        await until(lambda: two.answered == 1)
        go.set()
        with pytest.raises(type(error)):
            await first
        with pytest.raises(type(error)) as caught:
            await second
        assert (caught.value.message, caught.value.source) == (error.message, "statsapi")
        assert caught.value.retry_after_s == error.retry_after_s


@on_loop
async def test_a_leader_that_is_cancelled_leaves_the_call_to_the_one_who_waits(redis_url: str, place: str) -> None:
    async with worker(redis_url, place) as one, worker(redis_url, place) as two:

        async def stuck() -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        async def lead() -> Answer:
            return answered(b"mine")

        first = asyncio.create_task(one.share(ITEM, stuck))
        await until(lambda: ITEM.fingerprint in one._leading)
        second = asyncio.create_task(two.share(ITEM, lead))
        await until(lambda: two.answered == 1)
        first.cancel()
        assert (await second)[0].body == b"mine"
        with pytest.raises(asyncio.CancelledError):
            await first


@pytest.mark.parametrize("has_archive", ["shared", "another", "damaged", "none"])
@on_loop
async def test_an_answer_too_large_for_redis_is_read_from_the_archive_or_asked_for_again(
    redis_url: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_archive: str
) -> None:
    monkeypatch.setattr(calls, "LARGEST_BYTES", 1_000)
    shared = Archive(tmp_path / "shared")
    shared.put(ITEM, NOISE, fetched_at=NOON, headers=(), status=200)
    if has_archive == "damaged":
        shared._object_path(name_of(NOISE)).write_bytes(b"no frame")
    mine = {"another": Archive(tmp_path / "another"), "none": None}.get(has_archive, shared)
    asked = []

    async def lead() -> Answer:
        asked.append(1)
        return answered(NOISE)

    async with worker(redis_url, place, shared) as one, worker(redis_url, place, mine) as two:
        assert (await one.share(ITEM, lead))[1] is False
        answer, shared_call = await two.share(ITEM, lead)
    assert answer.body == NOISE
    assert shared_call is (has_archive == "shared")
    assert len(asked) == (1 if has_archive == "shared" else 2)


@on_loop
async def test_a_worker_with_an_archive_of_its_own_keeps_what_another_was_told(
    redis_url: str, place: str, tmp_path: Path
) -> None:
    mine = Archive(tmp_path / "mine")

    async def lead() -> Answer:
        return answered()

    async with worker(redis_url, place) as one, worker(redis_url, place, mine) as two:
        await one.share(ITEM, lead)
        await two.share(ITEM, never)
    known = mine.last(ITEM)
    assert known is not None
    assert (known.fetched_at, known.header("etag")) == (NOON, '"x"')
    assert mine.body(known.content_hash) == answered().body


@on_loop
async def test_an_answer_that_says_the_same_as_another_ones_is_noted_for_its_own_request(
    redis_url: str, place: str, tmp_path: Path
) -> None:
    """Two days without games have one body; a replay asks by request."""
    mine = Archive(tmp_path / "mine")
    other = dataclasses.replace(ITEM, key="another", path="/another")
    mine.put(other, answered().body, fetched_at=NOON, headers=(), status=200)

    async def lead() -> Answer:
        return answered()

    async with worker(redis_url, place) as one, worker(redis_url, place, mine) as two:
        await one.share(ITEM, lead)
        await two.share(ITEM, never)
    assert [mine.latest(item).body for item in (ITEM, other)] == [answered().body] * 2  # type: ignore[union-attr]


@on_loop
async def test_without_redis_the_caller_is_told_and_nothing_is_left_waiting(place: str) -> None:
    shared = SharedCalls(place, Link(Redis(host="127.0.0.1", port=9)), None)
    with pytest.raises(StoreUnavailable):
        await shared.share(ITEM, never)
    assert (shared._told, shared._leading) == ({}, set())
