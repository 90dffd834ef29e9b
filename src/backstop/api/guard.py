"""Middleware before every route: host names, origins, keys, rate limit, size of bodies; and after it, headers.

Plain ASGI: it costs a cached read some microseconds.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from backstop.api.problems import Problem, refuse_socket, retry_after

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from backstop.api.limit import Limit
    from backstop.api.metrics import Metrics
    from backstop.settings import Settings

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Counted by name; a caller may make up others without end."""

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""What a page of another site may ask: its browser keeps the answer from it."""

LARGEST_BODY: Final = 64 * 1024
"""No request has a body that means anything."""

OPEN_PATHS: Final = frozenset({"/", "/favicon.ico", "/health/live", "/health/ready"})
OPEN_FOLDER: Final = "/board/"
"""Page and probes need no key: they tell nothing of a slate."""

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
READABLE: Final = "ETag, Location, Retry-After, Backstop-State, Backstop-Age-S, Backstop-Version, Backstop-Fresh-For-S"
"""Headers that a page of a listed origin may read."""

PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Idempotency-Key, If-None-Match, X-API-Key",
    "Access-Control-Max-Age": "600",
}
"""What a page of a listed origin is told that it may send."""

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Wraps an app.

    Args:
        app: What is guarded.
        settings: Names, keys and origins.
        limit: Requests per caller.
        metrics: Counts and times requests.
    """

    def __init__(self, app: ASGIApp, settings: Settings, limit: Limit, metrics: Metrics) -> None:
        self.app = app
        self.limit = limit
        self.metrics = metrics
        self.keys = [key.encode() for key in listed(settings.api_keys.get_secret_value() if settings.api_keys else "")]
        self.origins = set(listed(settings.api_origins or ""))
        self.names = {name.lower() for name in listed(settings.api_names or "")}
        # who listens on loopback only is asked by this machine only, unless a page was tricked into asking by name
        self.checks_names = is_loopback(settings.api_host) or bool(self.names)
        self.names |= LOCAL_NAMES | {settings.api_host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self.app(scope, receive, send)
            else:
                await receive()
                await refuse_socket(refusal, scope, receive, send)
            return
        await self._http(scope, receive, send, headers, refusal)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, refusal: Problem | None
    ) -> None:
        began, status, is_head = time.perf_counter(), 500, scope["method"] == "HEAD"
        method = scope["method"] if scope["method"] in METHODS else "other"
        if is_head:
            # a HEAD is a GET whose body stays here (RFC 9110, 9.3.2)
            scope["method"] = "GET"

        async def watched(message: Message) -> None:
            nonlocal status
            if is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                status = message["status"]
                self._decorate(message, headers.get("origin"))
                self.metrics.seconds.labels(_route(scope)).observe(time.perf_counter() - began)
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                if self._is_preflight(scope, headers):
                    await Response(status_code=204, headers=PREFLIGHT)(scope, receive, watched)
                elif refusal is None:
                    await self.app(scope, receive, watched)
                else:
                    await refusal.response(scope["path"])(scope, receive, watched)
            finally:
                self.metrics.requests.labels(method, _route(scope), str(status)).inc()

    def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        return (
            self._name(headers)
            or self._origin(scope, headers)
            or self._key(scope, headers)
            or self._rate(scope, headers)
            or _size(headers)
        )

    def _name(self, headers: Headers) -> Problem | None:
        """Refuse a name that is not ours: a page of another site can make a browser ask us by its own name."""
        if not self.checks_names or host_of(headers.get("host", "")) in self.names:
            return None
        seen = headers.get("host", "")[:200]
        return Problem(
            403, f"This server does not answer to the name {seen!r}; add it to BACKSTOP_API_NAMES.", kind="unknown-name"
        )

    def _origin(self, scope: Scope, headers: Headers) -> Problem | None:
        """Refuse what a page of another site asks, where asking alone has an effect, and to be asked beforehand."""
        origin = headers.get("origin")
        asks_before = "access-control-request-method" in headers
        if origin is None or origin in self.origins or (scope.get("method") in READING and not asks_before):
            return None
        if origin.partition("://")[2] == headers.get("host"):
            return None
        return Problem(
            403,
            f"A page of {origin[:200]!r} may not ask this; add its origin to BACKSTOP_API_ORIGINS if it is yours.",
            kind="foreign-origin",
        )

    def _is_preflight(self, scope: Scope, headers: Headers) -> bool:
        """Return whether a browser asks if a page of a listed origin may ask; it sends no key with that."""
        asks = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        return asks and headers.get("origin") in self.origins and self._name(headers) is None

    def _needs_key(self, path: str) -> bool:
        return bool(self.keys) and path not in OPEN_PATHS and not path.startswith(OPEN_FOLDER)

    def _key(self, scope: Scope, headers: Headers) -> Problem | None:
        if not self._needs_key(scope["path"]):
            return None
        # a bucket of its own: what is tried from an address takes nothing from probes and pages that ask from it too,
        # and while it is empty no key is looked at, not even a right one: it would tell who guesses that he found it
        failures = f"wrong keys of {_address(scope)}"
        if wait_s := self.limit.look(failures):
            return self._too_many(wait_s, "requests a second without a right key")
        given = key_of(headers)
        # every key is compared, each in constant time: neither its place nor its beginning shows in the time taken
        matches = [hmac.compare_digest(given, key) for key in self.keys]
        if any(matches):
            return None
        self.limit.take(failures)
        return Problem(
            401,
            "A key is needed: send it as X-API-Key, or as Authorization: Bearer.",
            kind="no-key",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _rate(self, scope: Scope, headers: Headers) -> Problem | None:
        # where no key is asked for, whatever is sent as one proves nothing
        is_known = self._needs_key(scope["path"])
        wait_s = self.limit.take(key_of(headers).decode("latin-1") if is_known else _address(scope))
        return self._too_many(wait_s, "requests a second") if wait_s else None

    def _too_many(self, wait_s: float, what: str) -> Problem:
        return Problem(
            429,
            f"More than {self.limit.per_s:g} {what}; come back in {max(wait_s, 0.01):.2f} s.",
            kind="too-many-requests",
            headers=retry_after(wait_s),
        )

    def _decorate(self, message: Message, origin: str | None) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.origins:
            # also where none is sent: a copy that was kept then must not be given to a page
            headers.add_vary_header("Origin")
        if origin is not None and origin in self.origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = READABLE


def listed(text: str) -> list[str]:
    """Return the parts of a list by commas.

    >>> listed(" a, b,,")
    ['a', 'b']
    """
    return [part.strip() for part in text.split(",") if part.strip()]


def host_of(header: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_of("LocalHost:8090"), host_of("[::1]:8090"), host_of("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_of(headers: Headers) -> bytes:
    """Return the key that a caller sent, empty for none; browsers' WebSockets send it as a subprotocol."""
    if (key := headers.get("x-api-key")) is not None:
        return key.encode("latin-1")  # the bytes that were sent
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode("latin-1")
    for protocol in listed(headers.get("sec-websocket-protocol", "")):
        if protocol.startswith("key."):
            text = protocol.removeprefix("key.")
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except ValueError:
                return b""
    return b""


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _size(headers: Headers) -> Problem | None:
    length = headers.get("content-length", "0")
    told = "transfer-encoding" not in headers
    if told and length.isdecimal() and int(length) <= LARGEST_BODY:
        return None
    seen = f"has {length[:20]} bytes" if told else "does not say its length"
    return Problem(
        413, f"The body {seen}; requests here need none, and {LARGEST_BODY} bytes are the most.", kind="body"
    )


def _route(scope: Scope) -> str:
    """Return the route's pattern: a metric with one label per address would grow without end."""
    route: Any = scope.get("route")
    return getattr(route, "path", "other")
