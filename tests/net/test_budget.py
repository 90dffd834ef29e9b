from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import OutOfCredits
from backstop.net.budget import Balance, Budget, balance, estimate
from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until


def odds(key: str, cost: int = 8) -> Item:
    return Item(Feed.THEODDS, "core_quotes", key, f"/v4/odds/{key}", credits=cost)


def word(left: int, used: int) -> dict[str, str]:
    return {"x-requests-remaining": str(left), "x-requests-used": str(used), "x-requests-last": "8"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (word(498, 2), Balance(498, 2)),
        ({"x-requests-remaining": "498.0", "x-requests-used": "2.0"}, Balance(498, 2)),
        ({"x-plan-quota-allotted": "1000", "x-plan-quota-current": "422"}, Balance(578, 422)),
        ({}, None),
        ({"x-requests-remaining": "498"}, None),
        ({"x-requests-remaining": "many", "x-requests-used": "2"}, None),
    ],
)
def test_what_feeds_say_about_credits(headers: dict[str, str], expected: Balance | None) -> None:
    assert balance(headers) == expected


def test_an_estimate_adds_up_what_items_cost_at_most() -> None:
    free = Item(Feed.STATSAPI, "core_games", "x", "/x")
    assert estimate([free, odds("1"), odds("2", 30)]) == {Feed.THEODDS: 38}
    assert estimate([free]) == {}


@on_loop
async def test_nothing_is_refused_before_the_feed_said_anything(clock: FixedClock) -> None:
    budget = Budget(Feed.THEODDS, 20, clock)
    async with budget.reserved(odds("1", 10_000)):
        assert budget.left is None


@on_loop
async def test_reservations_count_and_are_given_back(clock: FixedClock) -> None:
    budget = Budget(Feed.THEODDS, 20, clock)
    await budget.note(word(40, 460))
    async with budget.reserved(odds("1", 10)):
        async with budget.reserved(odds("2", 10)):
            with pytest.raises(OutOfCredits, match="40 are left, 20 of them reserved, and 20 are never spent"):
                async with budget.reserved(odds("3", 1)):
                    raise AssertionError("reserved below the floor")
        async with budget.reserved(odds("3", 10)):
            assert budget.left == 40


@on_loop
async def test_answers_that_overtake_each_other_do_not_give_credits_back(clock: FixedClock) -> None:
    budget = Budget(Feed.THEODDS, 0, clock)
    await budget.note(word(90, 410))
    await budget.note(word(98, 402))
    assert budget.left == 90
    await budget.note(word(82, 418))
    assert budget.left == 82


@on_loop
async def test_a_new_month_brings_new_credits(clock: FixedClock) -> None:
    budget = Budget(Feed.THEODDS, 0, clock)
    await budget.note(word(3, 497))
    clock.at = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
    await budget.note(word(499, 1))
    assert budget.left == 499


@on_loop
async def test_a_feed_below_its_floor_is_not_asked(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on("/v4/odds/1", Say(headers=tuple(word(25, 475).items())))
    async with Fetcher(settings, clock=clock) as fetcher:
        await fetcher.fetch(odds("1"))
        with pytest.raises(OutOfCredits, match="25 are left"):
            await fetcher.fetch(odds("2"))
        assert [feed.credits_left for feed in fetcher.health() if feed.feed == "theodds"] == [25]
    assert len(server.heard) == 1


@on_loop
async def test_requests_under_way_together_do_not_spend_the_same_credits(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on("/v4/events", Say(b"[]", headers=tuple(word(44, 456).items())))
    server.fallback = Say(hold=True)
    async with Fetcher(settings, clock=clock) as fetcher:
        await fetcher.fetch(Item(Feed.THEODDS, "core_events", "day", "/v4/events"))
        many = asyncio.ensure_future(fetcher.fetch_many([odds(str(n)) for n in range(10)]))
        await until(lambda: len(server.heard) == 4)
        server.let_go()
        outcomes = await many
    assert sum(isinstance(outcome, OutOfCredits) for outcome in outcomes) == 7
