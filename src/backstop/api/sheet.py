"""A version's props as they are served: sorted once, spelled as JSON once, filtered without touching a row."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import polars as pl

from backstop import tables
from backstop.store.kinds import PROPS

ORDERS: Final = {**dict(PROPS.orders), "line": "line", "prob_over": "prob_over", "player": "player_name"}
"""Names that callers sort by, with the column behind each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which props, in which order.

    Attributes:
        market: Only this market.
        team: Only players of this team.
        player: Only this player, MLBAM id.
        game: Only this game.
        min_edge: Only props with at least this edge.
        sort: One of `ORDERS`.
        descending: Largest first; props without a value come last either way.
    """

    market: str | None = None
    team: str | None = None
    player: int | None = None
    game: int | None = None
    min_edge: float | None = None
    sort: str = "ev"
    descending: bool = True

    @property
    def name(self) -> str:
        """Tells it from every other question; an id in the cache, from which `named` makes it again."""
        return orjson.dumps(list(dataclasses.astuple(self))).decode()

    @classmethod
    def named(cls, name: str) -> Asked:
        """Return the question of this name."""
        return cls(*orjson.loads(name))

    def conditions(self) -> list[pl.Expr]:
        """Return what a row must meet."""
        equal = {"market": self.market, "team": self.team, "player_id_mlbam": self.player, "game_pk": self.game}
        wanted = [pl.col(column) == value for column, value in equal.items() if value is not None]
        return wanted if self.min_edge is None else [*wanted, pl.col("edge") >= self.min_edge]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The props of a version, best expected value first.

    Attributes:
        frame: Columns of `tables.PROPS`.
        rows: Each row as a JSON object.
    """

    frame: pl.DataFrame
    rows: list[bytes]

    @classmethod
    def of(cls, props: pl.DataFrame) -> Sheet:
        """Sort and spell a version's props; one without any has the columns all the same."""
        if not props.width:
            return cls(tables.PROPS.empty(), [])
        frame = ordered(props, "ev_per_unit", descending=True)
        return cls(frame, spelled(frame))

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""
        return int(self.frame.estimated_size()) + sum(map(sys.getsizeof, self.rows)) + sys.getsizeof(self.rows)

    def find(self, asked: Asked) -> list[int]:
        """Return the places of the rows that were asked for, in the order asked for."""
        conditions = asked.conditions()
        found = self.frame.with_row_index("place")
        if conditions:
            found = found.filter(*conditions)
        column = ORDERS[asked.sort]
        if column == "ev_per_unit" and asked.descending:
            return found.get_column("place").to_list()
        return ordered(found, column, descending=asked.descending).get_column("place").to_list()

    def take(self, places: Sequence[int]) -> bytes:
        """Return rows as a JSON array."""
        rows = self.rows
        return b"[" + b",".join([rows[place] for place in places]) + b"]"


def ordered(frame: pl.DataFrame, column: str, *, descending: bool) -> pl.DataFrame:
    """Sort rows by a column, those without a value last, equal ones by prop."""
    return frame.sort([column, "prop_id"], descending=[descending, False], nulls_last=True)


def spelled(frame: pl.DataFrame) -> list[bytes]:
    """Return each row as a JSON object."""
    if frame.is_empty():
        return []
    text = frame.select(pl.struct(pl.all()).struct.json_encode().alias("row")).get_column("row")
    return [row.encode() for row in text.to_list()]
