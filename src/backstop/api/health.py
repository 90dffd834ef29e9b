"""Routes that report the health of the API and of what it depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from backstop.api import models
from backstop.api.answers import plain
from backstop.api.metrics import figures
from backstop.api.parts import Component
from backstop.api.responses import refusals
from backstop.errors import BackstopError

if TYPE_CHECKING:
    from backstop.api.desk import Desk
    from backstop.api.feeds import Feeds
    from backstop.api.generation import Generator
    from backstop.api.live import Hub
    from backstop.api.metrics import Metrics
    from backstop.api.parts import Parts

PROBE_S: Final = 3.0
"""A component that does not answer within this is down for whoever waits for the page."""

RANK: Final = {"ok": 0, "degraded": 1, "down": 2}
VITAL: Final = frozenset({"redis"})
"""Without these nothing new can be served; anything else that is down makes the whole degraded."""

JSON_503: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": models.Health, "description": "It cannot serve; the sentence says why."}
}


def routes(desk: Desk, parts: Parts, hub: Hub, generator: Generator, metrics: Metrics, feeds: Feeds) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live", responses={200: {"model": models.Live}, **refusals()}, response_class=Response)
    async def live(request: Request) -> Response:
        """Say that the process answers."""
        return await plain(request, {"status": "ok"})

    @router.get(
        "/health/ready", responses={200: {"model": models.Health}, **refusals(), **JSON_503}, response_class=Response
    )
    async def ready(request: Request) -> Response:
        """Say whether slates can be served: from Redis, or as stale from what is cached while it is gone."""
        component = redis(desk)
        status = 503 if component.status == "down" else 200
        return await plain(request, component.told(), status=status)

    @router.get(
        "/health/detailed", responses={200: {"model": models.DetailedHealth}, **refusals()}, response_class=Response
    )
    async def detailed(request: Request) -> Response:
        """Say how every component does."""
        found = await components(desk, parts, feeds)
        told = {name: component.told() for name, component in found.items()}
        return await plain(request, {"status": overall(found), "components": told})

    prefix = "/api/v1/optimized/baseball-savant"

    @router.get(f"{prefix}/health", responses={200: {"model": models.Health}, **refusals()}, response_class=Response)
    async def generation_health(request: Request) -> Response:
        """Say whether props can be generated, and how fresh the current slate is."""
        component = await current(desk)
        return await plain(request, component.told())

    @router.get(f"{prefix}/metrics", responses={200: {"model": models.Figures}, **refusals()}, response_class=Response)
    async def generation_metrics(request: Request) -> Response:
        """Return the process's counters as JSON."""
        live_counts = {"clients": hub.clients, "sent": hub.counts.sent, "dropped": hub.counts.dropped}
        told = {"cache": figures(desk.cache), "live": live_counts, "generations": generator.done}
        return await plain(request, told)

    @router.get(
        "/metrics",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refusals()},
        response_class=Response,
    )
    async def prometheus() -> Response:
        """Return every metric in Prometheus' text format."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return router


async def components(desk: Desk, parts: Parts, feeds: Feeds) -> dict[str, Component]:
    """Ask every component at once; one that does not answer in time is down."""
    asked: dict[str, Awaitable[Component]] = {name: probe() for name, probe in parts.probes.items()}
    asked["feeds"] = feeds.component()
    answers = await asyncio.gather(*(_bounded(each) for each in asked.values()))
    return {"redis": redis(desk), "cache": cache(desk), **dict(zip(asked, answers, strict=True))}


def overall(found: dict[str, Component]) -> str:
    """Return the status of the whole."""
    worst = max((component.status for component in found.values()), key=lambda status: RANK[status])
    vital = max((found[name].status for name in VITAL if name in found), key=lambda status: RANK[status], default="ok")
    return vital if vital == "down" else "degraded" if worst != "ok" else "ok"


def redis(desk: Desk) -> Component:
    """Say how Redis does."""
    line, pointers = desk.cache.line, desk.cache.pointers
    followed = pointers.followed()
    if line.up:
        return Component("ok", "Redis answers.", {"slates": [str(day) for day in followed]})
    if followed:
        days = ", ".join(str(day) for day in followed[-3:])
        return Component(
            "degraded", f"Redis cannot be read ({line.reason}); what is cached of {days} is served as stale."
        )
    return Component("down", f"Redis cannot be read ({line.reason}) and nothing is cached.")


def cache(desk: Desk) -> Component:
    """Say how the cache does."""
    told = figures(desk.cache)["l1"]
    status = "ok" if not told["pressure"] else "degraded"
    detail = f"{told['entries']} entries, {told['bytes'] / 1e6:.1f} of {told['bound_bytes'] / 1e6:.0f} MB"
    detail += "." if status == "ok" else "; memory is short, so the cache keeps less."
    return Component(status, detail, {name: told[name] for name in ("bytes", "bound_bytes", "entries", "hit_rate")})


async def current(desk: Desk) -> Component:
    """Say how fresh the latest slate is."""
    try:
        days = await desk.slates.days()
        pointer = await desk.cache.pointers.pointer(days[-1]) if days else None
    except BackstopError as error:
        return Component("down", error.message)
    if pointer is None:
        return Component("degraded", "No slate is published yet; refresh a day first.")
    freshness = desk.cache.pointers.freshness(pointer)
    told = {
        "date": pointer.day,
        "version": pointer.version,
        "state": freshness.state,
        "age_s": round(freshness.age_s, 1),
    }
    status = "ok" if freshness.state == "fresh" else "degraded"
    return Component(status, f"The slate of {pointer.day} is {freshness.state.value}.", told)


async def _bounded(asked: Awaitable[Component]) -> Component:
    try:
        async with asyncio.timeout(PROBE_S):
            return await asked
    except TimeoutError:
        return Component("down", f"It did not answer within {PROBE_S:g} s.")
    except BackstopError as error:
        return Component("down", error.message)
