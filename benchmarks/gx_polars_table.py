"""The table that the validators are measured on: 20 columns of numbers, text, instants and missing values."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

START = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - a column without a zone
END = dt.datetime(2025, 1, 1)  # noqa: DTZ001
CATEGORIES = ["single", "double", "triple", "homer", "walk", "out"]
COLUMNS = [
    *("id", "key_a", "key_b", "n1", "n2", "n3", "n4", "f1", "f2", "f3", "f4", "f5"),
    *("code", "category", "name", "note", "optional", "flag", "starts_at", "ends_at"),
]


def _missing(values: pl.Series, share: float, random: np.random.Generator) -> pl.Series:
    keep = pl.Series(random.random(len(values)) >= share)
    return values.to_frame().select(pl.when(keep).then(pl.first())).to_series()


def clean(rows: int) -> pl.DataFrame:
    """Return a table on which all 26 checks pass; the same for the same number of rows."""
    random = np.random.default_rng(rows)
    seconds = pl.Series("seconds", random.integers(0, 364 * 86_400, rows))
    starts = seconds.to_frame().select(pl.lit(START) + pl.duration(seconds="seconds")).to_series()
    n3 = random.integers(0, 5, rows)
    number = pl.Series(random.integers(0, 10_000, rows))
    return pl.DataFrame(
        {
            "id": random.permutation(rows),
            "key_a": np.arange(rows) // 100,
            "key_b": np.arange(rows) % 100,
            "n1": random.integers(0, 1000, rows),
            "n2": random.integers(-50, 51, rows),
            "n3": n3,
            "n4": n3 + random.integers(0, 5, rows),
            "f1": random.random(rows),
            "f2": random.random(rows) * 200 - 100,
            "f3": random.normal(10, 2, rows).clip(0, 20),
            "f4": random.random(rows) * 50,
            "f5": _missing(pl.Series(random.random(rows)), 0.2, random),
            "code": "A" + number.cast(pl.String).str.zfill(4),
            "category": pl.Series(CATEGORIES)[random.integers(0, len(CATEGORIES), rows)],
            "name": "player " + number.cast(pl.String),
            "note": pl.Series(["fine", "late", "early"])[random.integers(0, 3, rows)],
            "optional": _missing(pl.Series(["x"] * rows), 0.5, random),
            "flag": random.random(rows) > 0.5,
            "starts_at": starts,
            "ends_at": starts + dt.timedelta(hours=1),
        }
    ).select(COLUMNS)


def dirty(rows: int) -> pl.DataFrame:
    """Return the table with 1 % of rows spoilt for each of ten checks, other rows for each."""
    frame, random = clean(rows), np.random.default_rng(rows + 1)

    def bad() -> pl.Series:
        chosen = np.zeros(rows, dtype=bool)
        chosen[random.choice(rows, max(rows // 100, 1), replace=False)] = True
        return pl.Series(chosen)

    def spoil(column: str, value: object) -> pl.Expr:
        wrong = value if isinstance(value, pl.Expr) else pl.lit(value)
        return pl.when(bad()).then(wrong).otherwise(pl.col(column)).alias(column)

    return frame.with_columns(
        spoil("id", pl.col("id").first()),
        spoil("n2", 9_999),
        spoil("n3", 99),
        spoil("f1", None),
        spoil("f2", 1e9),
        spoil("f5", -1.0),
        spoil("code", "B0001"),
        spoil("category", "unheard of"),
        spoil("name", "a name that is much too long for it"),
        spoil("ends_at", pl.col("starts_at") - pl.duration(hours=1)),
    )


def write(folder: Path, rows: int, kind: str) -> Path:
    """Write a table to a Parquet file, unless it is there."""
    path = folder / f"{kind}_{rows}.parquet"
    if not path.exists():
        (clean if kind == "clean" else dirty)(rows).write_parquet(path)
    return path
