"""A block of rows as commands: players' values over the hashes of their kind, receipts, and the best rows."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from backstop.store.verify import TOP, checksum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Best:
    """The best rows of a load, as members of their sorted sets.

    Args:
        rows: The load; which of its rows are best is known before any of them is serialised.
    """

    def __init__(self, rows: Rows) -> None:
        best = [(row, order, *rest) for order, chosen in rows.best().items() for row, *rest in chosen.iter_rows()]
        best.sort(key=operator.itemgetter(0))
        self.rows = np.array([row for row, *_ in best], np.int64)
        self.ranks = [(order, market, score) for _, order, market, score in best]
        self.sets: dict[tuple[str, str], list[Any]] = {}
        self.seen = 0

    def add(self, encoded: Encoded) -> None:
        """Take the best rows out of the rows that follow those seen before."""
        start, end = self.seen, self.seen + len(encoded.groups)
        self.seen = end
        first, last = np.searchsorted(self.rows, (start, end)).tolist()
        # a row may be among the best of its market and of all, in either order
        rows, places = np.unique(self.rows[first:last] - start, return_inverse=True)
        members = encoded.members(rows)
        for (order, market, score), place in zip(self.ranks[first:last], places.tolist(), strict=True):
            self.sets.setdefault((order, market), []).extend((score, members[place]))


def send(draft: Draft, kind: Kind, encoded: Encoded, packing: Packing, pipe: StagePipe) -> None:
    """Queue a block's rows, and the receipt that vouches for them."""
    slate, version = draft.keys, draft.version
    values, ids = packing.pack(encoded.values), encoded.names
    for shard, places in _by_shard(encoded.ids, draft.shards_of(kind.name)):
        some = ids if places is None else list(places(ids))
        packed = values if places is None else list(places(values))
        _send_rows(slate.rows(version, kind.name, shard), some, packed, pipe)
    rows = len(encoded.groups)
    receipt = orjson.dumps([rows, len(ids), checksum(ids, values)])
    name = f"{kind.name}:{encoded.ids[0]}-{encoded.ids[-1]}:{rows}"
    pipe.send(len(receipt), "HSET", slate.receipts(version), [name, receipt])


def send_best(draft: Draft, best: Best, pipe: StagePipe) -> None:
    """Queue the best rows of a load, and a note of each sorted set."""
    slate, version = draft.keys, draft.version
    for (order, market), ranked in best.sets.items():
        pipe.send(len(ranked) * 100, "ZADD", slate.top(version, order, market), ranked)
    notes = [part for order, market in best.sets for part in (f"{TOP}:{order}:{market}", b"")]
    if notes:
        pipe.send(len(notes) * 20, "HSET", slate.receipts(version), notes)


def _send_rows(key: str, ids: list[bytes], values: list[bytes], pipe: StagePipe) -> None:
    mean = max(1, sum(map(len, values)) // len(values))
    per = max(1, min(PAIRS, COMMAND_BYTES // mean))
    for start in range(0, len(ids), per):
        some = values[start : start + per]
        pairs: list[bytes] = [b""] * (2 * len(some))
        pairs[::2], pairs[1::2] = ids[start : start + per], some
        pipe.send(mean * len(some), "HSET", key, pairs)


def _by_shard(
    ids: NDArray[np.int64], shards: int
) -> Iterator[tuple[int, Callable[[list[bytes]], tuple[bytes, ...]] | None]]:
    """Yield each shard with what picks its part of a list out; `None` stands for all of it."""
    if shards == 1:
        yield 0, None
        return
    shard_of = ids % shards
    order = np.argsort(shard_of, kind="stable")
    found, starts = np.unique(shard_of[order], return_index=True)
    for shard, places in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        # of a single place an itemgetter returns the bare value
        yield shard, operator.itemgetter(*places.tolist()) if len(places) > 1 else _only(int(places[0]))


def _only(place: int) -> Callable[[list[bytes]], tuple[bytes, ...]]:
    return lambda values: (values[place],)
