"""Repeat a call periodically while the app is served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from backstop.errors import BackstopError


@contextlib.asynccontextmanager
async def repeated(look: Callable[[], Awaitable[object]], pause_s: float) -> AsyncIterator[None]:
    """Call something inside the block, at once and after every pause; what it cannot reach now it can perhaps later."""

    async def looking() -> None:
        while True:
            with contextlib.suppress(BackstopError):
                await look()
            await asyncio.sleep(pause_s)

    task = asyncio.create_task(looking())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
