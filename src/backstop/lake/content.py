"""What makes two frames the same rows: a hash that does not depend on chunks, compression or library version."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from hashlib import _Hash


def content_hash(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns, types and rows in order, hexadecimal.

    Each column is hashed as its name and type, the places of its nulls, and its values as little-endian numbers or as
    lengths and text; a list as its length and its values, a struct as its fields. Two NaNs are the same; 0.0 and -0.0
    are not.
    """
    digest = hashlib.sha256(str(frame.height).encode())
    for series in frame.iter_columns():
        digest.update(f"\n{series.name}: {series.dtype}\n".encode())
        _add(digest, series)
    return digest.hexdigest()


def _add(digest: _Hash, series: pl.Series) -> None:
    if series.null_count():
        digest.update(np.packbits(series.is_null().to_numpy()).tobytes())
        # what stands in the place of a null is left over from earlier computations
        series = series.drop_nulls()
    if series.dtype == pl.String():
        digest.update(series.str.len_bytes().to_numpy().tobytes())
        digest.update("".join(series.str.join("").to_list()).encode())
    elif series.dtype.is_float():
        digest.update(series.fill_nan(float("nan")).to_numpy().tobytes())
    elif series.dtype.is_integer() or series.dtype.is_temporal():
        digest.update(series.to_physical().to_numpy().tobytes())
    elif isinstance(series.dtype, pl.List | pl.Array):
        # not as JSON, which knows neither NaN nor infinity: they would be nulls
        lists = series.cast(pl.List(series.dtype.inner))
        digest.update(lists.list.len().to_numpy().tobytes())
        _add_inner(digest, lists.filter(lists.list.len() > 0).explode())
    elif isinstance(series.dtype, pl.Struct):
        for field in series.struct.fields:
            _add_inner(digest, series.struct.field(field))
    else:
        # booleans, decimals, categories: their JSON prints every value
        body = io.BytesIO()
        series.to_frame("").write_ndjson(body)
        digest.update(body.getbuffer())


def _add_inner(digest: _Hash, series: pl.Series) -> None:
    """Add values inside of others, with how many there are: no outer null may read as an inner one."""
    digest.update(f"\n{len(series)} {series.null_count()}\n".encode())
    _add(digest, series)


def schema_text(schema: pl.Schema) -> str:
    """Return columns and types as text, one per line."""
    return "\n".join(f"{name}: {dtype}" for name, dtype in schema.items())


def schema_version(schema: pl.Schema) -> str:
    """Return twelve hexadecimal characters that change whenever a column is added, dropped or retyped."""
    return hashlib.sha256(schema_text(schema).encode()).hexdigest()[:12]
