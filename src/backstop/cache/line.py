"""The connection to Redis, known to be up or down, so that no reader waits for a server that is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from redis.exceptions import RedisError

from backstop.errors import StoreError, StoreUnavailable
from backstop.store.batcher import Batcher
from backstop.store.faults import explain

ANSWER_S: Final = 2.0
"""A read takes a millisecond; a server that is silent for this long is treated as gone until it answers a probe."""


class Line:
    """One client of one Redis.

    Args:
        connect: Returns a connected asyncio client; called until it succeeds once. The client reconnects by itself.
        answer_s: Seconds after which an answer is not waited for any longer.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], *, answer_s: float = ANSWER_S) -> None:
        self.connect = connect
        self.answer_s = answer_s
        self.up = False
        self.reason = "it was not asked yet"
        self.losses = 0
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._batcher: Batcher | None = None

    async def probe(self) -> Any:
        """Return the client after making sure that the server answers; connects the first time.

        Raises:
            StoreError: it does not.
        """
        try:
            async with asyncio.timeout(self.answer_s):
                async with self._connecting:
                    if self._client is None:
                        self._client = await self.connect()
                        self._batcher = Batcher(self._client)
                await self._client.ping()
        except TimeoutError:
            raise self.lost("it does not answer in time") from None
        except RedisError as error:
            raise self.lost(str(explain(error, "asking whether it lives"))) from error
        except StoreError as error:
            raise self.lost(error.message) from error
        self.up = True
        return self._client

    def lost(self, reason: str) -> StoreUnavailable:
        """Note that the server does not answer; returns the error that says so."""
        if self.up:
            self.losses += 1
        self.up, self.reason = False, reason
        return self.unavailable()

    def unavailable(self) -> StoreUnavailable:
        """Return the error for whoever needs Redis now."""
        return StoreUnavailable(
            f"Redis cannot be read ({self.reason}); only what is cached is served until it answers again. "
            "Check that it runs and BACKSTOP_REDIS_URL.",
            source="redis",
            retry_after_s=1.0,
        )

    async def do(self, *command: Any) -> Any:
        """Send a command with whatever else is sent now; return its answer.

        Raises:
            StoreError: Redis refused it or does not answer.
        """
        async with self.using(f"{command[0]} {command[1]}"):
            return await self.batcher.do(*command)

    @property
    def batcher(self) -> Batcher:
        """What sends small commands together.

        Raises:
            StoreUnavailable: nothing was ever connected.
        """
        if self._batcher is None:
            raise self.unavailable()
        return self._batcher

    @contextlib.asynccontextmanager
    async def using(self, doing: str) -> AsyncIterator[Any]:
        """Yield the client for a bounded time.

        Raises:
            StoreError: Redis refused, or does not answer; it is down for everybody then until a probe succeeds.
        """
        if not self.up:
            raise self.unavailable()
        try:
            async with asyncio.timeout(self.answer_s):
                yield self._client
        except TimeoutError:
            raise self.lost(f"{doing} was not answered within {self.answer_s:g} s") from None
        except StoreUnavailable as error:
            raise self.lost(error.message) from error
        except RedisError as error:
            told = explain(error, doing)
            if isinstance(told, StoreUnavailable):
                raise self.lost(told.message) from error
            raise told from error

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client, self.up = self._client, None, False
            # what still waits to be sent cannot be: the server may be gone
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.answer_s):
                    await self.batcher.close()
            await client.aclose()
