"""Write a slate as one version: open a draft, load rows into it from anywhere, verify, flip.

A draft is a plain value that travels between processes. Rows are invisible until `publish` has counted them, read them
back against their checksums, and flipped the pointer in one script. Whatever dies in between leaves the published
version as it was, and its own keys to their lifetime.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from backstop.errors import DataError, IncompleteVersion, SchemaDrift
from backstop.limits import KEEP_VERSIONS
from backstop.store import codec, keys, scripts
from backstop.store.codec import Columns
from backstop.store.faults import explained
from backstop.store.kinds import ALL_MARKETS, KINDS, TOP_OF_ALL, TOP_PER_MARKET, Kind, kind_of, shards_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstop.clock import Clock

PAIRS: Final = 512
"""Fields in one HSET: beyond a hundred the size no longer shows in the rate."""

COMMAND_BYTES: Final = 256 * 1024
"""Bytes in one HSET, so that no single command holds Redis for longer than about a millisecond."""

PIPELINE_BYTES: Final = 4 * 1024 * 1024
"""Bytes sent before the answers are awaited: the back-pressure on a loader."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is being written; a plain value that may be pickled."""

    day: dt.date
    version: int
    cutoff: dt.datetime
    run_id: str
    shards: tuple[tuple[str, int], ...]

    @property
    def keys(self) -> keys.SlateKeys:
        """The keys of the slate."""
        return keys.SlateKeys(self.day)

    def shards_of(self, kind: str) -> int:
        """Return how many hashes hold a kind's rows."""
        return dict(self.shards)[kind]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    Attributes:
        version: The version that was published.
        day: Its slate.
        served: Whether readers get it now; `False` while another version is pinned.
        rows: Rows per kind.
        players: Players per kind.
        published_at: By the writer's clock.
        again: Whether it had been published before, so that nothing changed.
    """

    version: int
    day: dt.date
    served: bool
    rows: dict[str, int]
    players: dict[str, int]
    published_at: dt.datetime
    again: bool = False


@dataclass(slots=True)
class _Sum:
    """Rows, players and checksum of what was written or read."""

    rows: int = 0
    players: int = 0
    checksum: int = 0

    def add(self, rows: int, players: int, checksum: int) -> None:
        self.rows += rows
        self.players += players
        self.checksum += checksum


@dataclass(slots=True)
class _Pipe:
    """A pipeline that is executed whenever enough waits in it."""

    pipeline: Any
    waiting: int = field(default=0)

    def send(self, size: int, *command: Any) -> None:
        self.pipeline.execute_command(*command)
        self.waiting += size
        if self.waiting >= PIPELINE_BYTES:
            self.flush()

    def flush(self) -> None:
        self.pipeline.execute(raise_on_error=True)
        self.waiting = 0


class SlateWriter:
    """Writes slates.

    Args:
        redis: A client with bytes replies: `redis.Redis` or `redis.cluster.RedisCluster`.
        clock: Tells when a slate was published.
        keep: Published versions that stay readable.
    """

    def __init__(self, redis: Any, clock: Clock, *, keep: int = KEEP_VERSIONS) -> None:
        self.redis: Any = redis
        self.clock = clock
        self.keep = keep

    def open(
        self,
        day: dt.date,
        *,
        cutoff: dt.datetime | dt.date,
        run_id: str,
        rows: Mapping[str, int] | None = None,
    ) -> Draft:
        """Start a version, or find the one that this run was writing when it was interrupted.

        Args:
            day: The slate.
            cutoff: What was known until then is in the rows; a later cutoff wins. A date stands for its first instant.
            run_id: The run that writes.
            rows: Rows to come per kind, if known: large kinds are spread over more hashes.
        """
        slate = keys.SlateKeys(day)
        cutoff_at = _instant(cutoff)
        shards = {name: shards_for(kind, (rows or {}).get(name)) for name, kind in KINDS.items()}
        with explained(f"opening the slate of {day}"):
            found = self.redis.get(slate.draft(run_id))
            if found is not None:
                draft = self._resumed(day, int(found), run_id, cutoff_at)
                if draft is not None:
                    return draft
            version = int(self.redis.incr(slate.sequence))
            opening = {
                "state": "open",
                "run_id": run_id,
                "cutoff": _micros(cutoff_at),
                "opened_at": _micros(self.clock.now()),
                **{f"shards:{name}": count for name, count in shards.items()},
            }
            flat = [part for pair in opening.items() for part in pair]
            pipeline = self.redis.pipeline(transaction=False)
            stage = "redis.call('HSET', KEYS[1], unpack(ARGV, 2)) return redis.call('EXPIRE', KEYS[1], ARGV[1])"
            pipeline.execute_command("EVAL", stage, 1, slate.meta(version), keys.STAGE_TTL_S, *flat)
            pipeline.set(slate.draft(run_id), version, ex=keys.STAGE_TTL_S)
            pipeline.execute()
        return Draft(day, version, cutoff_at, run_id, tuple(shards.items()))

    def _resumed(self, day: dt.date, version: int, run_id: str, cutoff: dt.datetime) -> Draft | None:
        meta = self.redis.hgetall(keys.SlateKeys(day).meta(version))
        if meta.get(b"state") != b"open" or int(meta[b"cutoff"]) != _micros(cutoff):
            return None
        shards = tuple((name, int(meta[f"shards:{name}".encode()])) for name in KINDS)
        return Draft(day, version, cutoff, run_id, shards)

    def load(self, draft: Draft, kind: str, frame: pl.DataFrame) -> int:
        """Write rows into a draft and return how many; the same rows again change nothing.

        May be called many times and from several processes. All rows of one player must come in one call: they are one
        value in Redis.

        Raises:
            SchemaDrift: the columns are not those of the first call, or have types that cannot be stored.
            DataError: a key is null or twice there, or a number is not finite.
            StoreError: Redis refused, or the draft takes no more rows.
        """
        what = kind_of(kind)
        if frame.is_empty():
            return 0
        columns = Columns.of(what, frame)
        with explained(f"loading {kind} of {draft.day}"):
            self._enter(draft, what, columns)
            pipe = _Pipe(self.redis.pipeline(transaction=False))
            for block in codec.blocks(what, frame):
                self._send(draft, what, columns, block, pipe)
            pipe.flush()
        return len(frame)

    def _enter(self, draft: Draft, kind: Kind, columns: Columns) -> None:
        slate, text = draft.keys, columns.dump()
        names = (slate.meta(draft.version), slate.draft(draft.run_id), slate.receipts(draft.version))
        field_name = f"columns:{kind.name}"
        first = self.redis.eval(scripts.ENTER, 3, *names, keys.STAGE_TTL_S, field_name, text)
        if first != text:
            raise SchemaDrift(
                f"{kind.name} of {draft.day} was begun with the columns {Columns.parse(first).schema}, now come "
                f"{columns.schema}. Give every batch the same columns.",
                source=kind.name,
            )

    def _send(self, draft: Draft, kind: Kind, columns: Columns, block: pl.DataFrame, pipe: _Pipe) -> None:
        encoded = codec.encode(kind, columns, block)
        shards = draft.shards_of(kind.name)
        total = _Sum()
        for shard, part in _by_shard(encoded, shards):
            ids = part.get_column("id").cast(pl.String).cast(pl.Binary).to_list()
            values = part.get_column("value").cast(pl.Binary).to_list()
            total.add(0, len(ids), checksum(ids, values))
            self._send_rows(draft, kind, shard, ids, values, pipe)
        self._send_best(draft, kind, columns, block, pipe)
        first, last = encoded.item(0, "id"), encoded.item(-1, "id")
        name = f"{kind.name}:{first}-{last}:{len(block)}"
        receipt = orjson.dumps([len(block), total.players, total.checksum])
        receipts = draft.keys.receipts(draft.version)
        # the receipt goes last: one that is there vouches for rows that are there
        meta = draft.keys.meta(draft.version)
        pipe.send(200, "EVAL", scripts.STAGE, 2, receipts, meta, keys.STAGE_TTL_S, "HSET", name, receipt)

    def _send_rows(
        self, draft: Draft, kind: Kind, shard: int, ids: list[bytes], values: list[bytes], pipe: _Pipe
    ) -> None:
        key = draft.keys.rows(draft.version, kind.name, shard)
        meta = draft.keys.meta(draft.version)
        mean = max(1, sum(map(len, values)) // len(values))
        per = max(1, min(PAIRS, COMMAND_BYTES // mean))
        for start in range(0, len(ids), per):
            some = values[start : start + per]
            pairs: list[bytes] = [b""] * (2 * len(some))
            pairs[::2], pairs[1::2] = ids[start : start + per], some
            if start == 0:
                pipe.send(mean * len(some), "EVAL", scripts.STAGE, 2, key, meta, keys.STAGE_TTL_S, "HSET", *pairs)
            else:
                pipe.send(mean * len(some), "HSET", key, *pairs)

    def _send_best(self, draft: Draft, kind: Kind, columns: Columns, block: pl.DataFrame, pipe: _Pipe) -> None:
        for order, column in kind.orders:
            of_all = codec.best(block, column, None, TOP_OF_ALL)[""]
            chosen = {ALL_MARKETS: of_all, **codec.best(block, column, "market", TOP_PER_MARKET)}
            for market, rows in chosen.items():
                if rows.is_empty():
                    continue
                key, meta = draft.keys.top(draft.version, order, market), draft.keys.meta(draft.version)
                members = codec.encode_member(kind, columns, rows).to_list()
                scores = rows.get_column(column).to_list()
                flat = [part for pair in zip(scores, members, strict=True) for part in pair]
                size = sum(map(len, members))
                pipe.send(size, "EVAL", scripts.STAGE, 2, key, meta, keys.STAGE_TTL_S, "ZADD", *flat)
                markets = draft.keys.receipts(draft.version)
                name = f"top:{order}:{market}"
                pipe.send(100, "EVAL", scripts.STAGE, 2, markets, meta, keys.STAGE_TTL_S, "HSET", name, b"1")

    def publish(self, draft: Draft, expected: Mapping[str, int], meta: Mapping[str, Any] | None = None) -> Published:
        """Count the draft's rows, read them back against their checksums, and flip to it.

        Publishing a version a second time, after a crash in between, changes nothing and says so.

        Args:
            draft: The version.
            expected: Rows per kind that were to be loaded.
            meta: Anything JSON that readers should get with the slate.

        Raises:
            IncompleteVersion: rows are missing, more than expected, or not as they were sent; nothing was published.
            StaleVersion: a version with a later cutoff (or a later one with the same) is published already.
            StoreError: Redis refused.
        """
        for name in expected:
            kind_of(name)
        with explained(f"publishing version {draft.version} of {draft.day}"):
            state, receipts = self._seal(draft)
            written, tops = _receipts(receipts)
            if state != "published":
                _check_counts(draft, expected, written)
                sizes: dict[str, int] | None = self._verify(draft, written, tops)
            else:
                sizes = None
            return self._flip(draft, dict(expected), written, sizes, dict(meta or {}))

    def _seal(self, draft: Draft) -> tuple[str, dict[bytes, bytes]]:
        slate = draft.keys
        state, flat = self.redis.eval(scripts.SEAL, 2, slate.meta(draft.version), slate.receipts(draft.version))
        return state.decode(), dict(zip(flat[::2], flat[1::2], strict=True))

    def _verify(self, draft: Draft, written: dict[str, _Sum], tops: list[tuple[str, str]]) -> dict[str, int]:
        """Read every row back; returns the size of each key of the version."""
        sizes: dict[str, int] = {}
        members: dict[bytes, list[bytes]] = {}
        for order, market in tops:
            key = draft.keys.top(draft.version, order, market)
            most = TOP_OF_ALL if market == ALL_MARKETS else TOP_PER_MARKET
            self.redis.zremrangebyrank(key, 0, -(most + 1))
            found = self.redis.zrange(key, 0, -1)
            sizes[key] = len(found)
            for member in found:
                members.setdefault(member[1:].split(b",", 1)[0], []).append(codec.member_row(member))
        for name, sent in written.items():
            read = _Sum()
            for shard in range(draft.shards_of(name)):
                key = draft.keys.rows(draft.version, name, shard)
                rows = dict(self.redis.hscan_iter(key, count=1000))
                if not rows:
                    continue
                sizes[key] = len(rows)
                read.add(0, len(rows), checksum(list(rows), list(rows.values())))
                if KINDS[name].orders:
                    _check_members(draft, rows, members)
            if (read.players, read.checksum) != (sent.players, sent.checksum):
                raise IncompleteVersion(
                    f"{name} of {draft.day}: {sent.players} players were sent with checksum {sent.checksum}, Redis "
                    f"holds {read.players} with {read.checksum}. The version was not published; load the slate again, "
                    "all rows of a player in one call.",
                    source="redis",
                )
        return sizes

    def _flip(
        self,
        draft: Draft,
        expected: dict[str, int],
        written: dict[str, _Sum],
        sizes: dict[str, int] | None,
        meta: dict[str, Any],
    ) -> Published:
        slate, version, now = draft.keys, draft.version, self.clock.now()
        players = {name: total.players for name, total in written.items()}
        about: dict[str, Any] = {
            "published_at": _micros(now),
            "run_id": draft.run_id,
            "rows": orjson.dumps(expected),
            "meta": orjson.dumps(meta),
            **{f"shards:{name}": count for name, count in draft.shards},
        }
        if sizes is not None:
            pipeline = self.redis.pipeline(transaction=False)
            for key in sizes:
                pipeline.expire(key, keys.SLATE_TTL_S)
            kept = {"keys": orjson.dumps(list(sizes)), "cutoff": _micros(draft.cutoff), **about}
            pipeline.hset(slate.meta(version), mapping=kept)
            pipeline.expire(slate.meta(version), keys.SLATE_TTL_S)
            pipeline.execute()
            # the list of days may live on another node: listed first, then flipped; readers skip what is not flipped
            self.redis.zadd(keys.days(), {draft.day.isoformat(): draft.day.toordinal()})
        arguments = [version, _micros(draft.cutoff), self.keep, keys.SLATE_TTL_S, keys.GRACE_S, slate.version_prefix]
        arguments += [keys.published(), f"{draft.day}={version}", len(sizes or {})]
        arguments += [part for pair in (sizes or {}).items() for part in pair]
        arguments += [part for pair in about.items() for part in pair]
        names = (slate.current, slate.versions, slate.meta(version))
        said, served = self.redis.eval(scripts.FLIP, 3, *names, *arguments)
        self.redis.unlink(slate.draft(draft.run_id), slate.receipts(version))
        is_served = int(served) == version
        return Published(version, draft.day, is_served, expected, players, now, again=said == b"again")

    def abandon(self, draft: Draft) -> None:
        """Remove a draft that will not be published; a published version is left alone."""
        slate, version = draft.keys, draft.version
        with explained(f"abandoning version {version} of {draft.day}"):
            if self.redis.hget(slate.meta(version), "state") in {None, b"published"}:
                return
            self.redis.hset(slate.meta(version), "state", "abandoned")
            tops = _receipts(self.redis.hgetall(slate.receipts(version)))[1]
            doomed = [slate.top(version, order, market) for order, market in tops]
            doomed += [slate.rows(version, name, shard) for name, count in draft.shards for shard in range(count)]
            doomed += [slate.receipts(version), slate.draft(draft.run_id), slate.meta(version)]
            self.redis.unlink(*doomed)


def checksum(ids: list[bytes], values: list[bytes]) -> int:
    """Return the sum of CRC-32 over id and value: the same in any order, on any machine."""
    return sum(map(zlib.crc32, values, map(zlib.crc32, ids)))


def _by_shard(encoded: pl.DataFrame, shards: int) -> list[tuple[int, pl.DataFrame]]:
    if shards == 1:
        return [(0, encoded)]
    parts = encoded.with_columns(shard=pl.col("id") % shards).partition_by("shard", as_dict=True, include_key=False)
    return [(int(shard), part) for (shard,), part in parts.items()]


def _receipts(found: dict[bytes, bytes]) -> tuple[dict[str, _Sum], list[tuple[str, str]]]:
    totals: dict[str, _Sum] = {}
    tops: list[tuple[str, str]] = []
    for name, value in found.items():
        kind, rest = name.decode().split(":", 1)
        if kind == "top":
            order, market = rest.split(":", 1)
            tops.append((order, market))
        else:
            totals.setdefault(kind, _Sum()).add(*orjson.loads(value))
    return totals, tops


def _check_counts(draft: Draft, expected: Mapping[str, int], written: dict[str, _Sum]) -> None:
    for name in {*expected, *written}:
        want, have = expected.get(name, 0), written.get(name, _Sum()).rows
        if want != have:
            raise IncompleteVersion(
                f"{name} of {draft.day}: {have} rows were loaded, expected {want}. The version was not published; "
                "load what is missing, or open a new version.",
                source="redis",
            )


def _check_members(draft: Draft, rows: dict[bytes, bytes], members: dict[bytes, list[bytes]]) -> None:
    for player in members.keys() & rows.keys():
        if not all(member in rows[player] for member in members[player]):
            raise IncompleteVersion(
                f"The best props of {draft.day} hold a row of player {player.decode()} that his props do not. "
                "The version was not published; open a new one and load it, all rows of a player in one call.",
                source="redis",
            )


def _instant(cutoff: dt.datetime | dt.date) -> dt.datetime:
    if isinstance(cutoff, dt.datetime):
        if cutoff.tzinfo is None:
            raise DataError(f"The cutoff {cutoff} has no time zone; expected an instant in UTC.")
        return cutoff.astimezone(dt.UTC)
    return dt.datetime.combine(cutoff, dt.time(), dt.UTC)


def _micros(instant: dt.datetime) -> int:
    return int((instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(microseconds=1))
