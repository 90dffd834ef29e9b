"""Rows to bytes and back, vectorised: Polars writes the JSON, no Python touches a row.

A player's rows of one kind are one JSON array of arrays in the order of the version's columns, without the player id,
which is the hash field. Column names are kept once per version, next to the rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from backstop.errors import DataError, SchemaDrift

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backstop.store.kinds import Kind

BLOCK_ROWS: Final = 25_000
"""Rows serialised at once: 10 MB of JSON, small beside the frame."""

TYPES: Final[dict[str, pl.DataType]] = {
    str(dtype): dtype
    for dtype in (
        pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(),
        pl.Float32(), pl.Float64(), pl.String(), pl.Boolean(), pl.Date(),
        pl.Datetime("us", "UTC"), pl.Datetime("ms", "UTC"),
    )
}  # fmt: skip
"""Types that survive the way to Redis and back."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and types of a kind's columns, the group column first."""

    names: tuple[str, ...]
    types: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame) -> Columns:
        """Read columns off a frame.

        Raises:
            SchemaDrift: a key column is missing, or a column has a type that JSON cannot bring back.
        """
        missing = [name for name in (*kind.key, *(column for _, column in kind.orders)) if name not in frame.columns]
        odd = [f"{name} {dtype}" for name, dtype in frame.schema.items() if str(dtype) not in TYPES]
        if missing or odd:
            raise SchemaDrift(
                f"{kind.name} cannot be stored: missing columns {missing or 'none'}, types that do not survive JSON "
                f"{odd or 'none'}. Expected the columns {kind.key} and types {', '.join(TYPES)}.",
                source=kind.name,
            )
        names = (kind.group, *(name for name in frame.columns if name != kind.group))
        return cls(names, tuple(str(frame.schema[name]) for name in names))

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Names with Polars types."""
        return {name: TYPES[text] for name, text in zip(self.names, self.types, strict=True)}

    def dump(self) -> bytes:
        """Return the columns as JSON."""
        return orjson.dumps([self.names, self.types])

    @classmethod
    def parse(cls, text: bytes) -> Columns:
        """Read the columns back."""
        names, types = orjson.loads(text)
        return cls(tuple(names), tuple(types))


def blocks(kind: Kind, frame: pl.DataFrame, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
    """Yield a frame in slices sorted by the kind's key that never divide a group.

    Only row numbers are sorted, so that the frame is never copied whole.

    Raises:
        DataError: a key is null or occurs twice.
    """
    if frame.is_empty():
        return
    order = frame.select(pl.arg_sort_by(*kind.key)).to_series()
    groups = frame.get_column(kind.group).gather(order)
    start = 0
    while start < len(groups):
        end = min(start + rows, len(groups))
        if end < len(groups):
            end = int(groups.search_sorted(groups[end - 1], side="right"))
        block = frame[order.slice(start, end - start)]
        _check(kind, block)
        yield block
        start = end


def _check(kind: Kind, block: pl.DataFrame) -> None:
    """Refuse null and repeated keys, and numbers that JSON has no word for."""
    key = list(kind.key)
    if block.select(pl.any_horizontal(pl.col(key).is_null()).any()).item():
        raise DataError(f"A row of {kind.name} has no {' or '.join(key)}; expected one in each row.", source=kind.name)
    again = block.select(pl.all_horizontal(pl.col(key) == pl.col(key).shift(1)).any()).item()
    if again:
        twice = block.filter(block.select(key).is_duplicated()).select(key).row(0, named=True)
        raise DataError(f"{kind.name} holds {twice} twice; expected each key once.", source=kind.name)
    floats = [name for name, dtype in block.schema.items() if dtype.is_float()]
    if not floats:
        return
    odd = block.select((~pl.col(floats).is_finite()).sum()).row(0, named=True)
    found = {name: count for name, count in odd.items() if count}
    if found:
        raise DataError(
            f"{kind.name} holds NaN or infinity: {found}. A value that cannot be computed must be null.",
            source=kind.name,
        )


def row_text(columns: Columns) -> pl.Expr:
    """Return one row as a JSON array without its brackets, the group column left out."""
    scalars = [_scalar(name, TYPES[text]) for name, text in list(zip(columns.names, columns.types, strict=True))[1:]]
    return pl.concat_str(scalars, separator=",")


def _scalar(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_numeric() or dtype == pl.Boolean():
        return column.cast(pl.String).fill_null("null")
    if dtype == pl.Date():
        return pl.format('"{}"', column.dt.to_string("%Y-%m-%d")).fill_null("null")
    if isinstance(dtype, pl.Datetime):
        return column.dt.epoch("us").cast(pl.String).fill_null("null")
    # Polars escapes strings: {"":"..."} without its first four characters and its last one
    text = pl.struct(column.alias("")).struct.json_encode()
    return text.str.slice(4, text.str.len_chars() - 5)


def encode(kind: Kind, columns: Columns, block: pl.DataFrame) -> pl.DataFrame:
    """Return one row per player of a sorted block: `id` (his id) and `value` (JSON array of his rows)."""
    rows = block.lazy().select(id=pl.col(kind.group), text=pl.concat_str(pl.lit("["), row_text(columns), pl.lit("]")))
    if block.get_column(kind.group).n_unique() == len(block):
        grouped = rows
    else:
        grouped = rows.group_by("id", maintain_order=True).agg(pl.col("text").str.join(","))
    return grouped.select("id", value=pl.concat_str(pl.lit("["), "text", pl.lit("]"))).collect()


def encode_member(kind: Kind, columns: Columns, block: pl.DataFrame) -> pl.Series:
    """Return rows as JSON arrays that start with the player id: members of the sorted sets."""
    return block.select(
        pl.concat_str(pl.lit("["), pl.col(kind.group).cast(pl.String), pl.lit(","), row_text(columns), pl.lit("]"))
    ).to_series()


def member_row(member: bytes) -> bytes:
    """Return the part of a sorted set's member that stands in the player's value as well."""
    return b"[" + member.split(b",", 1)[1]


def rows_of(group: int, value: bytes) -> list[list[Any]]:
    """Return a player's rows as lists, his id first."""
    return [[group, *row] for row in orjson.loads(value)]


def frame_of(columns: Columns, rows: Iterable[list[Any]]) -> pl.DataFrame:
    """Return decoded rows as a frame with the types that it was stored with."""
    wire = {
        name: pl.String() if dtype == pl.Date() else pl.Int64() if isinstance(dtype, pl.Datetime) else dtype
        for name, dtype in columns.schema.items()
    }
    frame = pl.DataFrame(list(rows), schema=wire, orient="row", strict=True)
    dates = [pl.col(name).str.to_date() for name, dtype in columns.schema.items() if dtype == pl.Date()]
    instants = [
        pl.from_epoch(name, "us").dt.replace_time_zone("UTC").cast(dtype)
        for name, dtype in columns.schema.items()
        if isinstance(dtype, pl.Datetime)
    ]
    return frame.with_columns(*dates, *instants)


def dict_of(columns: Columns, row: list[Any]) -> dict[str, Any]:
    """Return one decoded row as a dict; dates and instants as such."""
    values: dict[str, Any] = dict(zip(columns.names, row, strict=True))
    for name, dtype in columns.schema.items():
        value = values[name]
        if value is None:
            continue
        if dtype == pl.Date():
            values[name] = dt.date.fromisoformat(value)
        elif isinstance(dtype, pl.Datetime):
            values[name] = dt.datetime.fromtimestamp(value / 1e6, dt.UTC)
    return values


def best(block: pl.DataFrame, column: str, market: str | None, top: int) -> Mapping[str, pl.DataFrame]:
    """Return a block's best rows by a column, null never among them: per market, or for all under one name."""
    scored = block.filter(pl.col(column).is_not_null())
    if market is None:
        return {"": scored.top_k(top, by=column)}
    return {
        str(name): rows.top_k(top, by=column) for (name,), rows in scored.partition_by(market, as_dict=True).items()
    }
