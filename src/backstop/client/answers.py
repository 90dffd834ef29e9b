"""What a client answers with, and what it asks for that."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backstop.errors import UsageError
from backstop.props import markets
from backstop.store.views import SlateView, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from backstop.store.asking import Plan
    from backstop.store.reading import Reading
    from backstop.store.views import PlayerView

POLL_S: Final = 1.0
"""A flip is announced at once; an announcement that was lost is made up for within this time."""

PATIENCE_S: Final = 30.0
"""A restart or a failover takes seconds; a Redis that is away for longer is somebody's business."""

RETRY_S: Final = 0.25
"""Between two tries while Redis is away."""


@dataclass(frozen=True)
class Top:
    """The best props of a slate.

    Attributes:
        slate: The slate that they come from, with its state and age.
        props: Columns of `tables.PROPS`, best first; without rows when the slate is missing.
    """

    slate: SlateView
    props: pl.DataFrame

    @property
    def state(self) -> State:
        """The slate's state."""
        return self.slate.state


@dataclass(frozen=True, slots=True)
class Flip:
    """Another version is served than before.

    Attributes:
        slate: What is served now; with state `missing` when nothing is any more.
        previous: The version before; null when this is the first that the watcher sees.
    """

    slate: SlateView
    previous: int | None

    @property
    def version(self) -> int | None:
        """The version served now."""
        return self.slate.version


def slate_of(reading: Reading, day: dt.date | None) -> Plan[SlateView]:
    """Ask for a day's slate, or the newest."""
    day = checked_day(day) or (yield from reading.latest())
    if day is None:
        return nothing(reading)
    return (yield from reading.slate(day))


def top_of(
    reading: Reading, market: str | None, day: dt.date | None, team: str | None, limit: int, sort: str
) -> Plan[Top]:
    """Ask for the best props of a day, or of the newest one, with the slate that they come from.

    Raises:
        UsageError: a market or an order that is none, a limit below 1 or none, or a day that is none.
    """
    if market is not None:
        markets.market(market)
    try:
        limit = operator.index(limit)
    except TypeError:
        raise UsageError(f"A limit of {limit!r} is no number of props; expected a whole one, 1 or more.") from None
    day = checked_day(day) or (yield from reading.latest()) or reading.clock.now().date()
    return Top(*(yield from reading.best(day, market, team, limit, sort)))


def players_of(reading: Reading, player_ids: Sequence[int], day: dt.date | None) -> Plan[list[PlayerView]]:
    """Ask for several players of a day, or of the newest one.

    Raises:
        UsageError: an id or the day is none.
    """
    return (yield from reading.players(checked_ids(player_ids), checked_day(day)))


def checked_day(day: dt.date | None) -> dt.date | None:
    """Return a day as it was given.

    Raises:
        UsageError: it is none: an instant or text would be a key that nothing was ever published under.
    """
    if day is not None and (isinstance(day, dt.datetime) or not isinstance(day, dt.date)):
        raise UsageError(f"{day!r} is no baseball day; expected a date, for example date(2025, 6, 15).")
    return day


def checked_ids(player_ids: Iterable[int]) -> tuple[int, ...]:
    """Return ids as Python's own integers, also those of a column.

    Raises:
        UsageError: one of them is no whole number, or they are no collection.
    """
    if isinstance(player_ids, str) or not isinstance(player_ids, Iterable):
        raise UsageError(f"{player_ids!r} is no list of players' ids; expected one, for example [592450].")
    found: list[int] = []
    for each in player_ids:
        try:
            found.append(operator.index(each))
        except TypeError:
            raise UsageError(
                f"{each!r} is no player's id; expected MLBAM's whole number, for example 592450."
            ) from None
    return tuple(found)


def nothing(reading: Reading) -> SlateView:
    """Return the answer of a store without any slate."""
    return SlateView(reading.clock.now().date(), State.MISSING)


class Watcher:
    """Tells a flip from what was seen before.

    Args:
        since: Version that the caller has already; the first flip is the first other one.
        patience_s: Seconds for which Redis may be away.
    """

    def __init__(self, since: int | None, patience_s: float) -> None:
        if patience_s < 0:
            raise UsageError(f"A patience of {patience_s} s cannot be; expected 0 or more.")
        self.patience_s = patience_s
        self.seen: tuple[dt.date, int] | None = None
        self.since = since
        self.first = True
        self.away_since: float | None = None

    def flip(self, slate: SlateView) -> Flip | None:
        """Return the flip that a slate is, `None` when it is what was seen last.

        The first slate is one, unless it is the version that the caller has; without one, nothing published is none.
        """
        self.away_since = None
        now = None if slate.version is None else (slate.day, slate.version)
        known = slate.version == self.since if self.first else now == self.seen
        before = self.since if self.first else self.seen and self.seen[1]
        self.first, self.seen = False, now
        return None if known else Flip(slate, before)

    def waited_long(self, now_s: float) -> bool:
        """Note that Redis is away; returns whether it is so for longer than the caller wants to wait."""
        if self.away_since is None:
            self.away_since = now_s
        return now_s - self.away_since >= self.patience_s
