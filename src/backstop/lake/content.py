"""What makes two frames the same rows: a hash that does not depend on chunks, compression or library version."""

from __future__ import annotations

import hashlib
import io

import polars as pl


def content_hash(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns, types and rows in order, hexadecimal.

    Rows are hashed as newline-delimited JSON, which prints numbers so that they read back equal. JSON has no word for
    NaN and infinity (both print as null), so where they occur their places are hashed as well.
    """
    digest = hashlib.sha256(schema_text(frame.schema).encode())
    body = io.BytesIO()
    frame.write_ndjson(body)
    digest.update(body.getbuffer())
    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    odd = frame.select(pl.col(floats).is_finite().fill_null(value=True).all()) if floats else pl.DataFrame()
    if floats and frame.height and not all(odd.row(0)):
        places = io.BytesIO()
        frame.select(pl.col(floats).cast(pl.String)).write_ndjson(places)
        digest.update(places.getbuffer())
    return digest.hexdigest()


def schema_text(schema: pl.Schema) -> str:
    """Return columns and types as text, one per line."""
    return "\n".join(f"{name}: {dtype}" for name, dtype in schema.items())


def schema_version(schema: pl.Schema) -> str:
    """Return twelve hexadecimal characters that change whenever a column is added, dropped or retyped."""
    return hashlib.sha256(schema_text(schema).encode()).hexdigest()[:12]
