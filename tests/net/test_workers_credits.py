"""Several workers, one paid account: what is left of it, and what one that comes later knows."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import OutOfCredits
from backstop.net.item import Item
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until
from tests.net.workers import fetchers, numbered


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
