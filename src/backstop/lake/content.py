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
    lengths and text. Two NaNs are the same; 0.0 and -0.0 are not.
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
    else:
        # lists, structs and the like are rare; their JSON prints every value
        body = io.BytesIO()
        series.to_frame("").write_ndjson(body)
        digest.update(body.getbuffer())


def schema_text(schema: pl.Schema) -> str:
    """Return columns and types as text, one per line."""
    return "\n".join(f"{name}: {dtype}" for name, dtype in schema.items())


def schema_version(schema: pl.Schema) -> str:
    """Return twelve hexadecimal characters that change whenever a column is added, dropped or retyped."""
    return hashlib.sha256(schema_text(schema).encode()).hexdigest()[:12]
