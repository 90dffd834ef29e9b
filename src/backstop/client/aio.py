"""The client for event loops: the methods of `Client`, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Self

from redis.exceptions import RedisError

from backstop.client.answers import PATIENCE_S, POLL_S, RETRY_S, Flip, Top, Watcher, players_of, slate_of, top_of
from backstop.clock import Clock, SystemClock
from backstop.errors import StoreUnavailable
from backstop.limits import SLATE_FRESH_S
from backstop.store import keys
from backstop.store.asking import drive_async
from backstop.store.connection import connect_url_async
from backstop.store.faults import explained
from backstop.store.reading import Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType

    from backstop.store.views import PlayerView, SlateView


class AsyncClient:
    """Reads slates; tasks of one event loop may share one.

    Args:
        redis: An asyncio client with bytes replies.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, redis: Any, clock: Clock | None = None, *, fresh_s: float = SLATE_FRESH_S) -> None:
        self.redis: Any = redis
        self.reading = Reading(clock or SystemClock(), fresh_s)

    @classmethod
    async def open(cls, url: str, *, fresh_s: float = SLATE_FRESH_S) -> AsyncClient:
        """Connect to a Redis, as `Client.open` does.

        Raises:
            ConfigurationError: the URL is none that is known.
            StoreUnavailable: nobody answers there.
        """
        return cls(await connect_url_async(url), fresh_s=fresh_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def days(self) -> list[dt.date]:
        """Return the days that have a published slate, oldest first."""
        with explained("listing the slates"):
            return await drive_async(self.redis, self.reading.days())

    async def slate(self, day: dt.date | None = None) -> SlateView:
        """Return what is known of a day's slate, by default the newest; with state `missing` when there is none.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        with explained("reading a slate"):
            return await drive_async(self.redis, slate_of(self.reading, day))

    async def player(self, player_id: int, day: dt.date | None = None) -> PlayerView:
        """Return a player's features and props, by default of the newest slate; `missing` when it lacks him."""
        return (await self.players([player_id], day))[0]

    async def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> list[PlayerView]:
        """Return many players in the order asked for, all of one version, in one round trip."""
        with explained("reading players"):
            return await drive_async(self.redis, players_of(self.reading, player_ids, day))

    async def top(
        self,
        market: str | None = None,
        *,
        day: dt.date | None = None,
        team: str | None = None,
        limit: int = 20,
        sort: str = "ev",
    ) -> Top:
        """Return the best props of a market or of all, by default of the newest slate; see `Client.top`.

        Raises:
            UsageError: an unknown market or sort, a limit below 1, a day that is no date.
        """
        with explained("reading the best props"):
            return await drive_async(self.redis, top_of(self.reading, market, day, team, limit, sort))

    async def watch(
        self, day: dt.date | None = None, *, since: int | None = None, patience_s: float = PATIENCE_S
    ) -> AsyncIterator[Flip]:
        """Yield the served version, then every other that is served after it, until the task is cancelled.

        See `Client.watch` for what is promised.

        Raises:
            StoreUnavailable: Redis was away for longer than `patience_s`.
        """
        watcher = Watcher(since, patience_s)
        async with contextlib.aclosing(self.redis.pubsub(ignore_subscribe_messages=True)) as announced:
            subscribed = False
            while True:
                try:
                    with explained("watching a slate"):
                        if not subscribed:
                            await announced.subscribe(keys.published())
                            subscribed = True
                        # asked for after the subscription: what is flipped in between is announced
                        flip = watcher.flip(await self.slate(day))
                        if flip is None:
                            await announced.get_message(timeout=POLL_S)
                except StoreUnavailable:
                    if watcher.waited_long(time.monotonic()):
                        raise
                    subscribed = False
                    with contextlib.suppress(RedisError):
                        await announced.aclose()
                    await asyncio.sleep(RETRY_S)
                    continue
                if flip is not None:
                    yield flip
