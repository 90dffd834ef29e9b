"""One request and its answer, on one host's connections."""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import httpx

from backstop.errors import UpstreamError, UpstreamMalformed, UpstreamUnavailable
from backstop.net import address, content
from backstop.net.item import Body, Item, Secret
from backstop.net.pool import Transport
from backstop.net.secrets import EXTENSION, KeyedTransport
from backstop.net.terms import LARGEST_ANSWER

if TYPE_CHECKING:
    from backstop.settings import Settings

CONNECT_S: Final = 10.0
"""A host that does not take a connection within this time is down."""

IDLE_S: Final = 30.0
"""An unused connection is closed after this time; most servers close theirs after 60 s or more."""

_ACCEPT: Final = {Body.CSV: "text/csv, application/download, */*", Body.JSON: "application/json"}


class TimedOut(UpstreamUnavailable):
    """The host did not finish its answer in time: a word about its load."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever the status.

    Attributes:
        status: HTTP status.
        headers: All response headers.
        body: Decoded content.
    """

    status: int
    headers: httpx.Headers
    body: bytes


class Host:
    """The connections to one host.

    Args:
        base: Scheme, host and port.
        settings: Time limits and keys.
        limit: Bytes of a decoded answer at most; those of the feed (`net.terms`) when not given.

    Raises:
        ConfigurationError: the base is not an address, or one that may not be asked.
    """

    def __init__(self, base: str, settings: Settings, *, limit: int | None = None) -> None:
        address.require(base, settings)
        self.base = base
        self._timeout_s = settings.request_timeout_s
        self._limit = limit
        self._settings = settings
        self._opened: httpx.AsyncClient | None = None
        self._headers = {
            body: httpx.Headers({"accept": accept, "accept-encoding": "gzip", "user-agent": "backstop"})
            for body, accept in _ACCEPT.items()
        }

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            secure = self.base.startswith("https:")
            transport = Transport(_trusted() if secure else None, idle_s=IDLE_S, http2=secure, allow=self._allow)
            # the total time is bounded in `ask`, for a slow drip would pass any timeout per read
            timeout = httpx.Timeout(self._timeout_s, connect=CONNECT_S, pool=None)
            # a redirect is an answer like any other: whoever sends one does not choose whom this machine asks next
            self._opened = httpx.AsyncClient(
                transport=KeyedTransport(transport, self._settings), timeout=timeout, follow_redirects=False
            )
        return self._opened

    def _allow(self, host: str, found: str) -> None:
        address.require_reachable(host, found, self._settings)

    async def ask(self, item: Item, *, within_s: float, conditions: dict[str, str]) -> Reply:
        """Send a request and read its whole answer.

        Raises:
            UpstreamUnavailable: no answer in time, no connection, a reset.
            UpstreamMalformed: an answer that is shorter or longer than it says, or cannot be decompressed.
            ResponseTooLarge: more bytes than allowed.
        """
        request = self._request(item, conditions)
        limit_s = min(within_s, self._timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                response = await self._send(item, request)
                return await self._read(item, response)
        except TimeoutError:
            raise _timed_out(item, limit_s) from None

    def _request(self, item: Item, conditions: dict[str, str]) -> httpx.Request:
        query = f"?{urlencode(item.params)}" if item.params else ""
        headers = self._headers[item.body]
        if conditions:
            headers = httpx.Headers({**headers, **conditions})
        extensions = {} if item.secret is Secret.NONE else {EXTENSION: (item.feed, item.secret)}
        return httpx.Request("GET", f"{self.base}{item.path}{query}", headers=headers, extensions=extensions)

    async def _send(self, item: Item, request: httpx.Request) -> httpx.Response:
        try:
            return await self._client.send(request, stream=True)
        except httpx.TimeoutException:
            raise _timed_out(item, self._timeout_s) from None
        except httpx.TransportError as error:
            raise _unavailable(item, "did not answer", error) from None

    async def _read(self, item: Item, response: httpx.Response) -> Reply:
        try:
            body = await content.read(response, item, self._limit or LARGEST_ANSWER[item.feed])
        except httpx.RemoteProtocolError as error:
            raise UpstreamMalformed(
                f"The answer of {item.feed.value} to {item.table} {item.key} is not as long as it says ({error}); "
                "ask again.",
                source=item.feed.value,
            ) from None
        except httpx.TimeoutException:
            raise _timed_out(item, self._timeout_s) from None
        except httpx.TransportError as error:
            raise _unavailable(item, "broke off its answer to", error) from None
        finally:
            await response.aclose()
        return Reply(response.status_code, response.headers, body)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Load the certificates once: it takes tens of milliseconds."""
    return httpx.create_ssl_context()


def _timed_out(item: Item, seconds: float) -> UpstreamError:
    return TimedOut(
        f"{item.feed.value} did not finish its answer to {item.table} {item.key} within {seconds:.3g} s; "
        "ask again later.",
        source=item.feed.value,
    )


def _unavailable(item: Item, did: str, error: Exception) -> UpstreamError:
    name, text = type(error).__name__, str(error)
    return UpstreamUnavailable(
        f"{item.feed.value} {did} {item.table} {item.key} ({name}{f': {text}' if text else ''}); ask again later.",
        source=item.feed.value,
    )
