"""The ASGI application: routes, counters and faults in front of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backstop.demo.account import Account
from backstop.demo.routes import Routes
from backstop.demo.rows import RowFaults
from backstop.demo.world import World

STATS_PATH = "/_upstream/stats"


def request_class(path: str) -> str:
    """Return the feed that a path belongs to: savant, statsapi, theodds, sportradar, or other."""
    feeds = {
        "/statcast_search": "savant", "/leaderboard": "savant", "/running_splits": "savant", "/gf": "savant",
        "/api/": "statsapi", "/v4/": "theodds", "/mlb/": "sportradar", "/oddscomparison": "sportradar",
    }  # fmt: skip
    return next((feed for start, feed in feeds.items() if path.startswith(start)), "other")


@dataclass
class Counters:
    """What the server saw: requests, statuses, and the most requests in flight at once, per feed and over all."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    max_in_flight: Counter[str] = field(default_factory=Counter)

    def enter(self, feed: str) -> None:
        """Count a request that begins."""
        for name in (feed, "all"):
            self.requests[name] += 1
            self.in_flight[name] += 1
            self.max_in_flight[name] = max(self.max_in_flight[name], self.in_flight[name])

    def leave(self, feed: str) -> None:
        """Count a request that ends."""
        for name in (feed, "all"):
            self.in_flight[name] -= 1

    def shown(self) -> dict[str, dict[str, int]]:
        """Return the counters as plain values."""
        return {name: dict(getattr(self, name)) for name in ("requests", "statuses", "in_flight", "max_in_flight")}


class Upstream:
    """Counts every request and delays it before the routes see it.

    Args:
        routes: The application that answers.
        counters: Where requests are counted.
        latency_s: Seconds that pass before every answer.
    """

    def __init__(self, routes: ASGIApp, counters: Counters, latency_s: float) -> None:
        self._routes = routes
        self._counters = counters
        self._latency_s = latency_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_upstream"):
            await self._routes(scope, receive, send)
            return
        feed = request_class(scope["path"])
        self._counters.enter(feed)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counters.statuses[str(message["status"])] += 1
            await send(message)

        try:
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            await self._routes(scope, receive, counted)
        finally:
            self._counters.leave(feed)


def build(
    world: World, *, latency_s: float = 0, account: Account | None = None, rows: RowFaults | None = None
) -> ASGIApp:
    """Return the application that serves a world."""
    counters = Counters()

    def stats(_: Any) -> Response:
        return Response(orjson.dumps(counters.shown()), media_type="application/json")

    routes = Routes(world, account or Account(), rows or RowFaults()).table()
    return Upstream(Starlette(routes=[Route(STATS_PATH, stats), *routes]), counters, latency_s)
