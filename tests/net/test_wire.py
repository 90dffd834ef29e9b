"""The sockets: TLS, HTTP/2, back pressure, and what httpx calls their failures."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpcore
import httpx
import pytest

from backstop.clock import FixedClock
from backstop.errors import UpstreamUnavailable
from backstop.net import exchange, wire
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Body, Item, Secret
from backstop.net.pool import Transport
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until
from tests.net.tls import TlsServer, certificate

ONCE = RetryTerms(attempts=1)
KEY = "0ddba11c0ffee0ddba11c0ffee123456"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    exchange._trusted.cache_clear()
    yield
    exchange._trusted.cache_clear()


def items(count: int) -> list[Item]:
    return [Item(Feed.STATSAPI, "t", str(n), f"/{n}") for n in range(count)]


@on_loop
async def test_http2_is_used_where_the_host_offers_it(
    files: tuple[Path, Path], trusted: None, settings: Settings, clock: FixedClock
) -> None:
    with TlsServer(*files, latency_s=0.1) as server:
        async with Fetcher(settings.pointed_at(server.url), clock=clock) as fetcher:
            outcomes = await fetcher.fetch_many(items(60))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert server.connections < 5  # many streams on few connections
    assert 5 < server.most_streams <= 25


@on_loop
async def test_http_1_is_used_over_tls_where_it_is_all_there_is(
    files: tuple[Path, Path], trusted: None, settings: Settings, clock: FixedClock
) -> None:
    with TlsServer(*files, http2=False) as server:
        async with Fetcher(settings.pointed_at(server.url), clock=clock) as fetcher:
            outcomes = await fetcher.fetch_many(items(60))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert server.connections <= 25


@on_loop
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    files: tuple[Path, Path], settings: Settings, clock: FixedClock
) -> None:
    exchange._trusted.cache_clear()
    with TlsServer(*files) as server:
        async with Fetcher(settings.pointed_at(server.url), clock=clock, retry_terms=ONCE) as fetcher:
            with pytest.raises(UpstreamUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await fetcher.fetch(items(1)[0])
    assert not server.targets


@pytest.mark.parametrize("secret", [Secret.QUERY_API_KEY, Secret.HEADER_X_API_KEY])
@on_loop
async def test_http2_does_not_log_the_key_either(
    files: tuple[Path, Path], trusted: None, settings: Settings, clock: FixedClock, secret: Secret
) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    root.addHandler(handler)
    before, _ = root.level, root.setLevel(logging.DEBUG)
    keyed = settings.model_copy(update={"theodds_key": Settings(theodds_key=KEY).theodds_key})
    try:
        with TlsServer(*files) as server:
            async with Fetcher(keyed.pointed_at(server.url), clock=clock) as fetcher:
                await fetcher.fetch(Item(Feed.THEODDS, "t", "k", "/v4/sports", secret=secret))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert server.targets == [f"/v4/sports?apiKey={KEY}" if secret is Secret.QUERY_API_KEY else "/v4/sports"]
    assert "receive_response_headers.complete" in logged.getvalue()
    assert KEY not in logged.getvalue()
    assert "hpack" not in logged.getvalue()


@on_loop
async def test_a_large_answer_comes_whole(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    body = b"pitch_type,release_speed\n" + b"FF,95.1\n" * 2_000_000
    item = Item(Feed.SAVANT, "core_pitches", "k", "/csv", body=Body.CSV)
    server.on(item.path, Say(body))
    async with Fetcher(settings, clock=clock) as fetcher:
        assert (await fetcher.fetch(item)).body == body


@on_loop
async def test_a_socket_stops_reading_when_nobody_takes_what_came() -> None:
    socket = wire.Socket()
    paused: list[str] = []

    class Pipe(asyncio.Transport):
        def pause_reading(self) -> None:
            paused.append("pause")

        def resume_reading(self) -> None:
            paused.append("resume")

    socket.connection_made(Pipe())
    for _ in range(5):
        socket.data_received(bytes(wire.HIGH_BYTES // 4 + 1))
    assert paused[0] == "pause"
    taken = 0
    while paused[-1] != "resume":
        taken += len(await socket.read(100_000))
    assert taken > 100_000
    assert socket.readable


@on_loop
async def test_what_came_before_the_end_is_read_before_the_end() -> None:
    socket = wire.Socket()
    socket.data_received(b"last words")
    socket.eof_received()
    assert await socket.read(4) == b"last"
    assert await socket.read(100) == b" words"
    assert await socket.read(100) == b""
    socket.connection_lost(ConnectionResetError("reset by peer"))
    with pytest.raises(httpcore.ReadError, match="reset by peer"):
        await socket.read(100)


@on_loop
async def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    socket = wire.Socket()
    waiting = asyncio.ensure_future(socket.read(100))
    await asyncio.sleep(0)
    socket.connection_lost(None)
    assert await waiting == b""


@on_loop
async def test_a_connection_that_the_server_closed_is_not_used_again(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on("/0", Say(until_close=True))
    async with Fetcher(settings, clock=clock, retry_terms=ONCE) as fetcher:
        for item in items(10):
            await fetcher.fetch(item)
    assert server.connections == 2


@on_loop
async def test_a_request_that_is_cancelled_leaves_no_connection_behind(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on("/0", Say(hold=True))
    async with Fetcher(settings, clock=clock) as fetcher:
        waiting = asyncio.ensure_future(fetcher.fetch(items(1)[0]))
        await until(lambda: server.in_flight == 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: server.in_flight == 0)
        client = fetcher._doors._places[server.url].host._client
        assert client._transport._inner._lines == []
        await fetcher.fetch_many(items(5)[1:])
        lines = client._transport._inner._lines
        assert all(line.users == 0 for line in lines)


@on_loop
async def test_a_connection_that_stood_idle_too_long_is_not_used_again(
    server: FaultServer, settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("httpcore._async.http11.time", SimpleNamespace(monotonic=lambda: now[0]))
    transport = Transport(None, idle_s=5.0, http2=False)
    async with httpx.AsyncClient(transport=transport, base_url=server.url) as client:
        for _ in range(3):
            now[0] += 4.9  # since it was last used
            await client.get("/x")
        assert server.connections == 1
        now[0] += 5.1
        await client.get("/x")
    assert server.connections == 2
    assert transport._lines == []
