"""The only door to history: nothing that happened on or after the cutoff comes through it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from backstop.errors import DataError


def history(lake_scan: pl.LazyFrame, cutoff: dt.date) -> pl.LazyFrame:
    """Return the rows dated before the cutoff; partitions of later days are not even opened.

    Args:
        lake_scan: Any table with `game_date`.
        cutoff: The first day that must not be seen: the slate's own day.
    """
    return lake_scan.filter(pl.col("game_date") < cutoff)


def refuse_later_rows(frame: pl.DataFrame, cutoff: dt.date) -> None:
    """Check that a frame holds nothing dated on or after the cutoff.

    Raises:
        DataError: it does; the message names the latest date seen.
    """
    latest = frame.select(pl.col("game_date").max()).item()
    if latest is not None and latest >= cutoff:
        raise DataError(
            f"History for {cutoff} holds rows dated {latest}, which nobody knew before the games; only rows dated "
            "before the cutoff may be used: pass the scan through features.asof.history first.",
            source="core_tallies",
        )
