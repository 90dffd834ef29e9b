"""A version's props as they are served: sorted once, spelled as JSON once, filtered without touching a row."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import Final

import orjson
import polars as pl

from backstop import tables
from backstop.store.kinds import PROPS

OBJECT_BYTES: Final = 200
"""What the objects around bytes and columns take."""

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
class Part:
    """Some of the rows that were asked for.

    Attributes:
        total: Rows that meet the question.
        rows: Those of this part as a JSON array.
    """

    total: int
    rows: bytes

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""
        return sys.getsizeof(self.rows) + OBJECT_BYTES


@dataclass(frozen=True, slots=True)
class Sheet:
    """The props of a version, best expected value first.

    Attributes:
        frame: Columns of `tables.PROPS`.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, props: pl.DataFrame) -> Sheet:
        """Sort a version's props; one without any has the columns all the same."""
        return cls(ordered(props, "ev_per_unit", descending=True) if props.width else tables.PROPS.empty())

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""
        return int(self.frame.estimated_size()) + OBJECT_BYTES

    def find(self, asked: Asked) -> pl.DataFrame:
        """Return the rows that were asked for, in the order asked for."""
        conditions = asked.conditions()
        found = self.frame.filter(*conditions) if conditions else self.frame
        column = ORDERS[asked.sort]
        if column == "ev_per_unit" and asked.descending:
            return found
        return ordered(found, column, descending=asked.descending)

    def part(self, asked: Asked, offset: int, limit: int) -> Part:
        """Return some of the rows that were asked for as JSON."""
        found = self.find(asked)
        return Part(found.height, b"[" + b",".join(spelled(found[offset : offset + limit])) + b"]")


def ordered(frame: pl.DataFrame, column: str, *, descending: bool) -> pl.DataFrame:
    """Sort rows by a column, those without a value last, equal ones by prop."""
    return frame.sort([column, "prop_id"], descending=[descending, False], nulls_last=True)


def spelled(frame: pl.DataFrame) -> list[bytes]:
    """Return each row as a JSON object."""
    if frame.is_empty():
        return []
    text = frame.select(pl.struct(pl.all()).struct.json_encode().alias("row")).get_column("row")
    return [row.encode() for row in text.to_list()]
