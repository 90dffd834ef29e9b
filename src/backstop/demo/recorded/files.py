"""Files of a folder of recordings: what can be read of them; one that cannot is named and left alone."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

LARGEST_JSON: Final = 64 * 1024 * 1024
"""Bytes of a file beyond which it is not one answer."""

_LOG: Final = logging.getLogger(__name__)
_UNREADABLE: Final = (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, UnicodeDecodeError)


def parquet(folder: Path) -> Iterator[tuple[Path, pl.Schema]]:
    """Yield the Parquet files under a folder, at any depth, with their columns."""
    for path in sorted(folder.rglob("*.parquet")):
        try:
            schema = pl.read_parquet_schema(path)
        except _UNREADABLE as error:
            _leave(path, error)
        else:
            yield path, pl.Schema(schema)


def csv(folder: Path, *, rows: int | None = None) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Yield the CSV files under a folder, at any depth, packed or not, as text.

    Args:
        folder: Where to look.
        rows: How many rows to read at most; all without it.
    """
    for path in sorted(folder.rglob("*.csv*")):
        try:
            frame = pl.read_csv(
                path, n_rows=rows, infer_schema=False, encoding="utf8-lossy", truncate_ragged_lines=True
            )
        except pl.exceptions.NoDataError:
            continue
        except _UNREADABLE as error:
            _leave(path, error)
        else:
            yield path, frame.rename({name: name.removeprefix("\ufeff") for name in frame.columns[:1]})


def json(folder: Path) -> Iterator[Any]:
    """Yield what the JSON files under a folder hold, at any depth, packed or not."""
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith((".json", ".json.gz")) or path.stat().st_size >= LARGEST_JSON:
            continue
        try:
            data = path.read_bytes()
            text = gzip.decompress(data) if path.suffix == ".gz" else data
            yield orjson.loads(text.removeprefix("\ufeff".encode()))
        except (*_UNREADABLE, orjson.JSONDecodeError) as error:
            _leave(path, error)


def _leave(path: Path, error: Exception) -> None:
    reason = str(error).partition("\n")[0]
    _LOG.warning("%s cannot be read and is not served: %s", path, reason)
