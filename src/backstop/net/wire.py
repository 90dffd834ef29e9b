"""The sockets beneath httpx: httpcore's connections on plain asyncio transports.

httpcore comes with a network layer on anyio that asks the kernel about every idle connection at every request. An
asyncio transport is told by the loop when the other side hangs up, so nothing has to be asked.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import httpcore

from backstop.net.address import is_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HIGH_BYTES: Final = 1024 * 1024
"""Received but unread bytes at which the socket is left alone, so that a fast server cannot fill the memory."""

HAPPY_EYEBALLS_S: Final = 0.25
"""Head start of IPv6 over IPv4 (RFC 8305)."""


class Socket(asyncio.Protocol):
    """Receives for one reader: chunks as they come, in order, with back pressure."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def readable(self) -> bool:
        """Whether a read would return at once; on an idle connection that means it is of no more use."""
        return bool(self._chunks) or self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls it again with the encrypted one."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - loop.create_connection gives nothing else
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came and wake the reader."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size > HIGH_BYTES and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note the end; the transport closes itself."""
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end and its reason."""
        self._ended, self._error = True, exc
        self._wake()

    async def read(self, most: int) -> bytes:
        """Return what came, at most so many bytes; empty at the end.

        Raises:
            httpcore.ReadError: the connection broke.
        """
        while not self._chunks:
            if self._error is not None:
                raise httpcore.ReadError(_words(self._error))
            if self._ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        chunk = self._chunks.popleft()
        if len(chunk) > most:
            self._chunks.appendleft(chunk[most:])
            chunk = chunk[:most]
        was_full, self._size = self._size > HIGH_BYTES, self._size - len(chunk)
        if was_full and self._size <= HIGH_BYTES and self.transport is not None and not self._ended:
            self.transport.resume_reading()
        return chunk

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, as httpcore wants it.

    Times are not watched here: the engine bounds the whole attempt.

    Args:
        socket: Its receiving side.
        transport: Its sending side.
    """

    def __init__(self, socket: Socket, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109 - httpcore's
        """Read some bytes."""
        return await self._socket.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - httpcore's
        """Write all bytes; requests are small, so they are never held back.

        Raises:
            httpcore.WriteError: the connection is closed.
        """
        if self._transport.is_closing():
            raise httpcore.WriteError("the server closed the connection")
        if buffer:
            self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close without waiting for the other side."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt the connection.

        Raises:
            httpcore.ConnectError: the certificate is not trusted, or the server speaks no TLS.
            httpcore.ConnectTimeout: it took too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport, self._socket, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            self._transport.abort()
            raise httpcore.ConnectTimeout("no TLS handshake in time") from None
        except OSError as error:
            self._transport.abort()
            raise httpcore.ConnectError(_words(error)) from None
        if transport is None:
            raise httpcore.ConnectError("the server hung up during the TLS handshake")
        self._socket.transport = transport
        return Stream(self._socket, transport)

    def get_extra_info(self, info: str) -> Any:
        """Answer what httpcore asks: whether an idle connection is of use, and what TLS agreed on."""
        if info == "is_readable":
            return self._socket.readable
        return self._transport.get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections on the running loop.

    Args:
        allow: Called with the host and the IP address that it led to, before a byte is sent; raises what it refuses.
    """

    def __init__(self, allow: Callable[[str, str], None] | None = None) -> None:
        self._allow = allow

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - the pool sets none
    ) -> httpcore.AsyncNetworkStream:
        """Connect.

        Raises:
            httpcore.ConnectError: nobody listens there, or there is no such host.
            ConfigurationError: what `allow` refuses.
            httpcore.ConnectTimeout: it took too long.
        """
        loop = asyncio.get_running_loop()
        local = (local_address, 0) if local_address else None
        # an address has nothing to race against, and asyncio's race loses the winner's socket when it is cancelled
        head_start_s = None if is_literal(host) else HAPPY_EYEBALLS_S
        try:
            async with asyncio.timeout(timeout):
                transport, socket = await loop.create_connection(
                    Socket, host, port, local_addr=local, happy_eyeballs_delay=head_start_s
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no connection within {timeout:g} s") from None
        except OSError as error:
            raise httpcore.ConnectError(_words(error)) from None
        if self._allow is not None:
            try:
                self._allow(host, transport.get_extra_info("peername")[0])
            except BaseException:
                transport.abort()
                raise
        return Stream(socket, transport)

    async def sleep(self, seconds: float) -> None:
        """Wait, between httpcore's own attempts to connect."""
        await asyncio.sleep(seconds)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
