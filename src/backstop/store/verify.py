"""Prove that a version holds what was sent, before anybody can read it.

Rows that were written together left a receipt: how many, of which players, and the CRC-32 of fields and values as they
were sent. The receipts must add up to the rows that were expected; then every value is asked for again, by the list of
the receipt, and must give the same sum.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from backstop.errors import IncompleteVersion
from backstop.store import decode
from backstop.store.codec import spelled
from backstop.store.kinds import ALL_MARKETS, KINDS, TOP_OF_ALL, TOP_PER_MARKET
from backstop.store.lookahead import answers
from backstop.store.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from backstop.store.asking import Command
    from backstop.store.columns import Columns
    from backstop.store.drafts import Draft
    from backstop.store.packing import Packing

TOP: Final = "top"

FORM: Final = b"4"
"""What a draft's meta says of its receipts and of where it keeps its rows.

Receipts of other parts (`BLOCK_ROWS`) would count the same rows twice.
"""

HEAD: Final = struct.Struct("<II")
"""Rows and checksum of a receipt; the players follow, 8 bytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """What vouches for rows that were written together.

    Attributes:
        kind: Of the rows.
        shard: Number of the hash that they are in.
        rows: How many.
        checksum: CRC-32 of fields and values as they were sent.
        ids: The players, in the order in which they were sent.
    """

    kind: str
    shard: int
    rows: int
    checksum: int
    ids: NDArray[np.int64]

    @property
    def name(self) -> str:
        """What tells it from the others; the same rows sent again have the same."""
        return f"{self.kind}:{self.shard}:{self.ids[0]}-{self.ids[-1]}:{self.rows}"

    def dump(self) -> bytes:
        """Return it as bytes."""
        return HEAD.pack(self.rows, self.checksum) + self.ids.astype("<i8").tobytes()

    @classmethod
    def parse(cls, name: str, value: bytes) -> Self:
        """Read it back."""
        kind, shard, _ = name.split(":", 2)
        rows, checksum = HEAD.unpack_from(value)
        return cls(kind, int(shard), rows, checksum, np.frombuffer(value, "<i8", offset=HEAD.size))


@dataclass(slots=True)
class Sum:
    """What was written of a kind.

    Attributes:
        rows: How many.
        receipts: One for rows that were written together.
    """

    rows: int = 0
    receipts: list[Receipt] = field(default_factory=list)

    def add(self, receipt: Receipt) -> None:
        """Add rows."""
        self.rows += receipt.rows
        self.receipts.append(receipt)


@dataclass(frozen=True, slots=True)
class Receipts:
    """What was written to a version.

    Attributes:
        sums: Per kind.
        tops: Order and market of every sorted set.
    """

    sums: dict[str, Sum] = field(default_factory=dict)
    tops: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def parse(cls, found: Mapping[bytes, bytes]) -> Self:
        """Read receipts off their hash."""
        receipts = cls()
        for name, value in found.items():
            kind, rest = name.decode().split(":", 1)
            if kind == TOP:
                order, market = rest.split(":", 1)
                receipts.tops.append((order, market))
            elif rest.count(":") == 2:  # noqa: PLR2004 - shard, players, rows; one of another form vouches for nothing
                receipts.sums.setdefault(kind, Sum()).add(Receipt.parse(name.decode(), value))
        return receipts


def check_counts(draft: Draft, expected: Mapping[str, int], written: Mapping[str, Sum]) -> None:
    """Compare the receipts with what was expected.

    Raises:
        IncompleteVersion: a kind has fewer or more rows.
    """
    for name in sorted({*expected, *written}):
        want, have = expected.get(name, 0), written.get(name, Sum()).rows
        if want != have:
            raise IncompleteVersion(
                f"{name} of {draft.day}: {have} rows were loaded, expected {want}. The version was not published; "
                "load what is missing, or open a new version.",
                source="redis",
            )


def check_rows(
    redis: Any, draft: Draft, receipts: Receipts, shapes: Mapping[str, tuple[Columns, Packing]]
) -> dict[str, int]:
    """Read every row back and return the size of each key of the version.

    The sorted sets are cut to the number of rows that is kept ready, and must hold no row that the players do not.

    Raises:
        IncompleteVersion: a value is missing, changed or too much.
    """
    sizes: dict[str, int] = {}
    best = _best(redis, draft, receipts, sizes)
    for name, sent in receipts.sums.items():
        players: dict[str, int] = {}
        for receipt, (names, values) in zip(sent.receipts, _values(redis, draft, sent.receipts), strict=True):
            key = draft.rows(name, receipt.shard)
            players[key] = players.get(key, 0) + len(names)
            if None in values or _checksum(names, values) != receipt.checksum:
                raise _unlike(draft, name, f"of players {receipt.ids[0]} to {receipt.ids[-1]} {key} holds other values")
            if KINDS[name].orders:
                _check_best(draft, dict(zip(names, values, strict=True)), best, *shapes[name])
        for key, count in players.items():
            have = redis.hlen(key)
            if have != count:
                raise _unlike(draft, name, f"{key} holds {have} players, sent were {count}")
        sizes |= players
    return sizes


def _values(redis: Any, draft: Draft, receipts: Sequence[Receipt]) -> Iterator[tuple[list[bytes], list[Any]]]:
    """Yield fields and values of each receipt's players, as Redis has them now."""
    waiting: deque[list[bytes]] = deque()

    def commands() -> Iterator[Command]:
        for receipt in receipts:
            waiting.append(spelled(receipt.ids))
            yield "HMGET", draft.rows(receipt.kind, receipt.shard), *waiting[-1]

    for values in answers(redis, draft.keys.meta(draft.version), commands()):
        yield waiting.popleft(), values


def _checksum(names: list[bytes], values: list[bytes]) -> int:
    return zlib.crc32(Pairs.of(names, list(map(len, values)), [values]).text())


def _unlike(draft: Draft, name: str, seen: str) -> IncompleteVersion:
    return IncompleteVersion(
        f"{name} of {draft.day} are not as their checksums say: {seen}. The version was not published; load the slate "
        "again, all rows of a player in one call.",
        source="redis",
    )


def _best(redis: Any, draft: Draft, receipts: Receipts, sizes: dict[str, int]) -> dict[bytes, set[bytes]]:
    """Cut the sorted sets, note their sizes, and return their rows per player."""
    best: dict[bytes, set[bytes]] = {}
    for order, market in receipts.tops:
        key = draft.top(order, market)
        most = TOP_OF_ALL if market == ALL_MARKETS else TOP_PER_MARKET
        redis.zremrangebyrank(key, 0, -(most + 1))
        members = redis.zrange(key, 0, -1)
        if not members:
            raise _unlike(draft, "best rows", f"{key} is gone")
        sizes[key] = len(members)
        for member in members:
            best.setdefault(b"%d" % decode.member_of(member)[0], set()).add(member)
    return best


def _check_best(
    draft: Draft,
    rows: Mapping[bytes, bytes],
    best: Mapping[bytes, set[bytes]],
    columns: Columns,
    packing: Packing,
) -> None:
    for player in best.keys() & rows.keys():
        value = packing.unpack([rows[player]])[0]
        if not all(decode.stands_in(columns, member, value) for member in best[player]):
            raise IncompleteVersion(
                f"The best props of {draft.day} hold a row of player {player.decode()} that his props do not. "
                "The version was not published; open a new one and load it, all rows of a player in one call.",
                source="redis",
            )
