"""Read slates: every answer says whether it is fresh, stale or missing, and how old.

`SlateReader` and `AsyncSlateReader` have the same methods and follow the same plans (`backstop.store.reading`): a read
is one round trip, and no answer mixes two versions.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from backstop.limits import SLATE_FRESH_S
from backstop.store.asking import drive, drive_async
from backstop.store.faults import explained
from backstop.store.reading import SORTS, Reading
from backstop.store.views import About, PlayerView, Shape, SlateView, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from backstop.clock import Clock

__all__ = ["SORTS", "About", "AsyncSlateReader", "PlayerView", "Shape", "SlateReader", "SlateView", "State"]


class SlateReader:
    """Reads slates.

    Args:
        redis: A client with bytes replies.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, redis: Any, clock: Clock, *, fresh_s: float = SLATE_FRESH_S) -> None:
        self.redis: Any = redis
        self.reading = Reading(clock, fresh_s)

    def slate(self, day: dt.date) -> SlateView:
        """Return what is known of a day's published slate; `missing` when there is none."""
        with explained(f"reading the slate of {day}"):
            return drive(self.redis, self.reading.slate(day))

    def days(self) -> list[dt.date]:
        """Return the days that have a published slate, oldest first."""
        with explained("listing the slates"):
            return drive(self.redis, self.reading.days())

    def player(self, player_id: int, day: dt.date | None = None) -> PlayerView:
        """Return a player's rows, by default of the latest published slate."""
        return self.players((player_id,), day)[0]

    def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> list[PlayerView]:
        """Return many players' rows in the order asked for, all of one version, in one round trip."""
        with explained("reading players"):
            return drive(self.redis, self.reading.players(player_ids, day))

    def props(
        self,
        day: dt.date,
        market: str | None = None,
        team: str | None = None,
        limit: int | None = None,
        sort: str = "ev",
    ) -> pl.DataFrame:
        """Return a slate's props, best first, those without a value to sort by last.

        The first hundred of a market and the first three hundred of all are kept ready; anything else reads the slate.

        Args:
            day: The slate.
            market: Only this market.
            team: Only players of this team.
            limit: At most so many.
            sort: `ev` for expected value per unit, `edge` for the difference to the market.

        Returns:
            Columns of `tables.PROPS`; without rows when the slate is missing.

        Raises:
            UsageError: an unknown sort, or a limit below 1.
        """
        with explained(f"reading the props of {day}"):
            return drive(self.redis, self.reading.props(day, market, team, limit, sort))

    def features(self, day: dt.date) -> pl.DataFrame:
        """Return a slate's features, one row per player, game and role; without columns when the slate is missing."""
        with explained(f"reading the features of {day}"):
            return drive(self.redis, self.reading.features(day))


class AsyncSlateReader:
    """Reads slates on an event loop; every method is that of `SlateReader`, awaited.

    Args:
        redis: An asyncio client with bytes replies.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, redis: Any, clock: Clock, *, fresh_s: float = SLATE_FRESH_S) -> None:
        self.redis: Any = redis
        self.reading = Reading(clock, fresh_s)

    async def slate(self, day: dt.date) -> SlateView:
        """Return what is known of a day's published slate; `missing` when there is none."""
        with explained(f"reading the slate of {day}"):
            return await drive_async(self.redis, self.reading.slate(day))

    async def days(self) -> list[dt.date]:
        """Return the days that have a published slate, oldest first."""
        with explained("listing the slates"):
            return await drive_async(self.redis, self.reading.days())

    async def player(self, player_id: int, day: dt.date | None = None) -> PlayerView:
        """Return a player's rows, by default of the latest published slate."""
        return (await self.players((player_id,), day))[0]

    async def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> list[PlayerView]:
        """Return many players' rows in the order asked for, all of one version, in one round trip."""
        with explained("reading players"):
            return await drive_async(self.redis, self.reading.players(player_ids, day))

    async def props(
        self,
        day: dt.date,
        market: str | None = None,
        team: str | None = None,
        limit: int | None = None,
        sort: str = "ev",
    ) -> pl.DataFrame:
        """Return a slate's props, best first, those without a value to sort by last.

        Raises:
            UsageError: an unknown sort, or a limit below 1.
        """
        with explained(f"reading the props of {day}"):
            return await drive_async(self.redis, self.reading.props(day, market, team, limit, sort))

    async def features(self, day: dt.date) -> pl.DataFrame:
        """Return a slate's features, one row per player, game and role; without columns when the slate is missing."""
        with explained(f"reading the features of {day}"):
            return await drive_async(self.redis, self.reading.features(day))
