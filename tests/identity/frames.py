"""Quotes, games and players in few words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import polars as pl

from backstop.tables import GAMES, PLAYERS, QUOTES

DAY = dt.date(2025, 6, 15)


def at(hour: int, minute: int = 0) -> dt.datetime:
    """An instant of the day, UTC; hours past 23 are the night after."""
    return dt.datetime(2025, 6, 15, tzinfo=dt.UTC) + dt.timedelta(hours=hour, minutes=minute)


def games(*rows: tuple[int, str, str, dt.datetime], status: str = "Scheduled") -> pl.DataFrame:
    """Games as (game_pk, home, away, start)."""
    made = [
        {**dict.fromkeys(GAMES.schema), "game_pk": pk, "game_date": DAY, "home_team": home, "away_team": away,
         "start_at": start, "status": status}
        for pk, home, away, start in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=GAMES.schema)


def players(*rows: tuple[int, int, str, str]) -> pl.DataFrame:
    """Players as (game_pk, id, name, team)."""
    made = [
        {**dict.fromkeys(PLAYERS.schema), "game_pk": pk, "game_date": DAY, "player_id_mlbam": player, "full_name": name,
         "team": team}
        for pk, player, name, team in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=PLAYERS.schema)


def quotes(
    names: Iterable[str], *, event: str = "e", home: str = "LAD", away: str = "ATH", start: dt.datetime | None = None
) -> pl.DataFrame:
    """One over per name."""
    made: list[dict[str, Any]] = [
        {**dict.fromkeys(QUOTES.schema), "event_id_theodds": event, "game_date": DAY, "commence_at": start or at(20),
         "home_team": home, "away_team": away, "bookmaker": "b", "market": "batter_hits", "player_name": name,
         "line": 0.5, "side": "over", "price_decimal": 1.9, "fetched_at": at(12)}
        for name in names
    ]  # fmt: skip
    return pl.DataFrame(made, schema=QUOTES.schema)
