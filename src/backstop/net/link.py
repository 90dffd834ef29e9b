"""The link between workers through Redis: scripts with typed errors, and one listener for their messages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import redis.exceptions

from backstop.errors import StoreUnavailable
from backstop.net import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub
    from redis.commands.core import AsyncScript

BEAT_S: Final = 5.0
"""Seconds between signs of life: leases last three times as long, so two may be missed."""

LISTEN_S: Final = 1.0
"""Longest silence after which the listener looks whether its connection still lives."""


REMEMBERED_MS: Final = 7 * 24 * 3600 * 1000
"""Addresses that nobody asks are known for a week."""


class Link:
    """One worker's connection to the shared state.

    Args:
        redis: A client with bytes replies; the caller closes it.
        beat_s: Seconds between signs of life.
    """

    def __init__(self, redis: Redis, *, beat_s: float = BEAT_S) -> None:
        self.redis = redis
        self.beat_s = beat_s
        self.worker = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._scripts: dict[str, AsyncScript] = {}
        self._ears: dict[str, list[Callable[[str], None]]] = {}
        self._beats: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._pubsub: PubSub | None = None

    @property
    def lease_ms(self) -> int:
        """How long a lease lasts without a sign of life."""
        return int(self.beat_s * 3000)

    async def open(self) -> None:
        """Start to give signs of life."""
        self.spawn(self._beat())

    async def close(self) -> None:
        """Stop listening and beating; a cancellation that the Redis client lost (`backstop.heeding`) is said again."""
        ending = list(self._tasks)
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=self.beat_s)
        await asyncio.gather(*ending, return_exceptions=True)
        if self._pubsub is not None:
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the requests, until the link closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def every_beat(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something at every sign of life."""
        self._beats.append(work)

    async def hear(self, channel: str, ear: Callable[[str], None]) -> None:
        """Call the ear with every message on a channel; returns once the subscription holds.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        self._ears.setdefault(channel, []).append(ear)
        with explained():
            if self._pubsub is None:
                self._pubsub = self.redis.pubsub(ignore_subscribe_messages=False)
            await self._pubsub.subscribe(channel)
            if len(self._ears) == 1 and len(self._ears[channel]) == 1:
                await self._pubsub.get_message(timeout=LISTEN_S)  # the confirmation
                self.spawn(self._listen(self._pubsub))

    async def run(self, script: str, names: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script.

        Raises:
            StoreUnavailable: Redis cannot be reached or refuses.
        """
        prepared = self._scripts.get(script)
        if prepared is None:
            prepared = self._scripts[script] = self.redis.register_script(script)
        with explained():
            return await prepared(keys=list(names), args=list(args))

    async def remember(self, host: str) -> None:
        """Note that an address is asked now.

        Raises:
            StoreUnavailable: Redis cannot be reached or refuses.
        """
        with explained():
            await self.redis.zadd(keys.hosts(), {host: time.time()})
            await self.redis.pexpire(keys.hosts(), REMEMBERED_MS)

    async def hosts(self) -> list[tuple[str, float]]:
        """Return the addresses that were asked within a week, newest first, with the time in seconds since 1970.

        Raises:
            StoreUnavailable: Redis cannot be reached or refuses.
        """
        since = time.time() - REMEMBERED_MS / 1000
        with explained():
            found: Any = await self.redis.zrange(keys.hosts(), since, "+inf", byscore=True, withscores=True)
        return [(host.decode(), float(at)) for host, at in reversed(found)]

    async def read(self, key: str, field: str) -> bytes | None:
        """Return one field of a hash.

        Raises:
            StoreUnavailable: Redis cannot be reached or refuses.
        """
        with explained():
            value = await self.redis.hget(key, field)
        return value.encode() if isinstance(value, str) else value

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            try:
                message = await pubsub.get_message(timeout=LISTEN_S)
            except redis.exceptions.RedisError:
                await asyncio.sleep(self.beat_s / 10)  # get_message subscribes again when it reconnects
                continue
            if message is None or message["type"] != "message":
                continue
            text = message["data"].decode()
            for ear in self._ears.get(message["channel"].decode(), []):
                ear(text)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.beat_s)
            for work in list(self._beats):
                with contextlib.suppress(StoreUnavailable):  # the next beat tries again; leases lapse meanwhile
                    await work()


@contextlib.contextmanager
def explained() -> Any:
    """Turn errors of the Redis client into ours.

    Raises:
        StoreUnavailable: Redis cannot be reached, is loading or refuses.
    """
    try:
        yield
    except redis.exceptions.RedisError as error:
        raise StoreUnavailable(
            f"Redis, which the workers share their limits through, did not serve the network room ({error}); start it "
            "or unset BACKSTOP_REDIS_URL to run one worker without it.",
            source="redis",
        ) from error


class Batch:
    """Runs one script for many callers: who comes while a call is under way goes with the next one.

    No timer: the first caller goes at once.

    Args:
        run: Takes what the callers gave and returns one result for each, in order.
    """

    def __init__(self, run: Callable[[list[Any]], Coroutine[Any, Any, Sequence[Any]]]) -> None:
        self._run = run
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None

    async def call(self, value: Any) -> Any:
        """Return the script's result for one value.

        Raises:
            StoreUnavailable: Redis cannot be reached or refuses.
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((value, result))
        if self._running is None:
            self._running = loop.create_task(self._drain())
        return await result

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._one(batch)
        finally:
            self._running = None

    async def _one(self, batch: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        try:
            results = await self._run([value for value, _ in batch])
        except StoreUnavailable as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(StoreUnavailable(error.message, source=error.source))
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
