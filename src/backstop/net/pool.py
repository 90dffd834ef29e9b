"""The connections to one host, as an httpx transport.

The gate decides how many requests are under way, so nothing has to queue here, and a connection is found by walking a
short list. httpcore's own pool looks at every pair of connections at every request, and its network layer asks the
kernel about each: together more than half of a request's CPU time at 25 connections (`benchmarks/fetch_engine.py`).
What is spoken on a connection (HTTP/1.1, HTTP/2, TLS) stays httpcore's.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from backstop.net.wire import Backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@dataclass(eq=False, slots=True)
class _Line:
    """A connection and its users.

    Attributes:
        connection: httpcore's.
        users: Requests on it now.
        shared: Whether it takes several at once (HTTP/2); null until its first answer.
    """

    connection: httpcore.AsyncHTTPConnection
    users: int = 0
    shared: bool | None = None

    @property
    def free(self) -> bool:
        """Whether another request may go on it; while it connects, httpcore says whether it may become HTTP/2."""
        return (self.users == 0 or self.shared is not False) and self.connection.is_available()


class Body(httpx.AsyncByteStream):
    """The bytes of an answer, with httpx's errors.

    Args:
        inner: As httpcore gives them.
        line: What they come on.
        pool: Gets the line back.
    """

    def __init__(self, inner: Any, line: _Line, pool: Transport) -> None:
        self._inner = inner
        self._line: _Line | None = line
        self._pool = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                yield part
        except _CORE_ERRORS as error:
            raise _translated(error) from None

    async def aclose(self) -> None:
        """Give the connection back, or close it when there is more to come."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            await self._inner.aclose()
        finally:
            self._pool.give_back(line)


class Transport(httpx.AsyncBaseTransport):
    """Sends requests to one host over as few connections as they need.

    Args:
        secure: Whom to trust.
        idle_s: Seconds after which an unused connection is not used again.
        http2: Whether to offer HTTP/2.
        allow: Judges where a host's name led to; see `wire.Backend`.
    """

    def __init__(
        self,
        secure: ssl.SSLContext | None,
        *,
        idle_s: float,
        http2: bool,
        allow: Callable[[str, str], None] | None = None,
    ) -> None:
        self._secure = secure
        self._idle_s = idle_s
        self._http2 = http2
        self._speaks_http2: bool | None = None if http2 else False
        self._backend = Backend(allow)
        self._lines: list[_Line] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer, the body still to be read.

        Raises:
            httpx.TransportError: as httpx names it.
        """
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            extensions=request.extensions,
        )
        while True:
            line = await self._take(sent.url.origin)
            try:
                answer = await line.connection.handle_async_request(sent)
            except httpcore.ConnectionNotAvailable:  # another request was faster, or it became HTTP/1.1 after all
                if "HTTP/1.1" in line.connection.info():
                    self._speaks_http2 = line.shared = False
                self.give_back(line)
                continue
            except _CORE_ERRORS as error:
                self.give_back(line)
                raise _translated(error) from None
            except BaseException:
                self.give_back(line)
                raise
            self._speaks_http2 = line.shared = answer.extensions.get("http_version") == b"HTTP/2"
            body = Body(answer.stream, line, self)
            return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        lines, self._lines = self._lines, []
        for line in lines:
            await line.connection.aclose()

    def give_back(self, line: _Line) -> None:
        """Take a line back from a request; one that is closed is forgotten."""
        line.users -= 1
        if line.connection.is_closed() and line in self._lines:
            self._lines.remove(line)

    async def _take(self, origin: httpcore.Origin) -> _Line:
        """Return a line that is free, the ones opened first before the others, so that the last fall idle."""
        for line in tuple(self._lines):
            if not line.free:
                continue
            if line.users or not line.connection.has_expired():
                line.users += 1
                return line
            self._lines.remove(line)
            await line.connection.aclose()
        line = _Line(
            httpcore.AsyncHTTPConnection(
                origin,
                ssl_context=self._secure,
                keepalive_expiry=self._idle_s,
                http2=self._http2,
                network_backend=self._backend,
            ),
            users=1,
            shared=False if self._speaks_http2 is False else None,  # connect side by side where it will be HTTP/1.1
        )
        self._lines.append(line)
        return line


_CORE_ERRORS: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


def _translated(error: Exception) -> httpx.TransportError:
    """Return httpx's error of the same name."""
    kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
    return kind(str(error))
