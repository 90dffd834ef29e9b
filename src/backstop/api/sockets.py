"""The WebSocket's address, and what is said at it and elsewhere to who asks for it otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, WebSocket

from backstop.api import parameters as ask
from backstop.api.problems import SHOWN, Problem, refuse_socket

if TYPE_CHECKING:
    from backstop.api.live import Hub


def routes(hub: Hub) -> APIRouter:
    """Return the routes; the last one matches every WebSocket."""
    router = APIRouter()

    @router.websocket("/api/v1/live", dependencies=[Depends(ask.only_known)])
    async def live(
        socket: WebSocket,
        slate: Annotated[ask.IsoDate, Query()],
        since: Annotated[int | None, Query(ge=0, le=2**53), ask.WHOLE] = None,
        stream: Annotated[str | None, Query(max_length=32)] = None,
    ) -> None:
        offered = socket.scope.get("subprotocols", [])
        await socket.accept("backstop" if "backstop" in offered else None)
        await hub.serve(socket, slate, since, stream)

    @router.get("/api/v1/live", include_in_schema=False)
    async def over_http() -> None:
        raise Problem(
            426,
            "This is a WebSocket: open it as ws://.../api/v1/live?slate=YYYY-MM-DD, with a client that speaks it.",
            kind="websocket",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )

    @router.websocket("/{path:path}")
    async def elsewhere(socket: WebSocket) -> None:
        told = f"There is no WebSocket at {socket.url.path[:SHOWN]}; the only one is /api/v1/live."
        await refuse_socket(Problem(404, told), socket.scope, socket.receive, socket.send)

    return router
