from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import OutOfCredits
from backstop.net.budget import Balance, Budget, balance
from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.settings import Feed, Settings
from backstop.sources.sportradar import playerprops, schedule, summary
from backstop.sources.sportradar import wire as sportradar
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
        ({"x-plan-quota-allotted": "1000", "x-plan-quota-current": "1003"}, Balance(0, 1003)),
        (word(-2, 502), Balance(0, 502)),
        ({}, None),
        ({"x-requests-remaining": "498"}, None),
        ({"x-requests-remaining": "many", "x-requests-used": "2"}, None),
    ],
)
def test_what_feeds_say_about_credits(headers: dict[str, str], expected: Balance | None) -> None:
    assert balance(headers) == expected


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
async def test_what_is_spent_in_june_keeps_nobody_waiting_in_july(clock: FixedClock) -> None:
    budget = Budget(Feed.THEODDS, 20, clock)
    clock.at = dt.datetime(2025, 6, 30, 23, 59, tzinfo=dt.UTC)
    await budget.note(word(5, 495))
    with pytest.raises(OutOfCredits, match="5 are left"):
        async with budget.reserved(odds("1")):
            raise AssertionError("reserved below the floor")
    clock.at = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
    async with budget.reserved(odds("1")):
        assert budget.left is None
        await budget.note(word(492, 8))
        assert budget.left == 492


def quota(used: int) -> dict[str, str]:
    return {"x-plan-quota-allotted": "1000", "x-plan-quota-current": str(used)}


@on_loop
async def test_a_plan_that_begins_anew_within_the_week_is_believed_and_an_overtaken_answer_is_not(
    clock: FixedClock,
) -> None:
    budget = Budget(Feed.SPORTRADAR, 20, clock)
    await budget.note(quota(979))
    await budget.note(quota(954))  # 25 may be under way
    assert budget.left == 21
    await budget.note(quota(953))
    assert budget.left == 47


@on_loop
async def test_sportradar_is_asked_again_in_the_next_week_whatever_day_its_plan_began(clock: FixedClock) -> None:
    request = sportradar.item("core_games_sportradar", "2025-06-15", "games/2025/06/15/schedule")
    budget = Budget(Feed.SPORTRADAR, 20, clock)
    await budget.note(quota(979))  # on a Sunday
    async with budget.reserved(request):
        with pytest.raises(OutOfCredits, match=r"21 are left, 1 of them reserved.*Wait for its plan to begin anew or"):
            async with budget.reserved(request):
                raise AssertionError("reserved below the floor")
    clock.at = dt.datetime(2025, 6, 16, tzinfo=dt.UTC)
    async with budget.reserved(request):
        await budget.note(quota(980))
    assert budget.left == 20


def test_every_request_of_sportradar_costs_one_of_its_plan() -> None:
    day = dt.date(2025, 6, 15)
    items = [*schedule.plan(day), *summary.plan_day(day), *playerprops.plan(day)]
    assert [(item.feed, item.credits) for item in items] == [(Feed.SPORTRADAR, 1)] * 3


@on_loop
async def test_a_trial_at_the_floor_is_not_asked(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    day = dt.date(2025, 6, 15)
    (first,), (second,) = schedule.plan(day), summary.plan_day(day)
    server.on(first.path, Say(headers=tuple(quota(980).items())))
    async with Fetcher(settings, clock=clock) as fetcher:
        await fetcher.fetch(first)
        with pytest.raises(OutOfCredits, match="20 are left, 0 of them reserved, and 20 are never spent"):
            await fetcher.fetch(second)
        assert [feed.credits_left for feed in fetcher.health() if feed.feed == "sportradar"] == [20]
    assert server.paths() == [first.path]


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
