"""Slates that somebody waits for: polled before they are published, in turn when they are many, forgotten afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

from backstop.cache import pointers
from tests.cache.conftest import cache_over, publish, settled
from tests.store.rows import DAY


def evals(redis):
    return redis.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]


def test_however_many_are_waited_for_a_look_asks_for_so_many_and_for_each_in_its_turn(
    embedded_url, redis, clock, monkeypatch
):
    monkeypatch.setattr(pointers, "FOLLOWED", 3)
    days = [DAY + dt.timedelta(days=n) for n in range(8)]

    async def run():
        publish(redis, clock, day=days[7])
        async with settled(cache_over(embedded_url, clock, poll_s=60)) as cache:
            with contextlib.ExitStack() as waiting:
                for day in days:
                    waiting.enter_context(cache.pointers.wanting(day))
                for seen in ([], [], [days[7]]):
                    before = evals(redis)
                    await cache.pointers.look()
                    assert evals(redis) - before == 3
                    assert cache.pointers.followed() == seen
                assert cache.pointers.waiting() == [*days[1:7], days[0]]
                await cache.pointers.look()
                assert evals(redis) - before == 3 + 4

    asyncio.run(run())


def test_a_day_is_waited_for_until_the_last_who_waits_has_left(embedded_url, redis, clock):
    async def run():
        async with settled(cache_over(embedded_url, clock, poll_s=60)) as cache:
            with cache.pointers.wanting(DAY):
                with contextlib.suppress(ZeroDivisionError), cache.pointers.wanting(DAY):
                    _ = 1 / 0
                assert cache.pointers.waiting() == [DAY]
            assert cache.pointers.waiting() == []

    asyncio.run(run())
