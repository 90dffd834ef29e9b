"""The way in for callers without an event loop: one thread with one loop and one fetcher."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self, TypeVar

from redis.asyncio import Redis

from backstop import telemetry
from backstop.clock import Clock, SystemClock
from backstop.errors import StoreUnavailable, UsageError
from backstop.heeding import heeding
from backstop.net.archive import Archive
from backstop.net.client import Fetcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from types import TracebackType

    from backstop.errors import UpstreamError
    from backstop.net.breaker import Moved
    from backstop.net.health import FeedHealth
    from backstop.net.item import Answer, Item
    from backstop.net.meter import Counts
    from backstop.settings import Settings

T = TypeVar("T")


class Bridge:
    """A fetcher on a loop of its own, called from any thread; a context manager.

    Redis is used when `settings.redis_url` is set or `connect` is given: the client belongs to the loop, so it is made
    there. Transitions of breakers go to `telemetry`. Answers are kept in `settings.archive_dir` unless the upstream is
    a replay.

    Args:
        settings: As for `Fetcher`.
        clock: Stamps answers; the machine's clock when not given.
        connect: Makes the Redis client, for addresses that `Redis.from_url` does not know.
        options: Further arguments of `Fetcher`.
    """

    _shared: dict[tuple[int, Settings], Bridge] = {}  # noqa: RUF012 - the point of it: one per process
    _lock = threading.Lock()

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        connect: Callable[[], Awaitable[Any]] | None = None,
        **options: Any,
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._connect = connect
        self._options = options
        self._loop = asyncio.new_event_loop()
        self.closed = False
        ready: Future[Fetcher] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True, name="backstop-net")
        self._thread.start()
        self.fetcher = ready.result()

    @classmethod
    def shared(cls, settings: Settings, *, connect: Callable[[], Awaitable[Any]] | None = None) -> Bridge:
        """Return the bridge of this process for these settings, made at the first call, closed when the process ends.

        A forked child gets its own: a loop thread does not survive a fork.

        Args:
            settings: What it is made for.
            connect: Makes the Redis client when the bridge is made.
        """
        key = (os.getpid(), settings)
        with cls._lock:
            bridge = cls._shared.get(key)
            if bridge is None or bridge.closed:
                bridge = cls._shared[key] = cls(settings, connect=connect)
                atexit.register(bridge.close)
            return bridge

    def fetch_many(
        self,
        items: Sequence[Item],
        inspect: Callable[[bytes], None] | None = None,
        on_done: Callable[[Item, Answer | UpstreamError], None] | None = None,
        *,
        budget_s: float | None = None,
        bodies: bool = True,
    ) -> list[Answer | UpstreamError]:
        """Fetch items and wait for all; see `Fetcher.fetch_many`. `on_done` is called on the loop's thread.

        Raises:
            StoreUnavailable: Redis cannot be reached, so nobody may ask.
            UsageError: the bridge is closed.
        """
        return self._call(self.fetcher.fetch_many(items, inspect, on_done, budget_s=budget_s, bodies=bodies))

    def health(self) -> list[FeedHealth]:
        """Return the state of every feed, with the credits by the newest answer to any worker.

        Raises:
            UsageError: the bridge is closed.
        """

        async def ask() -> list[FeedHealth]:
            with contextlib.suppress(StoreUnavailable):  # then by what is known here
                await self.fetcher.learn_credits()
            return self.fetcher.health()

        return self._call(ask())

    def counts(self) -> dict[str, Counts]:
        """Return what was counted, by feed.

        Raises:
            UsageError: the bridge is closed.
        """

        async def ask() -> dict[str, Counts]:
            return self.fetcher.counts()

        return self._call(ask())

    def hosts(self) -> list[tuple[str, float]]:
        """Return the addresses asked within a week and when (Unix time, s), newest first; none without Redis.

        Raises:
            StoreUnavailable: Redis cannot be reached.
            UsageError: the bridge is closed.
        """
        return self._call(self.fetcher.hosts())

    def totals(self) -> dict[str, Counts]:
        """Return what all workers counted, by feed.

        Raises:
            StoreUnavailable: Redis cannot be reached.
            UsageError: the bridge is closed.
        """
        return self._call(self.fetcher.totals())

    def listen(self, listener: Callable[[Moved], None]) -> None:
        """Call the listener, on the loop's thread, with every transition of a breaker."""
        self._loop.call_soon_threadsafe(self.fetcher.listen, listener)

    def close(self) -> None:
        """End the fetcher, the loop and the thread; what is under way is cancelled."""
        if self.closed:
            return
        self.closed = True
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self.closed:
            work.close()
            raise UsageError("This bridge is closed; open another one.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _run(self, ready: Future[Fetcher]) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live(ready))

    async def _live(self, ready: Future[Fetcher]) -> None:
        redis: Any = None
        try:
            if self._connect is not None:
                redis = await self._connect()
            elif self._settings.redis_url is not None:
                redis = heeding(Redis.from_url(self._settings.redis_url))
            archive = Archive(self._settings.archive_dir)
            async with Fetcher(
                self._settings, clock=self._clock, redis=redis, **{"archive": archive, **self._options}
            ) as fetcher:
                fetcher.listen(telemetry.emit)
                ready.set_result(fetcher)
                await self._stop.wait()
                await _cancel_others()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
                return
            raise
        finally:
            if redis is not None:
                await redis.aclose()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
