"""The ASGI application: routes, with counters and faults in front of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backstop.demo import wire
from backstop.demo.account import Account
from backstop.demo.faults import Plan, scenario
from backstop.demo.radar import Radar
from backstop.demo.routes import Routes
from backstop.demo.world import World
from backstop.errors import UsageError

STATS_PATH = "/_upstream/stats"
FAULTS_PATH = "/_upstream/faults"
SECRETS = frozenset({"apiKey", "api_key"})


def request_class(path: str) -> str:
    """Return the feed that a path belongs to: savant, statsapi, theodds, sportradar, chadwick, or other."""
    feeds = {
        "/statcast_search": "savant", "/leaderboard": "savant", "/running_splits": "savant", "/visuals": "savant",
        "/chadwickbureau": "chadwick",
        "/api/": "statsapi", "/v4/": "theodds", "/mlb/": "sportradar", "/oddscomparison": "sportradar",
    }  # fmt: skip
    return next((feed for start, feed in feeds.items() if path.startswith(start)), "other")


@dataclass
class Counters:
    """What the server saw: requests, statuses, faults, and the most requests in flight at once, per feed and in all."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
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
        names = ("requests", "statuses", "faults", "in_flight", "max_in_flight")
        return {name: dict(getattr(self, name)) for name in names}


class Front:
    """Counts every request, delays it, and lets faults strike.

    Args:
        world: What there is to tell.
        plan: What goes wrong.
        latency_s: Seconds that pass before every answer.
        key_required: Whether paid feeds refuse requests without a key.
    """

    def __init__(self, world: World, plan: Plan, *, latency_s: float = 0, key_required: bool = False) -> None:
        self._world = world
        self._plan = plan
        self._latency_s = latency_s
        self._key_required = key_required
        self._counters = Counters()
        self._routes = self._build()

    def _build(self) -> ASGIApp:
        account = Account(self._plan.scenario.credits, key_required=self._key_required)
        radar = Radar(self._world, limited=self._plan.scenario.rate_limit, key_required=self._key_required)
        own = [Route(STATS_PATH, self._stats), Route(FAULTS_PATH, self._set_faults, methods=["PUT"])]
        return Starlette(routes=[*own, *Routes(self._world, account, self._plan.scenario.rows).table(), *radar.table()])

    def _stats(self, request: Request) -> Response:
        del request
        return Response(orjson.dumps(self._counters.shown()), media_type="application/json")

    async def _set_faults(self, request: Request) -> Response:
        """Change the scenario of a running server; its draws and its account begin anew."""
        text = (await request.body()).decode()
        try:
            self._plan = Plan(scenario(text), self._plan.seed)
        except UsageError as error:
            return Response(error.message, 400)
        self._routes = self._build()
        return Response(status_code=204)

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
            await self._answer(feed, scope, receive, counted)
        finally:
            self._counters.leave(feed)

    async def _answer(self, feed: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = question(scope)
        rule = self._plan.decide(feed, request)
        if rule is None:
            await self._routes(scope, receive, send)
            return
        self._counters.faults[rule.fault.value] += 1
        captured = wire.Captured()
        await self._routes(scope, receive, captured.send)
        await wire.strike(rule, feed, scope, captured, send, self._plan.draw("coin", request))


def question(scope: Scope) -> str:
    """Return a request's path and parameters without keys: the same text for the same question."""
    query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    return f"{scope['path']}?{urlencode(sorted((name, value) for name, value in query if name not in SECRETS))}"
