"""Recorded quotes of The Odds API, as they stood at an instant.

Two shapes are read, known by their columns: one row per outcome with the book's own `last_update`, and one row per
pair of prices (`over`, `under`) with the first and last instant at which the pair was seen.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from backstop.demo.dialects.theodds import PROP_MARKETS, book_key
from backstop.demo.recorded import files
from backstop.demo.world import QUOTE_COLUMNS, Event
from backstop.odds import EVEN_AMERICAN

GAME: Final = ("event_id", "commence_time", "home_team", "away_team", "bookmaker")
OUTCOME_SHAPE: Final = frozenset({*GAME, "last_update", "market", "raw_name", "line", "odds"})
PAIR_SHAPE: Final = frozenset({*GAME, "player", "line", "over", "under", "first_seen_at", "last_seen_at"})
LISTED_AFTER_START: Final = dt.timedelta(hours=4)
"""How long a game that has begun stays on the list."""

PAIR_MARKETS: Final = {
    **{market: market for market in sorted(PROP_MARKETS, key=len, reverse=True)},
    "first_home_?run": "batter_first_home_run",
    "hits_?runs_?rbi": "batter_hits_runs_rbis",
    "earned_?runs": "pitcher_earned_runs",
    "runs_scored": "batter_runs_scored",
    "record_a_win": "pitcher_record_a_win",
    "walks_allowed": "pitcher_walks",
    "singles": "batter_singles",
    "doubles": "batter_doubles",
    "triples": "batter_triples",
    "strikeout": "pitcher_strikeouts",
    "home_?run": "batter_home_runs",
    "total_?bases": "batter_total_bases",
    "hits_allowed": "pitcher_hits_allowed",
    "(?<!_)hits|_hits": "batter_hits",
    "rbi": "batter_rbis",
    "outs": "pitcher_outs",
    "walks": "batter_walks",
    "stolen_?bases": "batter_stolen_bases",
}
"""Market of a pair file by what its name says, the first that fits: most hold one market and no column for it."""

STAMPS: Final = ("commence_time", "last_update", "first_seen_at", "last_seen_at")
IS_A_PRICE: Final = pl.col("american").abs() >= EVEN_AMERICAN

NEEDED: Final = ("event_id", "title", "market", "commence_at")
PRICE: Final = ["book", "market", "player", "point", "side"]
INSTANT: Final = pl.Datetime("us", "UTC")
_LOG: Final = logging.getLogger(__name__)


class Quotes:
    """All quotes of a folder.

    Args:
        folder: Where Parquet files of quotes lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row per recorded price: `QUOTE_COLUMNS` without updated_at, the game, seen_from, seen_until."""
        read = (_read(path, set(schema)) for path, schema in files.parquet(self._folder))
        frames = [frame for frame in read if frame is not None]
        if not frames:
            return pl.DataFrame(schema=_SCHEMA)
        titles = pl.concat(frames).drop_nulls(NEEDED)
        keys = {title: book_key(title) for title in titles["title"].unique()}
        return titles.with_columns(book=pl.col("title").replace_strict(keys, return_dtype=pl.String())).sort(
            "event_id", "seen_from", maintain_order=True
        )

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        runs = self.table.with_row_index().group_by("event_id").agg(pl.col("index").min(), pl.len())
        return {event: (start, length) for event, start, length in runs.iter_rows()}

    @cached_property
    def games(self) -> pl.DataFrame:
        """One row per event: event_id, home_team, away_team, commence_at as last recorded."""
        last = self.table.group_by("event_id").agg(pl.col("home_team", "away_team", "commence_at").last())
        return last.sort("commence_at", "event_id")

    def of(self, event_id: str) -> pl.DataFrame | None:
        """Return every recorded price of an event; `None` when there is no such event."""
        place = self._places.get(event_id)
        return self.table.slice(*place) if place else None

    def events(self, at: dt.datetime | None) -> list[Event]:
        """Return the events listed at an instant with the start known then; every one without an instant."""
        if at is None:
            return [_event(row) for row in self.games.iter_rows(named=True)]
        known = self.table.filter(pl.col("seen_from") <= at).group_by("event_id").agg(then=pl.col("commence_at").last())
        first = self.table.group_by("event_id").agg(pl.col("home_team", "away_team", "commence_at").first())
        listed = first.join(known, on="event_id", how="left").with_columns(
            commence_at=pl.coalesce("then", "commence_at")
        )
        listed = listed.filter(pl.col("commence_at") > at - LISTED_AFTER_START).sort("commence_at", "event_id")
        return [_event(row) for row in listed.iter_rows(named=True)]

    def at(self, event_id: str, at: dt.datetime | None) -> pl.DataFrame | None:
        """Return the last price not later than an instant of every book, market, player, point and side.

        A price seen from one instant to another counts as seen at the later one, or at the earlier one when the
        later one lies ahead.
        """
        rows = self.of(event_id)
        if rows is None:
            return None
        stamp = pl.col("seen_until")
        if at is not None:
            rows = rows.filter(pl.col("seen_from") <= at)
            stamp = pl.when(pl.col("seen_until") <= at).then("seen_until").otherwise("seen_from")
        rows = rows.with_columns(updated_at=stamp).sort("updated_at", maintain_order=True)
        return rows.unique(PRICE, keep="last", maintain_order=True).select(QUOTE_COLUMNS.keys())

    def event(self, event_id: str, at: dt.datetime | None) -> Event | None:
        """Return an event with the start known at the instant; `None` for an unknown one."""
        rows = self.of(event_id)
        if rows is None:
            return None
        known = rows.filter(pl.col("seen_from") <= at) if at is not None else rows
        return _event((known.tail(1) if len(known) else rows.head(1)).row(0, named=True))


_SCHEMA: Final = {name: dtype for name, dtype in QUOTE_COLUMNS.items() if name != "updated_at"} | {
    "home_team": pl.String(),
    "away_team": pl.String(),
    "commence_at": INSTANT,
    "seen_from": INSTANT,
    "seen_until": INSTANT,
}


def _read(path: Path, columns: set[str]) -> pl.DataFrame | None:
    if columns >= OUTCOME_SHAPE:
        return _outcomes(_stamped(path))
    if columns >= PAIR_SHAPE:
        if "market" in columns:
            return _pairs(_stamped(path))
        if market := market_of(path.name):
            return _pairs(_stamped(path).with_columns(market=pl.lit(market)))
        _LOG.warning(
            "%s holds pairs of prices but neither a column nor its name tells of which market; it is not served. "
            "Name it after one of: %s.",
            path,
            ", ".join(sorted(set(PAIR_MARKETS.values()))),
        )
    return None


def _stamped(path: Path) -> pl.DataFrame:
    """Read a file; instants that it keeps as text become instants."""
    frame = pl.read_parquet(path)
    texts = [name for name in STAMPS if frame.schema.get(name) == pl.String()]
    return frame.with_columns(pl.col(texts).str.to_datetime(time_unit="us", time_zone="UTC", strict=False))


def market_of(name: str) -> str | None:
    """Return the market that a file's name speaks of; `None` when it names none.

    >>> market_of("the_odds_api_mlb_home_run_props_2025_2026.parquet")
    'batter_home_runs'
    """
    return next((market for words, market in PAIR_MARKETS.items() if re.search(words, name.lower())), None)


def _columns() -> list[pl.Expr]:
    return [
        pl.col("event_id"),
        pl.lit(None, pl.String()).alias("book"),
        pl.col("bookmaker").alias("title"),
        pl.col("market"),
        pl.col("player"),
        pl.col("point").cast(pl.Float64()),
        pl.col("side"),
        pl.col("american").cast(pl.Int32(), strict=False),
        pl.col("home_team"),
        pl.col("away_team"),
        pl.col("commence_time").cast(INSTANT).alias("commence_at"),
        pl.col("seen_from").cast(INSTANT),
        pl.col("seen_until").cast(INSTANT),
    ]


def _outcomes(frame: pl.DataFrame) -> pl.DataFrame:
    player = pl.col("description") if "description" in frame.columns else pl.lit(None, pl.String())
    stored = [name for name in ("committed_at",) if name in frame.columns]
    return (
        frame.sort("last_update", *stored, maintain_order=True)
        .with_columns(
            player=player,
            point="line",
            side="raw_name",
            american="odds",
            seen_from="last_update",
            seen_until="last_update",
        )
        .select(_columns())
        .filter(IS_A_PRICE)
    )


def _pairs(frame: pl.DataFrame) -> pl.DataFrame:
    sides = frame.unpivot(
        ["over", "under"],
        index=[*GAME, "market", "player", "line", "first_seen_at", "last_seen_at"],
        variable_name="side",
        value_name="american",
    )
    return (
        sides.with_columns(
            pl.col("side").str.to_titlecase(),
            point="line",
            seen_from="first_seen_at",
            seen_until="last_seen_at",
        )
        .select(_columns())
        .filter(IS_A_PRICE)
    )


def _event(row: dict[str, object]) -> Event:
    start = row["commence_at"]
    if not isinstance(start, dt.datetime):
        raise TypeError(f"commence_at is {start!r}, expected an instant.")
    return Event(str(row["event_id"]), start, str(row["home_team"]), str(row["away_team"]))
