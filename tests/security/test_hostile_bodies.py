"""Answers made to exhaust whoever reads them: each ends as a named error, in bounded time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import psutil
import pytest

from backstop.clock import FixedClock
from backstop.errors import ResponseTooLarge, UpstreamError, UpstreamMalformed, UpstreamUnavailable
from backstop.net.client import Fetcher
from backstop.net.item import Body, Item
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from backstop.sources import registry
from tests.net.server import on_loop

ONCE = RetryTerms(attempts=1, first_wait_s=0.001, longest_wait_s=0.002, jitter_s=0.001)
AT = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
MB = 1024 * 1024
LIMIT = 16 * MB
"""Of the fetchers here, so that a test takes a second; the feeds' own (`net.terms`) are reached by the same counting."""
PITCHES = Item(Feed.SAVANT, "core_pitches", "2025-06-15", "/statcast_search/csv", body=Body.CSV)
GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule")

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def speaking(speak: Speak) -> AsyncIterator[str]:
    """A server that says what a coroutine writes, and ends with the test."""

    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


@contextlib.contextmanager
def watched() -> Iterator[list[int]]:
    """Yield a list whose last member is the most that the process grew by while the block ran, in bytes."""
    process, over = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    grown = [0]

    def watch() -> None:
        while not over.wait(0.01):
            grown[0] = max(grown[0], process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()


async def outcome(url: str, item: Item, *, budget_s: float = 30.0, limit: int = LIMIT) -> UpstreamError:
    settings = Settings(_env_file=None, request_budget_s=budget_s, request_timeout_s=budget_s).pointed_at(url)
    async with Fetcher(settings, clock=FixedClock(AT), retry_terms=ONCE, max_bytes=limit) as fetcher:
        (found,) = await fetcher.fetch_many([item])
    assert isinstance(found, UpstreamError), found
    return found


@on_loop
async def test_a_line_of_a_gigabyte_is_dropped_at_the_limit() -> None:
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        part = b"100000\r\n" + b"7" * MB + b"\r\n"
        for _ in range(1024):
            writer.write(part)
            await writer.drain()
            sent += MB

    async with speaking(endless) as url:
        with watched() as grown:
            found = await outcome(url, PITCHES)
    assert isinstance(found, ResponseTooLarge)
    assert not found.retryable
    assert sent < 4 * LIMIT
    assert grown[0] < 6 * LIMIT, f"{grown[0] / MB:.0f} MB"


@on_loop
async def test_an_announced_gigabyte_is_not_read_at_all() -> None:
    async def boast(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(60)  # the client must not wait for it

    async with speaking(boast) as url:
        async with asyncio.timeout(20):
            assert isinstance(await outcome(url, GAMES), ResponseTooLarge)


@on_loop
async def test_a_gzip_bomb_is_dropped_before_it_is_unfolded() -> None:
    bomb = gzip.compress(b"\0" * (32 * MB), compresslevel=1) * 16

    async def explode(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        await writer.drain()

    async with speaking(explode) as url:
        with watched() as grown:
            found = await outcome(url, PITCHES, limit=256 * MB)
    assert isinstance(found, ResponseTooLarge)
    assert grown[0] < 256 * MB, f"{grown[0] / MB:.0f} MB"


@on_loop
async def test_headers_without_end_are_not_collected() -> None:
    sent = 0

    async def headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n")
        line = b"X-More: " + b"7" * 1000 + b"\r\n"
        for _ in range(200_000):
            writer.write(line)
            await writer.drain()
            sent += len(line)

    async with speaking(headers) as url:
        with watched() as grown:
            found = await outcome(url, GAMES)
    assert isinstance(found, UpstreamUnavailable | UpstreamMalformed)
    assert sent < 32 * MB
    assert grown[0] < 64 * MB


@on_loop
async def test_a_slow_drip_ends_with_the_time_of_the_request() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not reader.at_eof():
            writer.write(b"7")
            await writer.drain()
            await asyncio.sleep(0.02)  # what is tested is a server that is slow

    began = time.monotonic()
    async with speaking(drip) as url:
        found = await outcome(url, GAMES, budget_s=0.5)
    assert isinstance(found, UpstreamUnavailable)
    assert time.monotonic() - began < 10


DEEP = {
    "lists": b"[" * 1_000_000 + b"]" * 1_000_000,
    "objects": b'{"dates":' * 200_000 + b"1" + b"}" * 200_000,
    "below a sound top": b'{"dates": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "a number of a million digits": b'{"dates": [' + b"9" * 1_000_000 + b"]}",
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP.keys())
@pytest.mark.parametrize("table", [name for name in registry.TABLES if not name.startswith("core_board")])
def test_json_of_any_depth_is_refused_and_not_walked(table: str, body: bytes) -> None:
    with pytest.raises(UpstreamError):
        registry.TABLES[table].inspect(body)


def test_a_single_line_without_end_is_refused_by_the_parsers_of_csv() -> None:
    for table in ("core_pitches", "core_register", "core_board_sprint_speed"):
        with watched() as grown, pytest.raises(UpstreamError):
            registry.TABLES[table].inspect(b"7" * (64 * MB))
        assert grown[0] < 8 * 64 * MB, f"{table}: {grown[0] / MB:.0f} MB"
