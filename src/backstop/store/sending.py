"""A block of rows as commands: players' values over the hashes of their kind, receipts, and the best rows."""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from backstop.store.packing import Codec
from backstop.store.pairs import Pairs
from backstop.store.verify import TOP, Receipt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backstop.store.blocks import Rows
    from backstop.store.codec import Encoded
    from backstop.store.drafts import Draft
    from backstop.store.kinds import Kind
    from backstop.store.packing import Packing
    from backstop.store.pipe import StagePipe

PAIRS: Final = 512
"""Fields in one HSET: beyond a hundred the size no longer shows in the rate."""

COMMAND_BYTES: Final = 256 * 1024
"""Bytes in one HSET, so that no single command holds Redis for longer than about a millisecond."""

RECEIPTS: Final = 128
"""Receipts in one command."""

NONE_BEST: Final = pl.DataFrame(schema={"row": pl.Int64, "order": pl.String, "market": pl.String, "score": pl.Float64})


class Best:
    """The best rows of a load, as members of their sorted sets.

    Args:
        rows: The load; which of its rows are best is known before any of them is serialised.
    """

    def __init__(self, rows: Rows) -> None:
        chosen = [best.with_columns(order=pl.lit(order)) for order, best in rows.best().items()]
        best = pl.concat(chosen).sort("row") if chosen else NONE_BEST
        self.rows = best.get_column("row").to_numpy()
        self.ranks = list(best.select("order", "market", "score").iter_rows())
        self.sets: dict[tuple[str, str], list[Any]] = {}
        self.seen = 0

    def add(self, encoded: Encoded) -> None:
        """Take the best rows out of the rows that follow those seen before."""
        start, end = self.seen, self.seen + len(encoded.groups)
        self.seen = end
        first, last = np.searchsorted(self.rows, (start, end)).tolist()
        if first == last:
            return
        # a row may be among the best of its market and of all, in either order
        rows, places = np.unique(self.rows[first:last] - start, return_inverse=True)
        members = encoded.members(rows)
        for (order, market, score), place in zip(self.ranks[first:last], places.tolist(), strict=True):
            self.sets.setdefault((order, market), []).extend((score, members[place]))


def send(draft: Draft, kind: Kind, encoded: Encoded, packing: Packing, pipe: StagePipe) -> list[Receipt]:
    """Send a block's rows, and return the receipts that vouch for them."""
    shards, ids = draft.shards_of(kind.name), encoded.ids
    shard_of, rows = ids % shards, np.bincount(encoded.group_of)
    order = np.argsort(shard_of, kind="stable") if shards > 1 else None
    pairs, mean = _pairs(encoded, packing, order)
    per = max(1, min(PAIRS, COMMAND_BYTES // mean))
    if order is not None:
        ids, shard_of, rows = ids[order], shard_of[order], rows[order]
    cuts = [0, *(np.flatnonzero(np.diff(shard_of)) + 1).tolist(), len(ids)]
    receipts = []
    for start, stop in itertools.pairwise(cuts):
        shard, some = int(shard_of[start]), pairs[start:stop]
        key, checksum = draft.keys.rows(draft.version, kind.name, shard), 0
        for command in some.cut(per):
            checksum = zlib.crc32(pipe.send_rows(key, command), checksum)
        receipts.append(Receipt(kind.name, shard, int(rows[start:stop].sum()), checksum, ids[start:stop]))
    return receipts


def send_receipts(draft: Draft, receipts: list[Receipt], pipe: StagePipe) -> None:
    """Send the receipts of rows that were sent before."""
    key = draft.keys.receipts(draft.version)
    for start in range(0, len(receipts), RECEIPTS):
        flat = [part for receipt in receipts[start : start + RECEIPTS] for part in (receipt.name, receipt.dump())]
        pipe.send(sum(map(len, flat)), "HSET", key, flat)


def send_best(draft: Draft, best: Best, pipe: StagePipe) -> None:
    """Queue the best rows of a load, and a note of each sorted set."""
    slate, version = draft.keys, draft.version
    for (order, market), ranked in best.sets.items():
        pipe.send(len(ranked) * 100, "ZADD", slate.top(version, order, market), ranked)
    notes = [part for order, market in best.sets for part in (f"{TOP}:{order}:{market}", b"")]
    if notes:
        pipe.send(len(notes) * 20, "HSET", slate.receipts(version), notes)


def _pairs(encoded: Encoded, packing: Packing, order: NDArray[np.int64] | None) -> tuple[Pairs, int]:
    """Return a block's values as pairs, and their mean size."""
    if packing.codec is Codec.PLAIN:
        sizes, parts = encoded.sizes.tolist(), encoded.parts
    else:
        values = packing.pack(encoded.values)
        sizes, parts = list(map(len, values)), [values]
    return Pairs.of(encoded.names, sizes, parts, order), max(1, sum(sizes) // len(sizes))
