"""Read slates: every answer says whether it is fresh, stale or missing, and how old.

A read is one script call: pointer and rows come from the same instant, so no answer mixes two versions.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from backstop import tables
from backstop.errors import UsageError
from backstop.limits import SLATE_FRESH_S
from backstop.store import decode, keys, scripts
from backstop.store.codec import Columns
from backstop.store.drafts import instant_of
from backstop.store.faults import explained
from backstop.store.kinds import ALL_MARKETS, FEATURES, KINDS, PROPS, TOP_OF_ALL, TOP_PER_MARKET
from backstop.store.packing import Codec, Packing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backstop.clock import Clock

SORTS: Final = dict(PROPS.orders)
"""Names that readers sort by, with the column behind each."""

VERSIONS_KNOWN: Final = 64
"""Versions whose columns a reader remembers; a dictionary takes 16 KB."""


class State(StrEnum):
    """How far an answer may be relied on."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SlateView:
    """A published slate. With state `missing` everything else is null or empty.

    Attributes:
        day: The slate.
        state: Fresh, stale or missing.
        version: The version served.
        age_s: Seconds since it was published, by the reader's clock or the server's, whichever says longer.
        published_at: By the writer's clock.
        cutoff: What was known until then is in the rows.
        run_id: The run that wrote it.
        meta: What the writer gave with it.
        props_count: Rows of props.
        features_count: Rows of features.
        pinned: Whether an operator holds this version.
    """

    day: dt.date
    state: State
    version: int | None = None
    age_s: float | None = None
    published_at: dt.datetime | None = None
    cutoff: dt.datetime | None = None
    run_id: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    props_count: int = 0
    features_count: int = 0
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a version's rows of one kind are to be read; it never changes."""

    columns: Columns
    packing: Packing
    shards: int


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a version; it never changes, so a reader asks for it once."""

    cutoff: dt.datetime
    published_at: dt.datetime
    run_id: str
    meta: Mapping[str, Any]
    rows: Mapping[str, int]
    shapes: Mapping[str, Shape]

    @classmethod
    def parse(cls, meta: Mapping[bytes, bytes]) -> About:
        """Read it off a version's meta."""
        return cls(
            instant_of(meta[b"cutoff"]),
            instant_of(meta[b"published_at"]),
            meta[b"run_id"].decode(),
            orjson.loads(meta[b"meta"]),
            orjson.loads(meta[b"rows"]),
            read_shapes(meta),
        )


@dataclass(frozen=True)
class PlayerView:
    """A player's rows in a slate. With state `missing` both lists are empty.

    Attributes:
        player_id: MLBAM id.
        slate: The slate that the rows come from.
        raw: Kind to its shape and the value as Redis holds it, `None` when the player has no row of that kind.
    """

    player_id: int
    slate: SlateView
    raw: Mapping[str, tuple[Shape, bytes | None]]

    @property
    def state(self) -> State:
        """The slate's state, or missing when the slate has no row of the player."""
        found = any(value is not None for _, value in self.raw.values())
        return self.slate.state if found else State.MISSING

    @property
    def age_s(self) -> float | None:
        """Seconds since the slate was published, null when missing."""
        return self.slate.age_s if self.state is not State.MISSING else None

    @functools.cached_property
    def features(self) -> list[dict[str, Any]]:
        """One dict per game and role."""
        return self._rows(FEATURES.name)

    @functools.cached_property
    def props(self) -> list[dict[str, Any]]:
        """One dict per prop, with the columns of `tables.PROPS`."""
        return self._rows(PROPS.name)

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        shape, value = self.raw.get(kind, (None, None))
        if shape is None or value is None:
            return []
        return decode.rows_of(shape.columns, self.player_id, shape.packing.unpack([value])[0])


class SlateReader:
    """Reads slates.

    Args:
        redis: A client with bytes replies.
        clock: Tells how old a slate is.
        fresh_s: Seconds after which a slate is stale.
    """

    def __init__(self, redis: Any, clock: Clock, *, fresh_s: float = SLATE_FRESH_S) -> None:
        self.redis: Any = redis
        self.clock = clock
        self.fresh_s = fresh_s
        self._known: dict[tuple[dt.date, int], About] = {}

    def slate(self, day: dt.date) -> SlateView:
        """Return what is known of a day's published slate; `missing` when there is none."""
        with explained(f"reading the slate of {day}"):
            return self._read(day, (), ())[0]

    def days(self) -> list[dt.date]:
        """Return the days that have a published slate, oldest first."""
        with explained("listing the slates"):
            listed = [dt.date.fromisoformat(day.decode()) for day in self.redis.zrange(keys.days(), 0, -1)]
            pipeline = self.redis.pipeline(transaction=False)
            for day in listed:
                pipeline.hexists(keys.SlateKeys(day).current, "version")
            return [day for day, there in zip(listed, pipeline.execute(), strict=True) if there]

    def player(self, player_id: int, day: dt.date | None = None) -> PlayerView:
        """Return a player's rows, by default of the latest published slate."""
        return self.players([player_id], day)[0]

    def players(self, player_ids: Sequence[int], day: dt.date | None = None) -> list[PlayerView]:
        """Return many players' rows in the order asked for, all of one version, in one round trip."""
        if day is None:
            published = self.days()
            if not published:
                empty = SlateView(self.clock.now().date(), State.MISSING)
                return [PlayerView(player_id, empty, {}) for player_id in player_ids]
            day = published[-1]
        kinds = (FEATURES.name, PROPS.name)  # the order that READ_ONE answers in
        with explained(f"reading players of {day}"):
            view, found = self._read(day, kinds, player_ids)
            shapes = self._shapes_of(view)
        return [
            PlayerView(player_id, view, {k: (shapes[k], found[n][i]) for n, k in enumerate(kinds) if k in shapes})
            for i, player_id in enumerate(player_ids)
        ]

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
        if sort not in SORTS:
            raise UsageError(f"{sort!r} is not a way to sort props; expected one of {', '.join(SORTS)}.")
        if limit is not None and limit < 1:
            raise UsageError(f"A limit of {limit} shows nothing; expected 1 or more.")
        with explained(f"reading the props of {day}"):
            view = self._read(day, (), ())[0]
            shape = self._shapes_of(view).get(PROPS.name)
            if view.version is None or shape is None:
                return tables.PROPS.empty()
            ready = TOP_OF_ALL if market is None else TOP_PER_MARKET
            if limit is not None and limit <= ready and team is None:
                members = self.redis.zrevrange(
                    keys.SlateKeys(day).top(view.version, sort, market or ALL_MARKETS), 0, limit - 1
                )
                if len(members) == limit:
                    return decode.frame_of(shape.columns, map(decode.member_of, members))
            frame = decode.frame_of(shape.columns, every_value(self.redis, day, view.version, PROPS.name, shape))
        if market is not None:
            frame = frame.filter(pl.col("market") == market)
        if team is not None:
            frame = frame.filter(pl.col("team") == team)
        frame = frame.sort([SORTS[sort], "prop_id"], descending=[True, False], nulls_last=True)
        return frame if limit is None else frame.head(limit)

    def features(self, day: dt.date) -> pl.DataFrame:
        """Return a slate's features, one row per player, game and role; without columns when the slate is missing."""
        with explained(f"reading the features of {day}"):
            view = self._read(day, (), ())[0]
            shape = self._shapes_of(view).get(FEATURES.name)
            if view.version is None or shape is None:
                return pl.DataFrame()
            return decode.frame_of(
                shape.columns, every_value(self.redis, day, view.version, FEATURES.name, shape)
            ).sort(FEATURES.key)

    def _read(
        self, day: dt.date, kinds: Sequence[str], ids: Sequence[int]
    ) -> tuple[SlateView, list[list[bytes | None]]]:
        slate = keys.SlateKeys(day)
        wanted = kinds if ids else ()
        arguments: tuple[Any, ...]
        if len(ids) == 1:
            script, arguments = scripts.READ_ONE, (slate.version_prefix, ids[0])
        else:
            script, arguments = scripts.READ, (slate.version_prefix, len(wanted), *wanted, *ids)
        pointer, server_now, there, *values = scripts.run(self.redis, script, (slate.current,), arguments)
        nothing: list[list[bytes | None]] = [[None] * len(ids) for _ in kinds]
        about = self._about(day, int(pointer[0])) if there else None
        if about is None:
            return SlateView(day, State.MISSING), nothing
        return self._view(day, about, pointer, int(server_now)), values[0] if wanted else nothing

    def _about(self, day: dt.date, version: int) -> About | None:
        known = self._known.get((day, version))
        if known is None:
            meta = self.redis.hgetall(keys.SlateKeys(day).meta(version))
            if not meta:
                return None
            known = About.parse(meta)
            if len(self._known) >= VERSIONS_KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[(day, version)] = known
        return known

    def _view(self, day: dt.date, about: About, pointer: list[bytes], server_now: int) -> SlateView:
        # a writer's clock that ran ahead must not make its slate look younger than the server knows it to be
        by_clock = self.clock.now().timestamp() - int(pointer[1]) / 1e6
        age_s = max(by_clock, server_now - int(pointer[2]))
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

    def _shapes_of(self, view: SlateView) -> Mapping[str, Shape]:
        return {} if view.version is None else self._known[(view.day, view.version)].shapes


def read_shapes(meta: Mapping[bytes, bytes]) -> dict[str, Shape]:
    """Return the shape of each kind that a version's meta tells of."""
    shapes: dict[str, Shape] = {}
    for kind in KINDS.values():
        text = meta.get(f"columns:{kind.name}".encode())
        if text is not None:
            dictionary = meta.get(f"dictionary:{kind.name}".encode(), b"")
            packing = Packing(Codec(meta[b"codec"].decode()), dictionary)
            shapes[kind.name] = Shape(Columns.parse(text), packing, int(meta[f"shards:{kind.name}".encode()]))
    return shapes


def every_value(redis: Any, day: dt.date, version: int, kind: str, shape: Shape) -> Iterator[tuple[int, bytes]]:
    """Yield all players of a kind in one version with their values, without holding Redis for long."""
    for shard in range(shape.shards):
        # a scan may give a field twice
        found = dict(redis.hscan_iter(keys.SlateKeys(day).rows(version, kind, shard), count=2000))
        values = shape.packing.unpack(list(found.values()))
        yield from zip(map(int, found), values, strict=True)
