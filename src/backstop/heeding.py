"""Make an asyncio Redis client honour every cancellation.

redis-py sends with `asyncio.wait_for`. On Python 3.11 that returns as if nothing had happened when it is cancelled
in the turn of the loop in which the send ends: the cancellation is lost, and whoever ended the task waits for ever.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any


def heeding(client: Any) -> Any:
    """Return the client, of a server or of a cluster, after making its connections raise a cancellation that was lost.

    For a client that has opened no connection yet.
    """
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        pool.connection_class = _heeding(pool.connection_class)
        return client
    client.connection_kwargs["connection_class"] = _heeding(client.connection_kwargs["connection_class"])
    for node in client.startup_nodes:
        node.connection_class = _heeding(node.connection_class)
    return client


class _Heeding:
    __slots__ = ()

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(*args, **options)  # type: ignore[misc]
        if task and task.cancelling() > before:
            # it was sent and nobody will read the answer: on this line it would be the next question's
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise asyncio.CancelledError


@functools.cache
def _heeding(connection: type) -> type:
    return type(f"Heeding{connection.__name__}", (_Heeding, connection), {"__slots__": ()})
