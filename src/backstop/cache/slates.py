"""A slate's rows through the cache: what is known of a version, players' rows, whole frames."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from backstop.cache.cache import Cache, VersionGone
from backstop.cache.namespaces import Collection, Load, Namespace
from backstop.cache.pointer import Pointer
from backstop.store import decode, keys
from backstop.store.kinds import FEATURES, KINDS, PROPS
from backstop.store.reader import About, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOUT: Final = "metadata.about"
ROWS: Final = {FEATURES.name: "features.rows", PROPS.name: "props.rows"}
FRAMES: Final = {FEATURES.name: "features.frame", PROPS.name: "props.frame"}
NAMESPACES: Final = {FEATURES.name: Namespace.FEATURES, PROPS.name: Namespace.PROPS}


ROWS_OF: Final = """
-- KEYS: meta, rows   ARGV: published_at, players...   nothing when the version is not the one that is meant
-- version numbers begin again when a server lost its data: the same key may hold another version's rows
if redis.call('HGET', KEYS[1], 'published_at') ~= ARGV[1] then return false end
if #ARGV == 1 then return redis.call('HGETALL', KEYS[2]) end
return redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a version, with its size as Redis sent it."""

    about: About
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Frame:
    """All rows of one kind of a version."""

    rows: pl.DataFrame

    @property
    def size_bytes(self) -> int:
        """Bytes of the columns."""
        return int(self.rows.estimated_size())


@dataclass(frozen=True, slots=True)
class Listed:
    """The published days, and when they were listed."""

    days: tuple[dt.date, ...]
    at: float


class Slates:
    """Reads slates through a cache.

    Args:
        cache: Gets this room's collections.
    """

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._listed: Listed | None = None
        cache.pointers.announced.append(self._forget_days)
        cache.add(Collection(ABOUT, Namespace.METADATA, self._load_about))
        for kind in KINDS:
            space = NAMESPACES[kind]
            cache.add(
                Collection(ROWS[kind], space, self._rows_of(kind)),
                Collection(FRAMES[kind], space, self._frame_of(kind)),
            )

    async def days(self) -> tuple[dt.date, ...]:
        """Return the days that have a published slate, oldest first; not those whose rows outlived their lifetime.

        Raises:
            StoreError: they are not known here and Redis does not answer.
        """
        listed = self._listed
        fresh = listed is not None and time.monotonic() - listed.at < self.cache.pointers.poll_s
        if listed is not None and (fresh or not self.cache.line.up):
            return listed.days
        async with self.cache.line.using("listing the slates") as redis:
            every = [dt.date.fromisoformat(day.decode()) for day in await redis.zrange(keys.days(), 0, -1)]
            pipeline = redis.pipeline(transaction=False)
            for day in every:
                pipeline.hget(keys.SlateKeys(day).current, "version")
            served = await pipeline.execute()
            flipped = [(day, int(version)) for day, version in zip(every, served, strict=True) if version is not None]
            for day, version in flipped:
                pipeline.exists(keys.SlateKeys(day).meta(version))
            there = await pipeline.execute() if flipped else []
        days = tuple(day for (day, _), is_there in zip(flipped, there, strict=True) if is_there)
        self._listed = Listed(days, time.monotonic())
        return days

    async def version(self, day: dt.date, version: int) -> Pointer | None:
        """Return a pointer to one kept version, whatever is served; `None` when it is not kept.

        Raises:
            StoreError: Redis does not answer.
        """
        served = await self.cache.pointers.pointer(day)
        if served is None or served.version == version:
            return served
        slate = keys.SlateKeys(day)
        async with self.cache.line.using(f"looking for version {version} of {day}") as redis:
            kept = await redis.zscore(slate.versions, str(version))
            published, server = await redis.hmget(slate.meta(version), "published_at", "server_at")
        if kept is None or published is None:
            return None
        turn, ahead_s = served.turn, served.server_ahead_s
        return Pointer(day, version, turn, int(published), int(server), pinned=False, server_ahead_s=ahead_s)

    async def versions(self, day: dt.date) -> list[int]:
        """Return the kept versions, oldest first.

        Raises:
            StoreError: Redis does not answer.
        """
        async with self.cache.line.using(f"listing the versions of {day}") as redis:
            return [int(each) for each in await redis.zrange(keys.SlateKeys(day).versions, 0, -1)]

    async def about(self, pointer: Pointer) -> About:
        """Return what is known of a version.

        Raises:
            VersionGone: Redis does not keep it any more.
            StoreError: Redis does not answer.
        """
        known: Known = await self.cache.get(ABOUT, pointer)
        return known.about

    async def rows(self, pointer: Pointer, kind: str, players: Sequence[int]) -> Mapping[int, list[dict[str, Any]]]:
        """Return players' rows of one kind, empty for a player without any.

        Raises:
            StoreError: some are not cached and Redis does not answer.
        """
        shape = (await self.about(pointer)).shapes.get(kind)
        if shape is None:
            return {player: [] for player in players}
        found = await self.cache.get_many(ROWS[kind], pointer, [str(player) for player in players])
        return {
            player: [] if (value := found[str(player)]) is None else decode.rows_of(shape.columns, player, value)
            for player in players
        }

    async def frame(self, pointer: Pointer, kind: str) -> pl.DataFrame:
        """Return all rows of one kind sorted by key, without columns when the version has none.

        Raises:
            StoreError: they are not cached and Redis does not answer.
        """
        frame: Frame = await self.cache.get(FRAMES[kind], pointer)
        return frame.rows

    def _forget_days(self) -> None:
        if self.cache.line.up:
            self._listed = None

    async def _load_about(self, pointer: Pointer, names: Sequence[str]) -> list[Known]:
        meta = await self.cache.line.do("HGETALL", keys.SlateKeys(pointer.day).meta(pointer.version))
        if not isinstance(meta, dict):
            meta = dict(zip(meta[::2], meta[1::2], strict=True))
        if meta.get(b"published_at") != b"%d" % pointer.published_us:
            raise _gone(pointer)
        size = sum(len(name) + len(value) for name, value in meta.items())
        return [Known(About.parse(meta), 2 * size)] * len(names)

    async def values(self, pointer: Pointer, kind: str, players: Sequence[str]) -> list[bytes | None]:
        """Read players' values of one kind from Redis, past the cache, unpacked; `None` where there is none.

        Raises:
            StoreError: Redis does not answer.
        """
        shape = (await self.about(pointer)).shapes.get(kind)
        if shape is None:
            return [None] * len(players)
        by_shard: dict[int, list[str]] = {}
        for player in players:
            by_shard.setdefault(int(player) % shape.shards, []).append(player)
        slate = keys.SlateKeys(pointer.day)
        meta = slate.meta(pointer.version)
        answers = await asyncio.gather(
            *(
                self.cache.line.do(
                    "EVAL", ROWS_OF, 2, meta, slate.rows(pointer.version, kind, shard), pointer.published_us, *some
                )
                for shard, some in by_shard.items()
            )
        )
        packed: dict[str, bytes | None] = {}
        for some, found in zip(by_shard.values(), answers, strict=True):
            if found is None:
                raise _gone(pointer)
            packed.update(zip(some, found, strict=True))
        return [_unpacked(shape, packed[player]) for player in players]

    def _rows_of(self, kind: str) -> Load:
        async def load(pointer: Pointer, names: Sequence[str]) -> list[bytes | None]:
            return await self.values(pointer, kind, names)

        return load

    async def read_frame(self, pointer: Pointer, kind: str) -> pl.DataFrame:
        """Read all rows of one kind from Redis, past the cache, sorted by key.

        Raises:
            StoreError: Redis does not answer.
        """
        about = await self.about(pointer)
        shape = about.shapes.get(kind)
        if shape is None:
            return pl.DataFrame()
        slate = keys.SlateKeys(pointer.day)
        found: dict[bytes, bytes] = {}
        for shard in range(shape.shards):
            async with self.cache.line.using(f"reading {kind} of {pointer.day}") as redis:
                names = (slate.meta(pointer.version), slate.rows(pointer.version, kind, shard))
                flat = await redis.eval(ROWS_OF, 2, *names, pointer.published_us)
            if flat is None:
                raise _gone(pointer)
            found.update(zip(flat[::2], flat[1::2], strict=True))
        frame = await asyncio.to_thread(_decoded, shape, found, kind)
        if frame.height != about.rows.get(kind, 0):
            raise _gone(pointer)
        return frame

    def _frame_of(self, kind: str) -> Load:
        async def load(pointer: Pointer, names: Sequence[str]) -> list[Frame]:
            return [Frame(await self.read_frame(pointer, kind))] * len(names)

        return load


def _gone(pointer: Pointer) -> VersionGone:
    return VersionGone(f"Version {pointer.version} of {pointer.day} is not in Redis any more.", source="redis")


def _unpacked(shape: Shape, value: bytes | None) -> bytes | None:
    return None if value is None else shape.packing.unpack([value])[0]


def _decoded(shape: Shape, found: Mapping[bytes, bytes], kind: str) -> pl.DataFrame:
    values = zip(map(int, found), shape.packing.unpack(list(found.values())), strict=True)
    return decode.frame_of(shape.columns, values).sort(KINDS[kind].key)
