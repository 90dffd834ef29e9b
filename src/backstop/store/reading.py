"""What to ask Redis for a slate or its players, and what the answers mean; how they are sent is another matter.

The pointer and the rows of the version that it named last time are asked for together, so a read is one round trip
until the next flip. A version never changes: when the pointer names the version whose rows came with it, the answer is
that version whole; when it names another, that one's rows are asked for. Where a read takes several trips, Redis may
lose its data between two of them, or get another version of the same number: the stamp of the version comes with every
later trip, and what is not of one version is asked for again.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.errors import IncompleteVersion, UsageError
from backstop.store import decode, keys, scripts
from backstop.store.kinds import ALL_MARKETS, FEATURES, PROPS, TOP_OF_ALL, TOP_PER_MARKET
from backstop.store.questions import by_player, every_value, flipped, rows_of, stamp_of
from backstop.store.views import About, PlayerView, Shape, SlateView, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.clock import Clock
    from backstop.store.asking import Plan

SORTS: Final = dict(PROPS.orders)
"""Names that readers sort by, with the column behind each."""

VERSIONS_KNOWN: Final = 64
"""Versions whose columns a reader remembers; a dictionary takes 16 KB."""

POINTER: Final = ("version", "published_at", "server_at", "pinned")

TRIES: Final = 3
"""Reads of a slate whose rows are not those that were published; after the last of them it is damaged, not changing."""

NEWEST_DAYS: Final = 4
"""Days looked at in one trip for the newest slate; only the very last may lack one, while it is being published."""


class Reading:
    """Plans of reads, and what earlier answers taught.

    Args:
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, clock: Clock, fresh_s: float) -> None:
        self.clock = clock
        self.fresh_s = fresh_s
        self._known: dict[tuple[dt.date, int], About] = {}
        self._served: dict[dt.date, int] = {}
        self._ahead_s = 0.0

    def slate(self, day: dt.date) -> Plan[SlateView]:
        """Ask what is known of a day's published slate."""
        view, _ = yield from self._read(day, ())
        return view

    def days(self) -> Plan[list[dt.date]]:
        """Ask for the days that have a published slate, oldest first."""
        (listed,) = yield [("ZRANGE", keys.days(), 0, -1)]
        days = [dt.date.fromisoformat(day.decode()) for day in listed]
        return (yield from flipped(days)) if days else []

    def latest(self) -> Plan[dt.date | None]:
        """Ask for the newest day that has a published slate."""
        (listed,) = yield [("ZREVRANGE", keys.days(), 0, -1)]
        days = [dt.date.fromisoformat(day.decode()) for day in listed]
        for start in range(0, len(days), NEWEST_DAYS):
            found = yield from flipped(days[start : start + NEWEST_DAYS])
            if found:
                return found[0]
        return None

    def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> Plan[list[PlayerView]]:
        """Ask for many players' rows, all of one version."""
        if day is None:
            day = yield from self.latest()
        if day is None:
            view = SlateView(self.clock.now().date(), State.MISSING)
        else:
            view, found = yield from self._read(day, player_ids)
        if view.version is None:
            return [PlayerView(player_id, view, {}) for player_id in player_ids]
        shapes = self._known[(view.day, view.version)].shapes
        return [
            PlayerView(player_id, view, {kind: (shape, found[kind].get(player_id)) for kind, shape in shapes.items()})
            for player_id in player_ids
        ]

    def props(
        self, day: dt.date, market: str | None, team: str | None, limit: int | None, sort: str
    ) -> Plan[pl.DataFrame]:
        """Ask for a slate's props, best first.

        Raises:
            UsageError: an unknown sort, or a limit below 1.
        """
        return (yield from self.best(day, market, team, limit, sort))[1]

    def best(
        self, day: dt.date, market: str | None, team: str | None, limit: int | None, sort: str
    ) -> Plan[tuple[SlateView, pl.DataFrame]]:
        """Ask for a slate and its props, best first, both of one version.

        Raises:
            UsageError: an unknown sort, or a limit below 1.
            IncompleteVersion: Redis holds fewer rows than were published.
        """
        if sort not in SORTS:
            raise UsageError(f"{sort!r} is not a way to sort props; expected one of {', '.join(SORTS)}.")
        if limit is not None and limit < 1:
            raise UsageError(f"A limit of {limit} shows nothing; expected 1 or more.")
        ready = TOP_OF_ALL if market is None else TOP_PER_MARKET
        if limit is not None and limit <= ready and team is None:
            found = yield from self._ready(day, market, limit, sort)
            if found is not None:
                return found
        view, frame = yield from self._all(day, PROPS.name)
        if frame is None:
            return view, tables.PROPS.empty()
        if market is not None:
            frame = frame.filter(pl.col("market") == market)
        if team is not None:
            frame = frame.filter(pl.col("team") == team)
        frame = frame.sort([SORTS[sort], "prop_id"], descending=[True, False], nulls_last=True)
        return view, frame if limit is None else frame.head(limit)

    def features(self, day: dt.date) -> Plan[pl.DataFrame]:
        """Ask for a slate's features, one row per game, player and role.

        Raises:
            IncompleteVersion: Redis holds fewer rows than were published.
        """
        _, frame = yield from self._all(day, FEATURES.name)
        return pl.DataFrame() if frame is None else frame.sort(FEATURES.key)

    def _ready(
        self, day: dt.date, market: str | None, limit: int, sort: str
    ) -> Plan[tuple[SlateView, pl.DataFrame] | None]:
        """Ask for the best props that are kept ready; `None` when there are not as many of them."""
        view, _ = yield from self._read(day, ())
        shape = self._shape_of(view, PROPS.name)
        if view.version is None or shape is None:
            return view, tables.PROPS.empty()
        slate = keys.SlateKeys(day)
        best = slate.top(view.version, sort, market or ALL_MARKETS)
        members, stamp = yield [("ZREVRANGE", best, 0, limit - 1), stamp_of(slate, view.version)]
        if len(members) < limit or stamp != self._known[(day, view.version)].stamp:
            return None
        return view, decode.frame_of(shape.columns, map(decode.member_of, members))

    def _all(self, day: dt.date, kind: str) -> Plan[tuple[SlateView, pl.DataFrame | None]]:
        """Ask for a slate and all its rows of a kind, both of one version; `None` when it has none of that kind.

        Raises:
            IncompleteVersion: Redis holds fewer rows than were published.
        """
        version, held, published = 0, 0, 0
        for _ in range(TRIES):
            view, _ = yield from self._read(day, ())
            shape = self._shape_of(view, kind)
            if view.version is None or shape is None:
                return view, None
            version, about = view.version, self._known[(day, view.version)]
            values = yield from every_value(day, version, kind, shape, about.stamp)
            frame = None if values is None else decode.frame_of(shape.columns, values)
            if frame is not None and frame.height == about.rows.get(kind, 0):
                return view, frame
            self._known.pop((day, version), None)
            held, published = 0 if frame is None else frame.height, about.rows.get(kind, 0)
        raise IncompleteVersion(
            f"{kind} of {day}: Redis holds {held} rows of version {version}, {published} were published. Nothing of it "
            "is given out; restore it with `backstop redis rebuild`, or refresh the day.",
            source="redis",
        )

    def _read(self, day: dt.date, ids: Sequence[int]) -> Plan[tuple[SlateView, dict[str, dict[int, bytes | None]]]]:
        """Ask for the pointer and the players' rows, of the version that is served."""
        slate, guess = keys.SlateKeys(day), self._served.get(day)
        about = None if guess is None else self._known.get((day, guess))
        asked = [] if guess is None or about is None else rows_of(slate, guess, about, ids)
        pointer, *answers = yield [("HMGET", slate.current, *POINTER), *asked]
        version = None if pointer[0] is None else int(pointer[0])
        if version is not None and (version != guess or about is None or about.stamp != pointer[1]):
            about = yield from self._about(day, version, pointer[1])
            asked = [] if about is None else rows_of(slate, version, about, ids)
            if about is not None:
                *answers, stamp = yield [*asked, stamp_of(slate, version)]
                if stamp != about.stamp:  # lost since its meta was read
                    self._known.pop((day, version), None)
                    return (yield from self._read(day, ids))
        if version is None or about is None:
            self._served.pop(day, None)
            return SlateView(day, State.MISSING), {}
        self._served[day] = version
        found = by_player(about, ids, answers) if ids else {}
        there = any(value is not None for values in found.values() for value in values.values())
        if ids and not there:
            # nobody found: a slate that has no such player, or a version that Redis lost
            answers = yield [("EXISTS", slate.meta(version))]
        if not there and not answers[0]:
            self._known.pop((day, version), None)
            return SlateView(day, State.MISSING), {}
        return self._view(day, about, pointer), found

    def _about(self, day: dt.date, version: int, stamp: bytes) -> Plan[About | None]:
        known = self._known.get((day, version))
        if known is None or known.stamp != stamp:
            slate = keys.SlateKeys(day)
            # a script, so that a cluster asks the node that holds the slate
            meta, clock = yield [("HGETALL", slate.meta(version)), ("EVAL", scripts.NOW, 1, slate.current)]
            self._ahead_s = int(clock[0]) - time.monotonic()
            if not meta:
                return None
            known = About.parse(meta)
            if len(self._known) >= VERSIONS_KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[(day, version)] = known
        return known

    def _view(self, day: dt.date, about: About, pointer: list[bytes]) -> SlateView:
        # a writer's clock that ran ahead must not make its slate look younger than the server knows it to be: the
        # server's clock was asked once per version, and goes on at the pace of a clock that nobody sets
        by_clock = self.clock.now().timestamp() - int(pointer[1]) / 1e6
        age_s = max(by_clock, int(time.monotonic() + self._ahead_s) - int(pointer[2]))
        return SlateView(
            day=day,
            state=State.FRESH if age_s <= self.fresh_s else State.STALE,
            version=int(pointer[0]),
            age_s=age_s,
            published_at=about.published_at,
            cutoff=about.cutoff,
            run_id=about.run_id,
            meta=about.meta,
            props_count=about.rows.get(PROPS.name, 0),
            features_count=about.rows.get(FEATURES.name, 0),
            pinned=pointer[3] is not None,
        )

    def _shape_of(self, view: SlateView, kind: str) -> Shape | None:
        return None if view.version is None else self._known[(view.day, view.version)].shapes.get(kind)
