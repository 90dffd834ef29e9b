"""HTTP as uvicorn speaks it, without connections that never ask or never read: uvicorn waits for both without end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import h11

REQUEST_S: Final = 75
"""Time for a whole request's head, and between requests.

Proxies (nginx, the clouds' balancers) keep an idle connection for 60 s: whoever closes it earlier makes them send
requests into one that was just closed.
"""


class Protocol(H11Protocol):
    """Closes a connection on which no request has come, or of whose answer nothing was read, for too long."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._patience: asyncio.TimerHandle | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next request, as long as for the first one: bytes that make none do not prolong it."""
        self._unread = 0
        self._wait()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to the WebSocket's own pings."""
        self._end()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._end()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._end()
        self._patience = self.loop.call_later(REQUEST_S, self._give_up)

    def _end(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        if before and before == self._unread:
            self.transport.abort()  # closing would wait until the rest is read
            return
        if self.cycle is None or self.cycle.response_complete:
            self.timeout_keep_alive_handler()
        if self._unread:
            self._wait()
