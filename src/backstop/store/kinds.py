"""The kinds of rows that a slate holds, and how each is found again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backstop.errors import UsageError

ROWS_PER_SHARD: Final = 8192
"""Rows in one Redis hash: freeing one takes Redis about 2 ms, in which nobody else is served."""

TOP_PER_MARKET: Final = 100
"""Best rows kept ready per market and order: more than a page shows."""

TOP_OF_ALL: Final = 300
"""Best rows kept ready over all markets."""

ALL_MARKETS: Final = "all"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows.

    Attributes:
        name: Part of the key.
        group: Column whose value is the hash field; all rows that share it are one value.
        key: Columns that tell a row from every other.
        orders: Columns by which the best rows are kept ready, under the names that readers use.
        shards: Hashes when the number of rows is not told beforehand.
    """

    name: str
    group: str
    key: tuple[str, ...]
    orders: tuple[tuple[str, str], ...]
    shards: int


FEATURES: Final = Kind("features", "player_id_mlbam", ("player_id_mlbam", "game_pk", "role"), (), 1)
PROPS: Final = Kind(
    "props", "player_id_mlbam", ("player_id_mlbam", "prop_id"), (("ev", "ev_per_unit"), ("edge", "edge")), 4
)
KINDS: Final = {kind.name: kind for kind in (FEATURES, PROPS)}


def kind_of(name: str) -> Kind:
    """Return a kind by name.

    Raises:
        UsageError: there is no such kind.
    """
    if name not in KINDS:
        raise UsageError(f"{name!r} is not a kind of rows; expected one of {', '.join(KINDS)}.")
    return KINDS[name]


def shards_for(kind: Kind, rows: int | None) -> int:
    """Return how many hashes hold so many rows."""
    return kind.shards if rows is None else max(1, -(-rows // ROWS_PER_SHARD))
