"""Fields and values of hashes as RESP: spelled once, and summed as they are spelled."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import hiredis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Fields and values in pieces, which are joined in C: a value is not copied before it is copied to the wire.

    Attributes:
        pieces: Of all pairs, one behind the other.
        per: Pieces of one pair.
    """

    pieces: list[Any]
    per: int

    @classmethod
    def of(
        cls,
        names: list[bytes],
        sizes: list[int],
        parts: Sequence[list[Any]],
        order: NDArray[np.int64] | None = None,
    ) -> Self:
        """Take fields, sizes of values, and what values are joined of, part by part; in `order` if it is given."""
        digits = {size: b"\r\n$%d\r\n" % size for size in set(map(len, names))}
        heads = {size: b"\r\n$%d\r\n" % size for size in set(sizes)}
        lengths = list(map(digits.__getitem__, map(len, names)))
        return cls.woven([lengths, names, list(map(heads.__getitem__, sizes)), *parts], order)

    @classmethod
    def woven(cls, lists: Sequence[list[Any]], order: NDArray[np.int64] | None = None) -> Self:
        """Take pairs in pieces, list by list; in `order` if it is given."""
        if order is not None and len(order) > 1:
            # of a single place an itemgetter returns the bare value
            picked = operator.itemgetter(*order.tolist())
            lists = [picked(each) for each in lists]
        per = len(lists)
        pieces: list[Any] = [b""] * (per * len(lists[0]))
        for place, each in enumerate(lists):
            pieces[place::per] = each
        return cls(pieces, per)

    def __len__(self) -> int:
        return len(self.pieces) // self.per

    def __getitem__(self, some: slice) -> Pairs:
        start, stop, _ = some.indices(len(self))
        return Pairs(self.pieces[start * self.per : stop * self.per], self.per)

    def cut(self, most: int) -> Iterator[Pairs]:
        """Yield parts of at most so many pairs."""
        if len(self) <= most:
            yield self
            return
        for start in range(0, len(self), most):
            yield self[start : start + most]

    def first(self) -> tuple[bytes, bytes]:
        """Return the first field and value."""
        reader = hiredis.Reader()
        reader.feed(b"".join([b"*2", *self.pieces[: self.per], b"\r\n"]))
        name, value = reader.gets()
        return name, value

    def text(self) -> bytes:
        """Return all of them as they stand in a command; each pair begins with the end of what is before it."""
        return b"".join(self.pieces)
