"""A feed that fails on demand: a raw HTTP/1.1 server on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import gzip
import ssl
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Say:
    """One scripted answer.

    Attributes:
        body: Content before any compression.
        delay_s: Wait before the first byte.
        gzip: Compress the body and say so.
        claim: Content-Length that is claimed instead of the true one.
        cut: Close after that many bytes of the body.
        drip_s: Seconds between single bytes of the body.
        reset: `True` aborts the connection instead of answering.
        until_close: No length at all; the end of the connection is the end of the body.
        hold: Answer only when `FaultServer.release` is set.
    """

    body: bytes = b'{"ok":true}'
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    gzip: bool = False
    claim: int | None = None
    cut: int | None = None
    drip_s: float = 0.0
    reset: bool = False
    until_close: bool = False
    hold: bool = False


@dataclass
class Heard:
    """A request as it arrived."""

    target: str
    headers: dict[str, str]
    at: float


class Loopback(ABC):
    """A server on loopback whose event loop runs in a thread of its own for as long as the block lasts."""

    port: int

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self.release = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        tls, started = self._tls(), threading.Event()

        async def live() -> None:
            self._stop = asyncio.Event()
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await self._stop.wait()
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        self._thread = threading.Thread(target=lambda: asyncio.Runner(loop_factory=lambda: self._loop).run(live()))
        self._thread.start()
        assert started.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _tls(self) -> ssl.SSLContext | None:
        """Return what the connections are encrypted with, nothing by default."""
        return None

    @abstractmethod
    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak to one client."""


@dataclass
class FaultServer(Loopback):
    """Answers each path by its script; the last line of a script repeats. Unscripted paths get `fallback`."""

    fallback: Say = field(default_factory=Say)
    scripts: dict[str, list[Say]] = field(default_factory=lambda: defaultdict(list))
    heard: list[Heard] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    connections: int = 0

    def on(self, path: str, *says: Say) -> None:
        self.scripts[path] = list(says)

    def paths(self) -> list[str]:
        return [heard.target.split("?")[0] for heard in self.heard]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def let_go(self) -> None:
        """Answer what is held."""
        self._loop.call_soon_threadsafe(self.release.set)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if not await self._answer(head, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = head.decode("latin-1").split("\r\n")
        target = lines[0].split(" ")[1]
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        self.heard.append(Heard(target, headers, self._loop.time()))
        script = self.scripts.get(target.split("?")[0])
        say = (script.pop(0) if len(script) > 1 else script[0]) if script else self.fallback
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._perform(say, headers, reader, writer)
        finally:
            self.in_flight -= 1

    async def _perform(
        self, say: Say, headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if say.delay_s:
            await _or_gone(asyncio.sleep(say.delay_s), reader)
        if say.hold:
            await _or_gone(self.release.wait(), reader)
        if say.reset:
            writer.transport.abort()
            return False
        etag = dict(say.headers).get("ETag")
        if etag is not None and headers.get("if-none-match") == etag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % etag.encode())
            return True
        body = gzip.compress(say.body) if say.gzip else say.body
        lines = [f"HTTP/1.1 {say.status} Scripted", *(f"{name}: {value}" for name, value in say.headers)]
        if say.gzip:
            lines.append("Content-Encoding: gzip")
        if not say.until_close:
            lines.append(f"Content-Length: {len(body) if say.claim is None else say.claim}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        body = body if say.cut is None else body[: say.cut]
        if say.drip_s:
            for n in range(len(body)):
                writer.write(body[n : n + 1])
                await _or_gone(asyncio.sleep(say.drip_s), reader)
        else:
            writer.write(body)
        await writer.drain()
        return say.cut is None and not say.until_close and say.claim is None


async def _or_gone(wait: Coroutine[Any, Any, Any], reader: asyncio.StreamReader) -> None:
    """Wait, but not longer than the client stays."""
    waiting = asyncio.ensure_future(wait)
    gone = asyncio.ensure_future(reader.read(1))
    await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
    left = gone.done() and not waiting.done()
    waiting.cancel()
    gone.cancel()
    await asyncio.gather(waiting, gone, return_exceptions=True)
    if left:
        raise ConnectionResetError


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for a condition, with a bound."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the condition is anything, it sets no event
            await asyncio.sleep(0.002)
