"""Columns in the names of folders (`game_date=2025-07-01/part.csv`), for files whose reader does not know of them."""

from __future__ import annotations

import datetime as dt
import glob
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from gx_polars.domain import exactly

FILE = "__gx_polars_file__"
MISSING = "__HIVE_DEFAULT_PARTITION__"


def partitioned_files(path: str) -> pl.DataFrame:
    """Return the files of a path, one row per file in the order of their names.

    Args:
        path: A file, a folder (with all the files in it, however deep) or a pattern.

    Returns:
        `FILE` and one column for each `key=value` folder, as whole numbers, dates or text, whatever all values read as;
        null for a file without the key and for Hive's own word for a missing value.

    Raises:
        FileNotFoundError: There are no such files.
        ValueError: The path is a URL, whose files cannot be listed here.
    """
    if "://" in path:
        msg = f"Partitions of CSV files are names of local folders, and {path!r} is a URL: use Parquet there."
        raise ValueError(msg)
    pattern = f"{glob.escape(path)}/**/*" if Path(path).is_dir() else path
    files = sorted(name for name in glob.glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207 - names as they are given
    if not files:
        msg = f"There are no files under {path!r}."
        raise FileNotFoundError(msg)
    pairs = [_pairs(name) for name in files]
    keys = dict.fromkeys(key for each in pairs for key in each)
    return pl.DataFrame(
        [pl.Series(FILE, files), *(_typed(key, [each.get(key) for each in pairs]) for key in keys)],
    )


def _pairs(name: str) -> dict[str, str | None]:
    folders = [part.split("=", 1) for part in Path(name).parts[:-1] if "=" in part]
    return {key: None if value == MISSING else unquote(value) for key, value in folders}


def _typed(key: str, values: Sequence[str | None]) -> pl.Series:
    for read, dtype in ((_whole, pl.Int64()), (_day, pl.Date())):
        found = [None if value is None else read(value) for value in values]
        if found.count(None) == values.count(None):
            return pl.Series(key, found, dtype=dtype)
    return pl.Series(key, values, dtype=pl.String)


def _whole(value: str) -> int | None:
    """Return a whole number of 64 bits; Python's `int` would take 1_000 and +5 too, which Parquet's readers do not."""
    number = int(value) if re.fullmatch(r"-?[0-9]{1,19}", value) else None
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _day(value: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.isoformat() == value else None


def with_partitions(frame: pl.LazyFrame, files: pl.DataFrame) -> pl.LazyFrame:
    """Return a scan that names its file in `FILE` with the partition columns in its place."""
    columns = [
        exactly(FILE).replace_strict(files[FILE], files[key], return_dtype=files.schema[key]).alias(key)
        for key in files.columns[1:]
    ]
    return frame.with_columns(columns).drop(FILE)
