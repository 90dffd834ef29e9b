"""Prove that a version holds what was sent, before anybody can read it.

Every block that was written left a receipt: rows, players, and the sum of CRC-32 over each player's id and value. The
receipts must add up to the rows that were expected, and the values as Redis has them now must add up to the receipts.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from backstop.errors import IncompleteVersion
from backstop.store import decode
from backstop.store.kinds import ALL_MARKETS, KINDS, TOP_OF_ALL, TOP_PER_MARKET
from backstop.store.pages import pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstop.store.columns import Columns
    from backstop.store.drafts import Draft
    from backstop.store.packing import Packing

TOP: str = "top"


@dataclass(slots=True)
class Sum:
    """Rows, players and checksum of what was written or read."""

    rows: int = 0
    players: int = 0
    checksum: int = 0

    def add(self, rows: int, players: int, checksum: int) -> None:
        """Add a block."""
        self.rows += rows
        self.players += players
        self.checksum += checksum


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
    def parse(cls, found: Mapping[bytes, bytes]) -> Receipts:
        """Read receipts off their hash."""
        receipts = cls()
        for name, value in found.items():
            kind, rest = name.decode().split(":", 1)
            if kind == TOP:
                order, market = rest.split(":", 1)
                receipts.tops.append((order, market))
            else:
                receipts.sums.setdefault(kind, Sum()).add(*orjson.loads(value))
        return receipts


def checksum(ids: list[bytes], values: list[bytes]) -> int:
    """Return the sum of CRC-32 over id and value: the same in any order, on any machine."""
    return sum(map(zlib.crc32, values, map(zlib.crc32, ids)))


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
        read, current = Sum(), ""
        known: set[bytes] = set()
        for key, page in pages(redis, draft.rows_of(name)):
            if key != current:
                current, known = key, set()
            rows = page if known.isdisjoint(page) else {field: page[field] for field in page.keys() - known}
            known.update(rows)
            if known:
                sizes[key] = len(known)
            read.add(0, len(rows), checksum(list(rows), list(rows.values())))
            if KINDS[name].orders:
                _check_best(draft, rows, best, *shapes[name])
        if (read.players, read.checksum) != (sent.players, sent.checksum):
            raise IncompleteVersion(
                f"{name} of {draft.day}: {sent.players} players were sent with checksum {sent.checksum}, Redis holds "
                f"{read.players} with {read.checksum}. The version was not published; load the slate again, all rows "
                "of a player in one call.",
                source="redis",
            )
    return sizes


def _best(redis: Any, draft: Draft, receipts: Receipts, sizes: dict[str, int]) -> dict[bytes, set[bytes]]:
    """Cut the sorted sets, note their sizes, and return their rows per player."""
    best: dict[bytes, set[bytes]] = {}
    for order, market in receipts.tops:
        key = draft.keys.top(draft.version, order, market)
        most = TOP_OF_ALL if market == ALL_MARKETS else TOP_PER_MARKET
        redis.zremrangebyrank(key, 0, -(most + 1))
        members = redis.zrange(key, 0, -1)
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
