"""Keys of paid feeds: put on the wire last, taken out of everything that is kept.

httpx prints the address of a request in its log lines and keeps it in its exceptions and responses. So the request
that httpx sees never holds a key: `KeyedTransport`, below httpx, adds it to what goes out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx

from backstop.errors import BackstopError, ConfigurationError
from backstop.net import address
from backstop.net.item import Item, Secret
from backstop.settings import LIVE_HOSTS, Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXTENSION: Final = "backstop_key"
"""Name of the request extension that says which feed's key goes where."""

MASK: Final = "***"

SHORTEST_KEY: Final = 12
"""The feeds give out keys of 24 to 40 characters."""

# hpack logs every header of an HTTP/2 request, path and key included, at DEBUG and in a coding of its own
_SILENCED: Final = ("hpack.hpack", "hpack.table")

# httpcore logs the headers of answers, and a server may send anything back
_CLEANED: Final = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "stamina")


def _silent(_record: logging.LogRecord) -> bool:
    return False


class Redactor:
    """Takes the values of secrets out of text, bytes and headers.

    Args:
        values: The secrets in clear; empty ones are left out. Content is searched only for those of real length: the
            word `demo` as a key must not blacken the data.
    """

    def __init__(self, values: Iterable[str]) -> None:
        known = [value for value in values if value]
        # in an address a secret may stand quoted
        self._texts = sorted({*known, *(quote(value, safe="") for value in known)}, key=len, reverse=True)
        self._bytes = [value.encode() for value in self._texts if len(value) >= SHORTEST_KEY]

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        """Know the keys that the settings hold."""
        keys = (settings.key_of(feed) for feed in Feed)
        return cls(key.get_secret_value() for key in keys if key is not None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Redactor) and other._texts == self._texts

    def __hash__(self) -> int:
        return hash(tuple(self._texts))

    @property
    def secretive(self) -> bool:
        """Whether there is anything to take out."""
        return bool(self._texts)

    def error(self, error: BackstopError) -> None:
        """Take every secret out of an error's message, in place."""
        clean = self.text(error.message)
        if clean != error.message:
            error.message, error.args = clean, (clean,)

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


def guard_logs(redactor: Redactor) -> None:
    """Keep secrets out of what the HTTP libraries log, as long as the process lives."""
    for name in _SILENCED:
        logging.getLogger(name).addFilter(_silent)

    def clean(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if redactor.text(text) != text:
            record.msg, record.args = redactor.text(text), ()
        return True

    if redactor.secretive:
        for name in _CLEANED:
            logger = logging.getLogger(name)
            logger.filters = [known for known in logger.filters if getattr(known, "redactor", None) != redactor]
            clean.redactor = redactor  # type: ignore[attr-defined]
            logger.addFilter(clean)


TRIAL: Final = "/trial/"
"""What SportRadar's paths say of the key. Items say this whatever key there is: one archive serves both."""

MLB_V8: Final = "/mlb/trial/v8/"
"""How the paths of SportRadar's MLB feeds begin in items: v7 has the same feeds under the same names."""


class KeyedTransport(httpx.AsyncBaseTransport):
    """A transport that adds a feed's key to a request on its way out, and to SportRadar's path what the key is for.

    A key of SportRadar is for a level of access and, in the MLB feeds, for a version.

    Args:
        inner: What sends the request.
        settings: Hold the keys.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._access = f"/{settings.sportradar_access}/"
        self._mlb = f"/mlb/trial/{settings.sportradar_version}/"
        self._keys = {feed: key for feed in Feed if may_have_keys(settings) and (key := settings.key_of(feed))}

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
        extensions = {name: value for name, value in request.extensions.items() if name != EXTENSION}
        url, headers = request.url, request.headers
        if feed is Feed.SPORTRADAR:
            # also where no key is known here: a server of one's own may stand before the feed and add it
            url = url.copy_with(path=url.path.replace(MLB_V8, self._mlb, 1).replace(TRIAL, self._access, 1))
        if (key := self._keys.get(feed)) is None:
            return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
        if place is Secret.QUERY_API_KEY:
            url = url.copy_merge_params({place.value: key.get_secret_value()})
        else:
            headers = headers.copy()
            headers[place.value] = key.get_secret_value()
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)


def may_have_keys(settings: Settings) -> bool:
    """Tell whether keys may go where the settings find the feeds.

    A key goes to its feed's own host and to one that is set for this feed alone. A server that stands in for all feeds
    (`upstream`) gets it on this machine only: it needs no key, or checks any.
    """
    if not settings.upstream.startswith(("http://", "https://")):
        return True
    return address.is_loopback(httpx.URL(settings.upstream).host)


def require_key(item: Item, settings: Settings) -> None:
    """Refuse to ask a paid feed at its own address without a key, and to send a key over an open line.

    Raises:
        ConfigurationError: the feed wants a key and the settings hold none, or it would go out without TLS.
    """
    if item.secret is Secret.NONE:
        return
    base = settings.url_of(item.feed)
    if settings.key_of(item.feed) is not None:
        _require_tls(item.feed, base, settings)
    elif base == LIVE_HOSTS[item.feed]:
        raise ConfigurationError(
            f"No key is set for {item.feed.value}, which answers nobody without one; "
            f"set BACKSTOP_{item.feed.value.upper()}_KEY."
        )


def _require_tls(feed: Feed, base: str, settings: Settings) -> None:
    if base.startswith("https://") or not may_have_keys(settings):
        return
    host = httpx.URL(base).host
    if not address.is_loopback(host) and host.lower() not in address.listed(settings):
        raise ConfigurationError(
            f"The key of {feed.value} would go to {host!r} in clear; give BACKSTOP_{feed.value.upper()}_URL as "
            "https://, or list a host of your own network in BACKSTOP_PRIVATE_HOSTS."
        )
