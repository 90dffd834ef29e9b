"""What comes back of an item: as it was sent, tried again, refused, or not in time."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from backstop.clock import FixedClock
from backstop.errors import (
    BreakerOpen,
    ConfigurationError,
    DeadlineExceeded,
    RateLimited,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamUnavailable,
)
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Body, Item
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop

QUICK = RetryTerms(attempts=4, first_wait_s=0.001, longest_wait_s=0.005, jitter_s=0.001)
ONCE = RetryTerms(attempts=1)
GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule", (("date", "2025-06-15"),))
PITCHES = Item(Feed.SAVANT, "core_pitches", "2025-06-15", "/statcast_search/csv", body=Body.CSV)
HTML = b"<!DOCTYPE html><html><body>524: A timeout occurred</body></html>"


def numbered(count: int) -> list[Item]:
    return [dataclasses.replace(GAMES, key=str(n), path=f"/api/v1/game/{n}") for n in range(count)]


@on_loop
async def test_an_item_comes_back_as_it_was_sent(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on(GAMES.path, Say(b'{"dates":[]}', headers=(("Content-Type", "application/json"),)))
    async with Fetcher(settings, clock=clock) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert (answer.status, answer.body, answer.attempts, answer.from_archive) == (200, b'{"dates":[]}', 1, False)
    assert answer.fetched_at == clock.now()
    assert dict(answer.headers) == {"content-type": "application/json"}
    assert server.heard[0].target == "/api/v1/schedule?date=2025-06-15"


@pytest.mark.parametrize("upstream", ["demo", "recorded:answers"])
@on_loop
async def test_a_simulated_upstream_that_nobody_started_is_not_taken_for_the_live_feeds(
    server: FaultServer, settings: Settings, clock: FixedClock, upstream: str
) -> None:
    live = settings.model_copy(update={"upstream": upstream, "statsapi_url": server.url})
    async with Fetcher(live, clock=clock) as fetcher:
        with pytest.raises(ConfigurationError, match=rf"^'{upstream}' stands for a server .*upstream {upstream}`"):
            await fetcher.fetch_many([GAMES])
    assert server.heard == []


@pytest.mark.parametrize(
    "fault",
    [
        Say(status=500),
        Say(status=503),
        Say(status=408),
        Say(status=425),
        Say(status=429, headers=(("Retry-After", "0"),)),
        Say(reset=True),
        Say(HTML),
        Say(b""),
        Say(b'{"dates":[', until_close=True),
        Say(b'{"dates":[]}', claim=100),
        Say(b'{"dates":[]}', cut=5),
        Say(b'{"dates":[]}' * 50, gzip=True, cut=20),
        Say(b"not gzip at all", headers=(("Content-Encoding", "gzip"),)),
        Say(b"\x28\xb5\x2f\xfd", headers=(("Content-Encoding", "zstd"),)),
    ],
    ids=[
        "500",
        "503",
        "408",
        "425",
        "429",
        "reset",
        "html",
        "empty",
        "cut-json",
        "long-claim",
        "cut",
        "cut-gzip",
        "no-gzip",
        "zstd",
    ],
)
@on_loop
async def test_a_passing_fault_is_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock, fault: Say
) -> None:
    server.on(GAMES.path, fault, fault, Say())
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert answer.body == b'{"ok":true}'
    assert answer.attempts == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 451, 301, 304, 596])
@on_loop
async def test_a_refusal_is_never_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock, status: int
) -> None:
    server.on(GAMES.path, Say(status=status))
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        with pytest.raises(UpstreamRefused) as caught:
            await fetcher.fetch(GAMES)
    assert str(status) in str(caught.value)
    assert caught.value.source == "statsapi"
    assert len(server.heard) == 1


@on_loop
async def test_failures_of_feeds_are_values_in_the_order_of_the_items(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    items = numbered(5)
    server.on(items[1].path, Say(status=404))
    server.on(items[3].path, Say(status=500))
    done: list[str] = []
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        outcomes = await fetcher.fetch_many(items, on_done=lambda item, _: done.append(item.key))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Answer, UpstreamRefused, Answer, UpstreamUnavailable, Answer]
    assert sorted(done) == ["0", "1", "2", "3", "4"]
    assert [outcome.item.key for outcome in outcomes if isinstance(outcome, Answer)] == ["0", "2", "4"]


@on_loop
async def test_a_batch_may_let_go_of_each_body_as_soon_as_it_was_seen(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(b'{"ok": true}')
    seen: dict[str, int] = {}

    def look(item: Item, outcome: object) -> None:
        assert isinstance(outcome, Answer)
        seen[item.key] = len(outcome.body)

    async with Fetcher(settings, clock=clock) as fetcher:
        outcomes = await fetcher.fetch_many(numbered(3), on_done=look, bodies=False)
        whole = await fetcher.fetch_many(numbered(3))
    assert seen == {"0": 12, "1": 12, "2": 12}
    assert [getattr(outcome, "body", None) for outcome in outcomes] == [b""] * 3
    assert [getattr(each, "content_hash", "") for each in outcomes] == [
        getattr(each, "content_hash", None) for each in whole
    ]


@on_loop
async def test_what_the_inspection_calls_malformed_is_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(PITCHES.path, Say(b"error\nError: Query Timeout"), Say(b"pitch_type\nFF\n"))

    def inspect(body: bytes) -> None:
        if body.startswith(b"error"):
            raise UpstreamMalformed("savant answered with an error column; ask again.")

    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(PITCHES, inspect)
    assert answer.body == b"pitch_type\nFF\n"
    assert answer.attempts == 2


@on_loop
async def test_an_empty_csv_is_left_to_the_inspection(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(PITCHES.path, Say(b""))
    async with Fetcher(settings, clock=clock) as fetcher:
        assert (await fetcher.fetch(PITCHES)).body == b""


@on_loop
async def test_a_slow_drip_ends_with_the_time_limit(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on(GAMES.path, Say(b"{" + b" " * 5000 + b"}", drip_s=0.02))
    hurried = settings.model_copy(update={"request_timeout_s": 0.2})
    async with Fetcher(hurried, clock=clock, retry_terms=ONCE) as fetcher:
        with pytest.raises(UpstreamUnavailable, match=r"within 0\.2 s"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_the_time_budget_bounds_all_attempts_together(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(status=500, delay_s=0.02))
    async with Fetcher(settings, clock=clock, retry_terms=dataclasses.replace(QUICK, attempts=10_000)) as fetcher:
        async with asyncio.timeout(30):  # all of the attempts would take two hundred seconds at least
            with pytest.raises((DeadlineExceeded, UpstreamUnavailable, BreakerOpen)):
                await fetcher.fetch(GAMES, budget_s=0.3)
    assert len(server.heard) < 20  # each takes at least 20 ms


@on_loop
async def test_a_named_pause_longer_than_the_budget_is_handed_to_the_caller(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(status=429, headers=(("Retry-After", "3600"),)))
    async with Fetcher(settings, clock=clock) as fetcher:
        with pytest.raises(RateLimited) as caught:
            await fetcher.fetch(GAMES)
    assert caught.value.retry_after_s == 3600
    assert len(server.heard) == 1


@on_loop
async def test_a_long_pause_fails_the_items_behind_it_too_instead_of_holding_them(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(status=429, headers=(("Retry-After", "3600"),))
    async with Fetcher(settings, clock=clock) as fetcher, asyncio.timeout(20):
        outcomes = await fetcher.fetch_many(numbered(100))
    assert all(isinstance(outcome, RateLimited) for outcome in outcomes)
    assert {outcome.source for outcome in outcomes if isinstance(outcome, RateLimited)} == {"statsapi"}
    assert len(server.heard) <= 25


@pytest.mark.parametrize("date", [None, "Sun, 15 Jun 2025 12:00:00 GMT"])
@on_loop
async def test_a_pause_may_be_named_as_seconds_or_as_a_date(
    server: FaultServer, settings: Settings, clock: FixedClock, date: str | None
) -> None:
    when = "1" if date is None else "Sun, 15 Jun 2025 12:00:01 GMT"
    headers = (("Retry-After", when), *((("Date", date),) if date else ()))
    server.on(GAMES.path, Say(status=429, headers=headers), Say())
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert answer.attempts == 2
    first, second = (heard.at for heard in server.heard)
    assert 0.95 < second - first < 5
