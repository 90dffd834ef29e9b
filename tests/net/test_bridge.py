from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.asyncio import Redis

from backstop.errors import ConfigurationError, UsageError
from backstop.net.bridge import Bridge
from backstop.net.item import Answer, Item, Secret
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say

ITEMS = [Item(Feed.STATSAPI, "box", str(n), f"/api/v1/game/{n}/boxscore") for n in range(50)]


def test_callers_without_a_loop_get_answers_in_order(server: FaultServer, settings: Settings) -> None:
    done: list[Item] = []
    with Bridge(settings) as bridge:
        outcomes = bridge.fetch_many(ITEMS, on_done=lambda item, _: done.append(item))
    assert [outcome.item for outcome in outcomes if isinstance(outcome, Answer)] == ITEMS
    assert sorted(item.key for item in done) == sorted(item.key for item in ITEMS)
    assert (settings.archive_dir / "index").is_dir()


def test_many_threads_share_one_gate(server: FaultServer, settings: Settings) -> None:
    with Bridge(settings) as bridge, ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(bridge.fetch_many, ITEMS[n::8]) for n in range(8)]
        assert sum(len(run.result()) for run in runs) == 50
    assert server.most_in_flight <= 25


def test_one_bridge_per_process_and_settings(settings: Settings) -> None:
    first, again = Bridge.shared(settings), Bridge.shared(settings.model_copy())
    other = Bridge.shared(settings.model_copy(update={"request_timeout_s": 1.0}))
    assert first is again
    assert first is not other
    first.close()
    assert Bridge.shared(settings) is not first
    Bridge.shared(settings).close()
    other.close()


def test_a_closed_bridge_says_so_and_leaves_no_thread(settings: Settings) -> None:
    others = set(threading.enumerate())
    bridge = Bridge(settings)
    bridge.close()
    bridge.close()
    with pytest.raises(UsageError, match="closed"):
        bridge.fetch_many(ITEMS)
    assert "backstop-net" not in {thread.name for thread in set(threading.enumerate()) - others}


def test_an_error_that_is_not_a_feeds_reaches_the_caller(settings: Settings) -> None:
    keyless = settings.model_copy(update={"upstream": "live", "theodds_key": None})
    paid = Item(Feed.THEODDS, "core_events", "x", "/v4/sports", secret=Secret.QUERY_API_KEY)
    with Bridge(keyless) as bridge, pytest.raises(ConfigurationError, match="BACKSTOP_THEODDS_KEY"):
        bridge.fetch_many([paid])


def test_a_bridge_that_cannot_open_says_why(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="nonsense"):
        Bridge(settings.model_copy(update={"upstream": "live", "statsapi_url": "ftp://nonsense"}))


def test_health_names_every_feed(settings: Settings) -> None:
    with Bridge(settings) as bridge:
        bridge.fetch_many(ITEMS[:1])
        health = {feed.feed: feed for feed in bridge.health()}
    assert set(health) == {feed.value for feed in Feed}
    assert health["statsapi"].last_success_at is not None
    assert health["statsapi"].breaker == "closed"


def test_bridges_with_one_redis_share_what_they_know(server: FaultServer, settings: Settings, redis_url: str) -> None:
    shared = settings.model_copy(update={"redis_url": redis_url})

    async def connect() -> Redis:
        return Redis.from_url(redis_url)

    with Bridge(shared) as first, Bridge(settings, connect=connect) as second, ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(bridge.fetch_many, ITEMS) for bridge in (first, second)]
        answers = [run.result() for run in runs]
        counts = [bridge.counts()["statsapi"] for bridge in (first, second)]
    assert [len(answer) for answer in answers] == [50, 50]
    assert sum(count.answers for count in counts) == 100
    assert sum(count.requests for count in counts) + sum(count.joined for count in counts) == 100
    assert server.most_in_flight <= 25


def test_a_bridge_that_asks_nothing_still_knows_the_credits_that_another_was_told(
    server: FaultServer, settings: Settings, redis_url: str
) -> None:
    shared = settings.model_copy(update={"redis_url": redis_url})
    paid = Item(Feed.THEODDS, "core_events", "day", "/v4/sports/baseball_mlb/events")
    server.fallback = Say(b"[]", headers=(("x-requests-remaining", "321"), ("x-requests-used", "179")))

    def credits_left(bridge: Bridge) -> list[int | None]:
        return [each.credits_left for each in bridge.health() if each.feed == Feed.THEODDS]

    with Bridge(shared) as watching, Bridge(shared) as asking:
        assert credits_left(watching) == [None]
        assert isinstance(asking.fetch_many([paid])[0], Answer)
        assert credits_left(watching) == [321]
