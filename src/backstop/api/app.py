"""The app: routes, guard and cache, assembled from parts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI

from backstop import __version__
from backstop.api import documents, generation, health, players, problems, slates, sockets
from backstop.api import parameters as ask
from backstop.api.board import pages
from backstop.api.description import describe
from backstop.api.desk import Desk
from backstop.api.dues import Dues
from backstop.api.feeds import Feeds
from backstop.api.generation import Generator
from backstop.api.guard import Guard
from backstop.api.limit import Limit
from backstop.api.live import Hub
from backstop.api.metrics import Metrics, Rooms
from backstop.cache.slates import Slates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backstop.api.parts import Parts

DESCRIPTION = (
    "Player features and player-prop projections of baseball days, as the flows publish them: whole versions, each "
    "answer with its state (`fresh` or `stale`) and age. Errors are problem documents (RFC 9457)."
)


def create_app(parts: Parts) -> FastAPI:
    """Return the app; its cache is opened and closed with it."""
    desk = Desk(Slates(parts.cache))
    generator = Generator(desk, parts)
    hub = Hub(desk)
    limit = Limit(parts.settings.api_requests_per_s)
    feeds = Feeds(parts.feeds)
    dues = Dues(parts.overdue, parts.clock)
    metrics = Metrics(Rooms(parts.cache, hub, generator, limit, feeds, dues))

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with parts.cache, feeds.watching(hub), dues.watching():
            hub.start()
            try:
                yield
            finally:
                await hub.stop()
                if parts.refresher is not None:
                    await parts.refresher.close()

    app = FastAPI(title="Backstop", version=__version__, description=DESCRIPTION, lifespan=lifespan, redoc_url=None)
    app.state.hub, app.state.metrics, app.state.desk = hub, metrics, desk
    for router in (
        slates.Routes(desk).router(),
        players.Routes(desk).router(),
        documents.routes(desk, parts),
        generation.routes(desk, generator, parts),
    ):
        app.include_router(router, dependencies=[Depends(ask.only_known)])
    app.include_router(health.routes(desk, parts, hub, generator, metrics, feeds))

    app.include_router(sockets.routes(hub))
    problems.handle(app)
    describe(app)
    pages.mount(app)
    app.add_middleware(Guard, settings=parts.settings, limit=limit, metrics=metrics)
    return app
