"""What bounds the fetcher: sizes, the gate, the breaker, keys, addresses; and what it counts."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from backstop.clock import FixedClock
from backstop.errors import (
    BreakerOpen,
    ConfigurationError,
    ResponseTooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from backstop.net.breaker import BreakerTerms, Moved, State
from backstop.net.client import Fetcher
from backstop.net.item import Item, Secret
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until

QUICK = RetryTerms(attempts=4, first_wait_s=0.001, longest_wait_s=0.005, jitter_s=0.001)
ONCE = RetryTerms(attempts=1)
GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule", (("date", "2025-06-15"),))


def numbered(count: int) -> list[Item]:
    return [dataclasses.replace(GAMES, key=str(n), path=f"/api/v1/game/{n}") for n in range(count)]


@pytest.mark.parametrize(
    "say",
    [
        Say(b" " * 2_000_000),
        Say(b" " * 2_000_000, until_close=True),
        Say(b" " * 2_000_000, gzip=True),
        Say(b"{}", claim=2_000_000),
    ],
    ids=["announced", "unannounced", "compressed", "claimed"],
)
@on_loop
async def test_an_answer_over_the_size_limit_is_refused(
    server: FaultServer, settings: Settings, clock: FixedClock, say: Say
) -> None:
    server.on(GAMES.path, say)
    async with Fetcher(settings, clock=clock, max_bytes=1_000_000, retry_terms=QUICK) as fetcher:
        with pytest.raises(ResponseTooLarge):
            await fetcher.fetch(GAMES)
    assert len(server.heard) == 1


@on_loop
async def test_each_feed_has_a_size_limit_of_its_own(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    """Ten megabytes: a large search of Savant's, and no event of any book."""
    server.fallback = Say(b"[" + b" " * 10_000_000 + b"]", gzip=False)
    event = dataclasses.replace(GAMES, feed=Feed.THEODDS, path="/v4/event")
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        assert len((await fetcher.fetch(dataclasses.replace(GAMES, feed=Feed.SAVANT))).body) == 10_000_002
        with pytest.raises(ResponseTooLarge, match="the limit is 8,388,608"):
            await fetcher.fetch(event)


@on_loop
async def test_a_decompression_bomb_is_refused_while_it_streams(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(bytes(200_000_000), gzip=True))
    async with Fetcher(settings, clock=clock) as fetcher:
        with pytest.raises(ResponseTooLarge, match="expands"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_connections_are_used_again(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    async with Fetcher(settings, clock=clock) as fetcher:
        for item in numbered(20):
            await fetcher.fetch(item)
    assert server.connections == 1


@on_loop
async def test_identical_requests_under_way_share_one_call(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(hold=True))
    other = dataclasses.replace(GAMES, table="core_players")
    async with Fetcher(settings, clock=clock) as fetcher:
        waiting = [asyncio.ensure_future(fetcher.fetch(item)) for item in [GAMES] * 9 + [other]]
        await until(lambda: len(server.heard) == 1)
        server.let_go()
        answers = await asyncio.gather(*waiting)
        late = await fetcher.fetch(GAMES)
    assert len(server.heard) == 1
    assert [answer.item for answer in answers] == [GAMES] * 9 + [other]
    assert late.body == answers[0].body


@on_loop
async def test_a_feed_that_is_down_is_left_alone_until_one_probe_gets_through(
    server: FaultServer, settings: Settings, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.fallback = Say(status=503)
    moves: list[Moved] = []
    terms = BreakerTerms(at_least=5, first_pause_s=0.1, longest_pause_s=0.4)
    async with Fetcher(settings, clock=clock, retry_terms=ONCE, breaker_terms=terms) as fetcher:
        fetcher.listen(moves.append)
        for item in numbered(5):
            with pytest.raises(UpstreamUnavailable):
                await fetcher.fetch(item)
        with pytest.raises(BreakerOpen) as caught:
            await fetcher.fetch(GAMES, budget_s=0.01)
        assert caught.value.retry_after_s is not None
        assert len(server.heard) == 5
        (health,) = [feed for feed in fetcher.health() if feed.feed == "statsapi"]
        assert (health.breaker, health.open_since) == ("open", clock.now())
        (warned,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert warned == (f"statsapi: breaker open after closed: 5 of the last 5 requests failed; {health.last_error}")
        assert "503" in warned
        server.fallback = Say(hold=True)
        waiting = [asyncio.ensure_future(fetcher.fetch(GAMES))]
        waiting += [asyncio.ensure_future(fetcher.fetch(item)) for item in numbered(8)[5:]]
        await until(lambda: len(server.heard) == 6)
        server.let_go()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [(move.before, move.after) for move in moves] == [
        (State.CLOSED, State.OPEN),
        (State.OPEN, State.HALF_OPEN),
        (State.HALF_OPEN, State.CLOSED),
    ]


@on_loop
async def test_hundreds_of_items_stay_within_the_gate(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(delay_s=0.01)
    async with Fetcher(settings, clock=clock) as fetcher:
        outcomes = await fetcher.fetch_many(numbered(300))
    assert not [outcome for outcome in outcomes if isinstance(outcome, UpstreamError)]
    assert server.most_in_flight <= 25


@on_loop
async def test_a_paid_feed_at_its_own_address_wants_a_key(clock: FixedClock) -> None:
    item = Item(Feed.THEODDS, "events", "x", "/v4/sports", secret=Secret.QUERY_API_KEY)
    async with Fetcher(Settings(_env_file=None, theodds_key=None), clock=clock) as fetcher:
        with pytest.raises(ConfigurationError, match="BACKSTOP_THEODDS_KEY"):
            await fetcher.fetch(item)


@on_loop
async def test_an_address_that_is_none_is_named(settings: Settings, clock: FixedClock) -> None:
    wrong = settings.model_copy(update={"upstream": "live", "statsapi_url": "ftp://nonsense"})
    with pytest.raises(ConfigurationError, match="nonsense"):
        await Fetcher(wrong, clock=clock).__aenter__()


@on_loop
async def test_a_server_that_is_not_there_is_unavailable(settings: Settings, clock: FixedClock) -> None:
    async with Fetcher(settings.pointed_at("http://127.0.0.1:9"), clock=clock, retry_terms=ONCE) as fetcher:
        with pytest.raises(UpstreamUnavailable, match="ConnectError"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_what_happened_is_counted(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on("/api/v1/game/0", Say(status=500), Say(b'{"n":0}'))
    server.on("/api/v1/game/1", Say(status=404))
    server.on("/api/v1/game/2", Say(b'{"n":2}', hold=True))
    items = numbered(3)
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        waiting = asyncio.ensure_future(fetcher.fetch_many([*items, items[2]]))
        await until(lambda: len(server.heard) == 4)
        server.let_go()
        await waiting
        counts = fetcher.counts()["statsapi"]
    assert (counts.items, counts.answers, counts.failures, counts.joined) == (4, 3, 1, 1)
    assert (counts.requests, counts.retries, counts.openings, counts.revalidated) == (4, 1, 0, 0)
    assert counts.received_bytes == len(b'{"ok":true}') * 2 + len(b'{"n":0}') + len(b'{"n":2}')
