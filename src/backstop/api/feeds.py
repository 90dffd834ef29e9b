"""The feeds' state for the health page, metrics and live readers: polled, and pushed when a breaker changes state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from backstop import telemetry
from backstop.api.parts import Component
from backstop.api.repeated import repeated
from backstop.net.breaker import Moved

if TYPE_CHECKING:
    from backstop.api.live import Hub

LOOK_S: Final = 15.0
"""Credits and gates change slowly; a breaker that moves is heard at once."""


class Feeds:
    """What is known of the feeds.

    Args:
        status: Gives the state of every feed; called in a thread.
    """

    def __init__(self, status: Callable[[], list[dict[str, Any]]] | None) -> None:
        self.status = status
        self.last: list[dict[str, Any]] = []

    async def look(self) -> list[dict[str, Any]]:
        """Return the state of every feed.

        Raises:
            StoreUnavailable: the Redis through which workers share it cannot be reached.
        """
        if self.status is not None:
            self.last = await asyncio.to_thread(self.status)
        return self.last

    async def component(self) -> Component:
        """Say how the feeds do."""
        if self.status is None:
            return Component("ok", "No feed is watched from here.", {"feeds": []})
        found = await self.look()
        shut = [each["feed"] for each in found if each["breaker"] != "closed"]
        detail = f"Left alone after failures: {', '.join(shut)}." if shut else f"{len(found)} feeds may be asked."
        return Component("degraded" if shut else "ok", detail, {"feeds": found})

    @contextlib.asynccontextmanager
    async def watching(self, hub: Hub) -> AsyncIterator[None]:
        """Look now and then, and tell live readers of every breaker that moves, whichever process moved it."""
        loop = asyncio.get_running_loop()

        def heard(moved: Moved) -> None:
            told = {"feed": moved.feed, "breaker": moved.after, "retry_in_s": moved.pause_s, "reason": moved.reason}
            loop.call_soon_threadsafe(hub.tell, {"type": "feed", **told})

        async with repeated(self.look, LOOK_S):
            with telemetry.listening(heard, Moved):
                yield
