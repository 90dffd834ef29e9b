"""Quotes made by hand."""

from __future__ import annotations

import polars as pl

from backstop.tables import QUOTES


def quotes(*rows: dict) -> pl.DataFrame:
    """Return QUOTES with the given values, the other columns null."""
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    lacking = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in QUOTES.schema.items() if n not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in QUOTES.schema.items())


def quote(of: dict, side: str, price: float, *, line: float = 0.5, book: str = "one") -> dict:
    return {
        "game_pk": of["game_pk"],
        "player_id_mlbam": of["player_id_mlbam"],
        "market": "batter_hits",
        "line": line,
        "side": side,
        "price_decimal": price,
        "bookmaker": book,
    }
