"""Which game an event of the odds feed is: by baseball day and teams, in a doubleheader by the start."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from backstop.sources.statsapi.schedule import is_off

GAME_OFF = "the game is postponed or cancelled"
GAME_UNCLEAR = "it is not clear which game of a doubleheader is meant"
NO_GAME = "no game of these teams on the day"

FAR_APART: Final = dt.timedelta(hours=2)
"""Games of a doubleheader begin further apart: an event so far from the nearest game may well mean the other."""

DAY_AND_TEAMS = ["game_date", "home_team", "away_team"]


def match_events(events: pl.DataFrame, games: pl.DataFrame) -> pl.DataFrame:
    """Find the game of each event.

    Args:
        events: Columns event_id_theodds, commence_at, game_date, home_team, away_team; one row per event.
        games: `core_games`, with those that are off.

    Returns:
        One row per event: event_id_theodds, game_pk (null when not found or off), reason (null when found). With as
        many events as games, the first event is the first game, by its number: a start may be a placeholder, the
        feed's or the books'. The only game of two teams on a day is meant by those of several events that are not
        `FAR_APART` from it: one may be of a suspended game that is resumed that day. Otherwise the game with the
        nearest known start is meant, none when that is `FAR_APART` or not clear; an event so long after it is the game
        whose start is to be determined, where that is one.
    """
    pairs = _pairs(events, games)
    as_many = pl.col("_events") == pl.col("_games")
    only = ~as_many & (pl.col("_games") == 1)
    in_order = pairs.filter(as_many & (pl.col("_nth") == pl.col("_game_nth")))
    apart = (pl.col("commence_at") - pl.col("start_at")).abs()
    near = apart <= FAR_APART
    chosen = pairs.filter(~only & ~as_many)
    nearest = chosen.filter(~pl.col("_tbd")).filter(apart == apart.min().over("event_id_theodds"))
    nearest = nearest.filter(pl.len().over("game_pk") == 1, pl.len().over("event_id_theodds") == 1)
    found = pl.concat([pairs.filter(only & near), in_order, nearest.filter(near), _to_be_determined(chosen)]).select(
        "event_id_theodds", "game_pk", "_off"
    )
    matched = events.join(found, on="event_id_theodds", how="left")
    reason = (
        pl.when(pl.col("_off"))
        .then(pl.lit(GAME_OFF))
        .when(pl.col("game_pk").is_not_null())
        .then(None)
        .when(pl.col("event_id_theodds").is_in(pairs["event_id_theodds"].implode()))
        .then(pl.lit(GAME_UNCLEAR))
        .otherwise(pl.lit(NO_GAME))
    )
    return matched.select(
        "event_id_theodds", pl.when(~pl.col("_off")).then("game_pk").alias("game_pk"), reason.alias("reason")
    ).sort("event_id_theodds")


def _pairs(events: pl.DataFrame, games: pl.DataFrame) -> pl.DataFrame:
    """Return a row per event and game of its teams on its day, each numbered and counted among those of its kind."""
    ranked = events.with_columns(_rank("commence_at").alias("_nth"), pl.len().over(DAY_AND_TEAMS).alias("_events"))
    listed = games.sort("game_number", "start_at", "game_pk").select(
        *DAY_AND_TEAMS,
        "game_pk",
        "start_at",
        pl.col("start_is_tbd").fill_null(value=False).alias("_tbd"),
        is_off().alias("_off"),
        pl.int_range(1, pl.len() + 1).over(DAY_AND_TEAMS).alias("_game_nth"),
        pl.len().over(DAY_AND_TEAMS).alias("_games"),
    )
    return ranked.join(listed, on=DAY_AND_TEAMS, how="inner")


def _to_be_determined(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of an event with the only game that has no start yet, where it is long after all the others."""
    after = (pl.col("commence_at") - pl.col("start_at") > FAR_APART) | pl.col("_tbd")
    late = pairs.filter(after.all().over("event_id_theodds"), pl.col("_tbd").sum().over("event_id_theodds") == 1)
    return late.filter("_tbd").filter(pl.len().over("game_pk") == 1)


def _rank(start: str) -> pl.Expr:
    return pl.col(start).rank("ordinal").over(DAY_AND_TEAMS)
