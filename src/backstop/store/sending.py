"""A block of rows as commands: players' values over the hashes of their kind, receipts, and the best rows."""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backstop.store.codec import spelled
from backstop.store.packing import Codec
from backstop.store.pairs import Pairs
from backstop.store.ranking import Ranking
from backstop.store.verify import TOP, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    import polars as pl
    from numpy.typing import NDArray

    from backstop.store.blocks import Rows
    from backstop.store.codec import Encoded
    from backstop.store.drafts import Draft
    from backstop.store.kinds import Kind
    from backstop.store.packing import Packing
    from backstop.store.pipe import StagePipe
    from backstop.store.ranking import Ranked

PAIRS: Final = 512
"""Fields in one HSET: beyond a hundred the size no longer shows in the rate."""

COMMAND_BYTES: Final = 256 * 1024
"""Bytes in one HSET, so that no single command holds Redis for longer than about a millisecond."""

RECEIPTS: Final = 128
"""Receipts in one command."""


class Best:
    """The best rows of a load, as members of their sorted sets.

    Args:
        kind: Of the rows.
        frame: The rows, in any order; what tells which of them are best is read from here on.
        beside: Where it is read.
    """

    def __init__(self, kind: Kind, frame: pl.DataFrame, beside: Executor | None = None) -> None:
        self.ranking = Ranking.of(kind, frame, beside)
        self.sets: list[Ranked] = []
        self.rows = self.places = np.empty(0, np.int64)
        self.members: list[bytes] = []
        self.seen = 0

    def choose(self, rows: Rows) -> bool:
        """Find out which rows are best, and where they are in order; false if the order is not that of the key."""
        if not rows.is_ordered():
            return False
        self.sets = self.ranking.best()
        if self.sets:
            chosen = np.concatenate([ranked.rows for ranked in self.sets])
            place_of = None if rows.order is None else rows.order.arg_sort().to_numpy()
            # a row may be among the best of its market and of all, in either order
            self.rows, self.places = np.unique(chosen if place_of is None else place_of[chosen], return_inverse=True)
        return True

    def add(self, encoded: Encoded) -> None:
        """Take the best rows out of the rows that follow those seen before."""
        start, end = self.seen, self.seen + int(encoded.counts.sum())
        self.seen = end
        first, last = np.searchsorted(self.rows, (start, end)).tolist()
        if first < last:
            self.members += encoded.members(self.rows[first:last] - start)

    def ranked(self) -> Iterator[tuple[str, str, list[bytes]]]:
        """Yield order, market, and scores and members of each sorted set, when all rows were seen."""
        if not self.sets:
            return
        pairs = [b""] * (2 * len(self.places))
        pairs[::2] = spelled(np.concatenate([ranked.scores for ranked in self.sets]))
        pairs[1::2] = map(self.members.__getitem__, self.places.tolist())
        start = 0
        for ranked in self.sets:
            end = start + 2 * len(ranked.rows)
            yield ranked.order, ranked.market, pairs[start:end]
            start = end


def send(draft: Draft, kind: Kind, encoded: Encoded, packing: Packing, pipe: StagePipe) -> list[Receipt]:
    """Send a block's rows, and return the receipts that vouch for them."""
    shards, ids, rows = draft.shards_of(kind.name), encoded.ids, encoded.counts
    shard_of = ids % shards
    order = np.argsort(shard_of, kind="stable") if shards > 1 else None
    pairs, mean = _pairs(encoded, packing, order)
    per = max(1, min(PAIRS, COMMAND_BYTES // mean))
    if order is not None:
        ids, shard_of, rows = ids[order], shard_of[order], rows[order]
    starts = np.append(0, np.flatnonzero(np.diff(shard_of)) + 1)
    cuts, of_shard, totals = (
        [*starts.tolist(), len(ids)],
        shard_of[starts].tolist(),
        np.add.reduceat(rows, starts).tolist(),
    )
    receipts = []
    for (start, stop), shard, total in zip(itertools.pairwise(cuts), of_shard, totals, strict=True):
        key, checksum = draft.rows(kind.name, shard), 0
        for command in pairs[start:stop].cut(per):
            checksum = zlib.crc32(pipe.send_rows(key, command), checksum)
        receipts.append(Receipt(kind.name, shard, total, checksum, ids[start:stop]))
    return receipts


def send_receipts(draft: Draft, receipts: list[Receipt], pipe: StagePipe) -> None:
    """Send the receipts of rows that were sent before."""
    for start in range(0, len(receipts), RECEIPTS):
        flat = [part for receipt in receipts[start : start + RECEIPTS] for part in (receipt.name, receipt.dump())]
        pipe.send(sum(map(len, flat)), "HSET", draft.receipts, flat)


def send_best(draft: Draft, best: Best, pipe: StagePipe) -> None:
    """Queue the best rows of a load, and a note of each sorted set."""
    notes: list[Any] = []
    for order, market, ranked in best.ranked():
        pipe.send(sum(map(len, ranked)), "ZADD", draft.top(order, market), ranked)
        notes += [f"{TOP}:{order}:{market}", b""]
    if notes:
        pipe.send(len(notes) * 20, "HSET", draft.receipts, notes)


def _pairs(encoded: Encoded, packing: Packing, order: NDArray[np.int64] | None) -> tuple[Pairs, int]:
    """Return a block's values as pairs, and their mean size."""
    if packing.codec is Codec.PLAIN:
        return Pairs.woven([encoded.heads, *encoded.parts], order), max(1, int(encoded.sizes.mean()))
    values = packing.pack(encoded.values)
    sizes = list(map(len, values))
    return Pairs.of(spelled(encoded.ids), sizes, [values], order), max(1, sum(sizes) // len(sizes))
