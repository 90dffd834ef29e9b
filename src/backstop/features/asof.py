"""The only door to history: nothing that happened on or after the cutoff comes through it.

Rows are of a game's official day, which a suspended game keeps when it is finished weeks later. Nothing tells which of
its rows are of the later part, so the whole game counts as history from the day after its resumption on.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, TypeVar

import polars as pl

from backstop.errors import DataError

Rows = TypeVar("Rows", pl.LazyFrame, pl.DataFrame)

KNOWN_ON: Final = "known_on"
"""Day on which a row was known whole; only where rows hold a game that was resumed."""


def resumed(rows: pl.LazyFrame, games: pl.DataFrame) -> pl.LazyFrame:
    """Return rows with the day on which each was known whole, `known_on`; without resumed games they stay as they are.

    Args:
        rows: Any table with `game_pk` and `game_date`.
        games: `game_pk`, `known_on` of the games that were resumed; unique by game.
    """
    if games.is_empty():
        return rows
    later = pl.col("game_pk").replace_strict(games["game_pk"], games[KNOWN_ON], default=None, return_dtype=pl.Date)
    return rows.with_columns(pl.max_horizontal("game_date", later).alias(KNOWN_ON))


def day_of(rows: pl.LazyFrame | pl.DataFrame) -> str:
    """Return the column that tells on which day a row became history."""
    return KNOWN_ON if KNOWN_ON in rows.collect_schema() else "game_date"


def history(rows: Rows, cutoff: dt.date) -> Rows:
    """Return the rows known before the cutoff; partitions of later days are not even opened.

    Args:
        rows: Any table with `game_date`, that of games which were resumed through `resumed`.
        cutoff: The first day that must not be seen: the slate's own day.
    """
    before = rows.filter(pl.col("game_date") < cutoff)
    return before if day_of(rows) == "game_date" else before.filter(pl.col(KNOWN_ON) < cutoff)


def refuse_later_rows(frame: pl.DataFrame, cutoff: dt.date) -> None:
    """Check that a frame holds nothing known only on or after the cutoff.

    Raises:
        DataError: it does; the message names the latest date seen.
    """
    latest = frame.select(pl.col(day_of(frame)).max()).item()
    if latest is not None and latest >= cutoff:
        raise DataError(
            f"History for {cutoff} holds rows dated {latest}, which nobody knew before the games; only rows dated "
            "before the cutoff may be used: pass the scan through features.asof.history first.",
            source="core_tallies",
        )
