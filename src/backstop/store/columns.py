"""The columns of a kind of rows, and where each stands in a value. `codec` tells how a value is made."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
import polars as pl

from backstop.errors import SchemaDrift

if TYPE_CHECKING:
    from collections.abc import Collection

    from backstop.store.kinds import Kind

HEADER: Final = struct.Struct("<IQ")
"""Rows of a value, and the mask of its shared texts."""

GROUP: Final = struct.Struct("<q")
"""What a member of a sorted set begins with: whose row it is."""

MASK_BITS: Final = 64

NULLS: Final = "(nulls)"
LENGTHS: Final = "(lengths)"
"""numpy's names for what a record holds beside the columns."""

LENGTH: Final = "<u2"
NULL_LENGTH: Final = 0xFFFF
"""Length of a text that is null; a text may have one byte less."""

TYPES: Final[dict[str, pl.DataType]] = {
    str(dtype): dtype
    for dtype in (
        pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(),
        pl.Float32(), pl.Float64(), pl.String(), pl.Boolean(), pl.Date(),
        pl.Datetime("us", "UTC"), pl.Datetime("ms", "UTC"),
    )
}  # fmt: skip
"""Types that survive the way to Redis and back. Instants travel as microseconds."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and types of a kind's columns, the group column first."""

    names: tuple[str, ...]
    types: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame) -> Columns:
        """Read columns off a frame.

        Raises:
            SchemaDrift: a key column is missing, or a column has a type that cannot be brought back.
        """
        schema = frame.schema
        missing = [name for name in (*kind.key, *(column for _, column in kind.orders)) if name not in schema]
        odd = [f"{name} {dtype}" for name, dtype in schema.items() if str(dtype) not in TYPES]
        if schema.get(kind.group) not in {None, pl.Int64()}:
            odd.append(f"{kind.group} {schema[kind.group]} (expected Int64)")
        if missing or odd:
            raise SchemaDrift(
                f"{kind.name} cannot be stored: missing columns {missing or 'none'}, types that cannot be stored "
                f"{odd or 'none'}. Expected the columns {kind.key} and types {', '.join(TYPES)}.",
                source=kind.name,
            )
        names = (kind.group, *(name for name in schema if name != kind.group))
        return cls(names, tuple(str(schema[name]) for name in names))

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


@dataclass(frozen=True)
class Layout:
    """Where the parts of a row stand in values of one mask.

    Attributes:
        columns: Names and types.
        mask: Which text columns stand once per value.
        fixed: Names of the columns in the record.
        shared: Names of the text columns that stand once per value.
        own: Names of the text columns that every row has its own of.
        record: The record as numpy sees it: bitmap of nulls, fixed columns, lengths of the own texts.
        row: The record as `struct` sees it.
        lengths: The lengths of the shared texts as `struct` sees them.
    """

    columns: Columns
    mask: int
    fixed: tuple[str, ...]
    shared: tuple[str, ...]
    own: tuple[str, ...]
    record: np.dtype[np.void]
    row: struct.Struct
    lengths: struct.Struct

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def of(cls, columns: Columns, mask: int) -> Layout:
        """Return the layout of columns; the group column stands in the hash field, not in the value."""
        schema = dict(list(columns.schema.items())[1:])
        texts = text_columns(columns)
        shared = tuple(name for place, name in enumerate(texts) if mask >> place & 1)
        own = tuple(name for name in texts if name not in shared)
        codes = {name: _code(dtype) for name, dtype in schema.items() if name not in texts}
        nulls = (len(codes) + 7) // 8
        numbers = ((name, f"<{code[0]}") for name, code in codes.items())
        fields = [(NULLS, "u1", (nulls,)), *numbers, (LENGTHS, LENGTH, (len(own),))]
        row = struct.Struct(f"<{nulls}s" + "".join(code[1] for code in codes.values()) + "H" * len(own))
        return cls(columns, mask, tuple(codes), shared, own, np.dtype(fields), row, struct.Struct(f"<{len(shared)}H"))

    def without(self, shared: Collection[str]) -> Layout:
        """Return the layout of values in which each row has its own of some texts that stood once."""
        texts = text_columns(self.columns)
        return Layout.of(self.columns, self.mask & ~sum(1 << texts.index(name) for name in shared))


@functools.lru_cache(maxsize=256)
def text_columns(columns: Columns) -> tuple[str, ...]:
    """Return the names of the text columns; the bits of a mask are their places."""
    return tuple(name for name, dtype in list(columns.schema.items())[1:] if dtype == pl.String())


def _code(dtype: pl.DataType) -> tuple[str, str]:
    """Return the codes of numpy and `struct` for a type."""
    if isinstance(dtype, pl.Datetime):
        return "i8", "q"
    if dtype == pl.Date():
        return "i4", "i"
    if dtype == pl.Boolean():
        return "u1", "B"
    kind = "f" if dtype.is_float() else "u" if dtype.is_unsigned_integer() else "i"
    size = int("".join(filter(str.isdigit, str(dtype)))) // 8
    code = {("f", 4): "f", ("f", 8): "d"}.get((kind, size)) or "bhiq"[size.bit_length() - 1]
    return f"{kind}{size}", code.upper() if kind == "u" else code
