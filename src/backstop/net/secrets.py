"""Keys of paid feeds: put on the wire last, taken out of everything that is kept.

httpx prints the address of a request in its log lines and keeps it in its exceptions and responses. So the request
that httpx sees never holds a key: `KeyedTransport`, below httpx, adds it to what goes out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import httpx

from backstop.errors import ConfigurationError
from backstop.net.item import Item, Secret
from backstop.settings import LIVE_HOSTS, Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXTENSION: Final = "backstop_key"
"""Name of the request extension that says which feed's key goes where."""

MASK: Final = "***"

# hpack logs every header of an HTTP/2 request, path and key included, at DEBUG.
_TALKATIVE: Final = ("hpack.hpack", "hpack.table")


def _silent(_record: logging.LogRecord) -> bool:
    return False


class Redactor:
    """Takes the values of secrets out of text, bytes and headers.

    Args:
        values: The secrets in clear; empty ones are left out.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._texts = [value for value in values if value]
        self._bytes = [value.encode() for value in self._texts]

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        """Know the keys that the settings hold."""
        keys = (settings.key_of(feed) for feed in Feed)
        return cls(key.get_secret_value() for key in keys if key is not None)

    def text(self, value: str) -> str:
        """Return the text with every secret replaced by `***`."""
        for secret in self._texts:
            value = value.replace(secret, MASK)
        return value

    def body(self, value: bytes) -> bytes:
        """Return the body with every secret replaced: some servers echo the request in their answer."""
        for secret in self._bytes:
            if secret in value:
                value = value.replace(secret, MASK.encode())
        return value

    def headers(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return headers with every secret replaced."""
        return tuple((name, self.text(value)) for name, value in pairs) if self._texts else tuple(pairs)


class KeyedTransport(httpx.AsyncBaseTransport):
    """A transport that adds a feed's key to a request on its way out.

    Args:
        inner: What sends the request.
        settings: Hold the keys.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            if _silent not in logger.filters:
                logger.addFilter(_silent)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, with the key of the feed that its extension names."""
        wanted = request.extensions.get(EXTENSION)
        if wanted is None:
            return await self._inner.handle_async_request(request)
        return await self._inner.handle_async_request(self._keyed(request, *wanted))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _keyed(self, request: httpx.Request, feed: Feed, place: Secret) -> httpx.Request:
        key = self._settings.key_of(feed)
        if key is None:
            return request
        extensions = {name: value for name, value in request.extensions.items() if name != EXTENSION}
        url, headers = request.url, request.headers
        if place is Secret.QUERY_API_KEY:
            url = url.copy_merge_params({place.value: key.get_secret_value()})
        else:
            headers = headers.copy()
            headers[place.value] = key.get_secret_value()
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)


def require_key(item: Item, settings: Settings) -> None:
    """Refuse to ask a paid feed at its own address without a key.

    Raises:
        ConfigurationError: the feed wants a key and the settings hold none.
    """
    if item.secret is Secret.NONE or settings.key_of(item.feed) is not None:
        return
    if settings.url_of(item.feed) == LIVE_HOSTS[item.feed]:
        raise ConfigurationError(
            f"No key is set for {item.feed.value}, which answers nobody without one; "
            f"set BACKSTOP_{item.feed.value.upper()}_KEY."
        )
