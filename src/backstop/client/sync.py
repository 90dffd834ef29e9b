"""The client for threads."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from redis.exceptions import RedisError

from backstop.client.answers import PATIENCE_S, POLL_S, RETRY_S, Flip, Top, Watcher, players_of, slate_of, top_of
from backstop.clock import Clock, SystemClock
from backstop.errors import StoreUnavailable
from backstop.limits import SLATE_FRESH_S
from backstop.store import keys
from backstop.store.asking import drive
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from backstop.store.views import PlayerView, SlateView


class Client:
    """Reads slates; threads may share one.

    Args:
        redis: A client with bytes replies.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, redis: Any, clock: Clock | None = None, *, fresh_s: float = SLATE_FRESH_S) -> None:
        self.redis: Any = redis
        self.reading = Reading(clock or SystemClock(), fresh_s)

    @classmethod
    def open(cls, url: str, *, fresh_s: float = SLATE_FRESH_S) -> Client:
        """Connect to a Redis: `redis://`, `rediss://`, `unix://`, or sentinels and clusters as in BACKSTOP_REDIS_URL.

        Raises:
            ConfigurationError: the URL is none that is known.
            StoreUnavailable: nobody answers there.
        """
        return cls(connect_url(url), fresh_s=fresh_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.redis.close()

    def days(self) -> list[dt.date]:
        """Return the days that have a published slate, oldest first."""
        with explained("listing the slates"):
            return drive(self.redis, self.reading.days())

    def slate(self, day: dt.date | None = None) -> SlateView:
        """Return what is known of a day's slate, by default the newest; with state `missing` when there is none.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        with explained("reading a slate"):
            return drive(self.redis, slate_of(self.reading, day))

    def player(self, player_id: int, day: dt.date | None = None) -> PlayerView:
        """Return a player's features and props, by default of the newest slate; `missing` when it lacks him."""
        return self.players([player_id], day)[0]

    def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> list[PlayerView]:
        """Return many players in the order asked for, all of one version, in one round trip."""
        with explained("reading players"):
            return drive(self.redis, players_of(self.reading, player_ids, day))

    def top(
        self,
        market: str | None = None,
        *,
        day: dt.date | None = None,
        team: str | None = None,
        limit: int = 20,
        sort: str = "ev",
    ) -> Top:
        """Return the best props of a market or of all, by default of the newest slate.

        Args:
            market: Market key, for example `batter_hits`.
            day: The slate.
            team: Only players of this team.
            limit: At most so many.
            sort: `ev` for expected value per unit, `edge` for the difference to the market.

        Raises:
            UsageError: an unknown market or sort, a limit below 1, a day that is no date.
        """
        with explained("reading the best props"):
            return drive(self.redis, top_of(self.reading, market, day, team, limit, sort))

    def watch(
        self,
        day: dt.date | None = None,
        *,
        since: int | None = None,
        patience_s: float = PATIENCE_S,
        stop: threading.Event | None = None,
    ) -> Iterator[Flip]:
        """Yield the served version, then every other that is served after it, until `stop` is set.

        A flip that is undone before it was looked at is not seen; the last one always is. An announcement that was
        lost is made up for within a second, a lost connection as soon as Redis is back.

        Args:
            day: The slate; by default whichever is the newest.
            since: Version that the caller has already.
            patience_s: Seconds for which Redis may be away.
            stop: Ends the watch within a second.

        Raises:
            StoreUnavailable: Redis was away for longer than that.
        """
        watcher, stopped = Watcher(since, patience_s), stop or threading.Event()
        with contextlib.closing(self.redis.pubsub(ignore_subscribe_messages=True)) as announced:
            subscribed = False
            while not stopped.is_set():
                try:
                    with explained("watching a slate"):
                        if not subscribed:
                            announced.subscribe(keys.published())
                            subscribed = True
                        # asked for after the subscription: what is flipped in between is announced
                        flip = watcher.flip(self.slate(day))
                        if flip is None:
                            announced.get_message(timeout=POLL_S)
                except StoreUnavailable:
                    if watcher.waited_long(time.monotonic()):
                        raise
                    subscribed = False
                    with contextlib.suppress(RedisError):
                        announced.reset()
                    stopped.wait(RETRY_S)
                    continue
                if flip is not None:
                    yield flip
