"""Write a slate as one version: open a draft, load rows into it from anywhere, verify, flip.

Rows are invisible until `publish` has counted them, read them back against their checksums, and flipped the pointer in
one script. Whatever dies in between leaves the published version as it was, and its own keys to their lifetime.
"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import ResponseError

from backstop.errors import IncompleteVersion, SchemaDrift
from backstop.limits import KEEP_VERSIONS
from backstop.store import codec, keys, scripts
from backstop.store.blocks import Rows
from backstop.store.columns import Columns
from backstop.store.drafts import EPOCH, Draft, Published, cutoff_of, micros
from backstop.store.faults import explained
from backstop.store.kinds import KINDS, Kind, kind_of, shards_for
from backstop.store.packing import Codec, Packing, train
from backstop.store.pipe import StagePipe
from backstop.store.sending import Best, send, send_best, send_receipts
from backstop.store.verify import FORM, Receipts, check_counts, check_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Executor

    import polars as pl

    from backstop.clock import Clock

__all__ = ["Draft", "Published", "SlateWriter"]


class SlateWriter:
    """Writes slates.

    Args:
        redis: A client with bytes replies: `redis.Redis` or `redis.cluster.RedisCluster`.
        clock: Tells when a slate was published.
        keep: Published versions that stay readable.
        codec: `zstd` takes a third less memory and a third more time to load.
    """

    def __init__(
        self, redis: Any, clock: Clock, *, keep: int = KEEP_VERSIONS, codec: Codec | str = Codec.PLAIN
    ) -> None:
        self.redis: Any = redis
        self.clock = clock
        self.keep = keep
        self.codec = Codec(codec)

    def server_now(self, day: dt.date) -> dt.datetime:
        """Return the instant by the clock of the server that holds a slate: the same to all who write it.

        Raises:
            StoreError: Redis does not answer.
        """
        with explained(f"asking for the time at the slate of {day}"):
            seconds, more = self.redis.eval(scripts.NOW, 1, keys.SlateKeys(day).current)
        return EPOCH + dt.timedelta(seconds=int(seconds), microseconds=int(more))

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
        slate, cutoff_at = keys.SlateKeys(day), cutoff_of(cutoff)
        shards = {name: shards_for(kind, (rows or {}).get(name)) for name, kind in KINDS.items()}
        with explained(f"opening the slate of {day}"):
            found = self.redis.get(slate.draft(run_id))
            draft = None if found is None else self._resumed(day, int(found), run_id, cutoff_at)
            if draft is not None:
                return draft
            opening = {
                "state": "open",
                "run_id": run_id,
                "cutoff": micros(cutoff_at),
                "opened_at": micros(self.clock.now()),
                "codec": self.codec.value,
                "form": codec.FORM,
                "receipts": FORM,
                **{f"shards:{name}": count for name, count in shards.items()},
            }
            flat = [part for pair in opening.items() for part in pair]
            names = (slate.sequence, slate.draft(run_id), slate.current, slate.versions)
            version = int(self.redis.eval(scripts.OPEN, 4, *names, keys.STAGE_TTL_S, slate.version_prefix, *flat))
        return Draft(day, version, cutoff_at, run_id, tuple(shards.items()), self.codec)

    def _resumed(self, day: dt.date, version: int, run_id: str, cutoff: dt.datetime) -> Draft | None:
        names = keys.SlateKeys(day).meta(version)
        flat = self.redis.eval(scripts.RESUME, 1, names, micros(cutoff), keys.STAGE_TTL_S)
        if not flat:
            return None
        meta = dict(zip(flat[::2], flat[1::2], strict=True))
        if (meta.get(b"form"), meta.get(b"receipts")) != (codec.FORM, FORM):
            return None
        shards = tuple((name, int(meta[f"shards:{name}".encode()])) for name in KINDS)
        return Draft(day, version, cutoff, run_id, shards, Codec(meta[b"codec"].decode()))

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
        # one thread more, and only as long as this takes: a process that forks in between would have none
        with explained(f"loading {kind} of {draft.day}"), ThreadPoolExecutor(1) as beside:
            self._enter(draft, what, columns)
            best, packing, receipts = Best(what, frame, beside), None, []
            with StagePipe(self.redis, draft) as pipe:
                for block in _ready(what, columns, frame, best, beside):
                    for encoded in block.tiles():
                        packing = packing or self._packing(draft, what, encoded)
                        receipts += send(draft, what, encoded, packing, pipe)
                        best.add(encoded)
                send_best(draft, best, pipe)
                send_receipts(draft, receipts, pipe)
        return len(frame)

    def _enter(self, draft: Draft, kind: Kind, columns: Columns) -> None:
        slate, text = draft.keys, columns.dump()
        names = (slate.meta(draft.version), slate.draft(draft.run_id), draft.receipts)
        about = (keys.STAGE_TTL_S, draft.run_id, f"columns:{kind.name}", text)
        first = self.redis.eval(scripts.ENTER, 3, *names, *about)
        if first != text:
            raise SchemaDrift(
                f"{kind.name} of {draft.day} was begun with the columns {Columns.parse(first).schema}, now come "
                f"{columns.schema}. Give every batch the same columns.",
                source=kind.name,
            )

    def _packing(self, draft: Draft, kind: Kind, encoded: codec.Encoded | None = None) -> Packing:
        """Return how the version packs a kind; whoever comes first trains the dictionary for all."""
        if draft.codec is Codec.PLAIN:
            return Packing(draft.codec)
        meta, name = draft.keys.meta(draft.version), f"dictionary:{kind.name}"
        known = self.redis.hget(meta, name)
        if known is None:
            trained = train(encoded.values if encoded else [])
            known = self.redis.eval(scripts.DICTIONARY, 1, meta, draft.run_id, name, trained)
        return Packing(draft.codec, known)

    def _shape(self, draft: Draft, kind: Kind) -> tuple[Columns, Packing]:
        text = self.redis.hget(draft.keys.meta(draft.version), f"columns:{kind.name}")
        if text is None:
            raise ResponseError("GONE")  # as the scripts say it: the meta is not there any more
        return Columns.parse(text), self._packing(draft, kind)

    def publish(
        self,
        draft: Draft,
        expected: Mapping[str, int],
        meta: Mapping[str, Any] | None = None,
        *,
        published_at: dt.datetime | None = None,
    ) -> Published:
        """Count the draft's rows, read them back against their checksums, and flip to it.

        Publishing a version a second time, after a crash in between, changes nothing and says so.

        Args:
            draft: The version.
            expected: Rows per kind that were to be loaded.
            meta: Anything JSON that readers should get with the slate.
            published_at: When the rows were first published, if that is not now: a slate that is restored from the lake
                is as old as it was.

        Raises:
            IncompleteVersion: rows are missing, more than expected, or not as they were sent; nothing was published.
            StaleVersion: a version with a later cutoff (or a later one with the same) is published already.
            StoreError: Redis refused.
        """
        for name in expected:
            kind_of(name)
        now = self.clock.now()
        first_at = published_at or now
        elapsed_s = max(0, int((now - first_at).total_seconds()))
        about = {
            "published_at": micros(first_at),
            "cutoff": micros(draft.cutoff),
            "run_id": draft.run_id,
            "rows": orjson.dumps(dict(expected)),
            "meta": orjson.dumps(dict(meta or {})),
            **{f"shards:{name}": count for name, count in draft.shards},
        }
        with explained(f"publishing version {draft.version} of {draft.day}"):
            state, receipts = self._seal(draft)
            sizes: dict[str, int] = {}
            if state != "published":
                check_counts(draft, expected, receipts.sums)
                shapes = {name: self._shape(draft, KINDS[name]) for name in receipts.sums}
                sizes = self._checked(draft, receipts, shapes)
                self._settle(draft, about, sizes)
            said, served = self._flip(draft, sizes, elapsed_s)
            self.redis.unlink(draft.keys.draft(draft.run_id), draft.receipts)
        is_served = int(served) == draft.version
        return Published(draft.version, draft.day, is_served, dict(expected), first_at, again=said == b"again")

    def _checked(
        self, draft: Draft, receipts: Receipts, shapes: Mapping[str, tuple[Columns, Packing]]
    ) -> dict[str, int]:
        """Return the sizes of a draft's keys as they were read back; none if another process published it meanwhile."""
        try:
            return check_rows(self.redis, draft, receipts, shapes)
        except IncompleteVersion:
            # a flip renames the keys that are being read: it knew them to be whole
            if self._seal(draft)[0] != "published":
                raise
            return {}

    def _seal(self, draft: Draft) -> tuple[str, Receipts]:
        names = (draft.keys.meta(draft.version), draft.receipts)
        state, flat = self.redis.eval(scripts.SEAL, 2, *names, draft.run_id)
        return state.decode(), Receipts.parse(dict(zip(flat[::2], flat[1::2], strict=True)))

    def _settle(self, draft: Draft, about: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        """Note what is known of a verified version; the flip copies it into the pointer."""
        known = {"keys": orjson.dumps([draft.published(key) for key in sizes]), **about}
        flat = [part for pair in known.items() for part in pair]
        self.redis.eval(scripts.SETTLE, 1, draft.keys.meta(draft.version), draft.run_id, *flat)
        # the list of days may live on another node: listed first, then flipped; readers skip what is not flipped
        self.redis.zadd(keys.days(), {draft.day.isoformat(): draft.day.toordinal()})

    def _flip(self, draft: Draft, sizes: Mapping[str, int], elapsed_s: int) -> tuple[bytes, bytes]:
        slate, version = draft.keys, draft.version
        flat = [part for key, size in sizes.items() for part in (key, draft.published(key), size)]
        announced = (keys.published(), f"{draft.day}={version}")
        numbers = (version, micros(draft.cutoff), self.keep, keys.GRACE_S)
        arguments = (*numbers, slate.version_prefix, *announced, keys.SLATE_TTL_S, elapsed_s, draft.run_id, *flat)
        names = (slate.current, slate.versions, slate.meta(version))
        said, served = self.redis.eval(scripts.FLIP, 3, *names, *arguments)
        return said, served

    def abandon(self, draft: Draft) -> None:
        """Remove a draft that will not be published; a published version, and one of another run, is left alone."""
        slate, version = draft.keys, draft.version
        with explained(f"abandoning version {version} of {draft.day}"):
            tops = Receipts.parse(self.redis.hgetall(draft.receipts)).tops
            names = [slate.meta(version), slate.draft(draft.run_id), draft.receipts, *draft.all_rows()]
            names += [draft.top(order, market) for order, market in tops]
            self.redis.eval(scripts.ABANDON, len(names), *names, draft.run_id)


def _ready(kind: Kind, columns: Columns, frame: pl.DataFrame, best: Best, beside: Executor) -> Iterator[codec.Block]:
    """Yield a frame in blocks; whether it is in order is looked at while the first is made ready."""

    def in_turn(rows: Rows) -> Iterator[codec.Block]:
        blocks = (codec.Block(kind, columns, block, beside) for block in rows.blocks())
        return codec.in_turn(blocks, lambda: best.choose(rows))

    blocks = in_turn(Rows.presumed(kind, frame))
    first = next(blocks, None)
    if first is None:
        yield from in_turn(Rows.of(kind, frame))
    else:
        yield first
        # not to be held while the others are made
        del first
        yield from blocks
