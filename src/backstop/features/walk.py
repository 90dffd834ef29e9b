"""Walks through past days in order: the features that were, or would have been, served on each of them.

History is added up day by day, so a day costs the same whether it is the tenth or the thousandth; each day's rows equal
`features.build.build` on the same history bit for bit, which is why a training set has no train/serve skew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from backstop.features import asof
from backstop.features.build import from_sums
from backstop.features.parameters import Parameters
from backstop.features.sums import Sums, add_up
from backstop.tables import GAMES, PLAYERS

Lineups = Callable[[dt.date], tuple[pl.DataFrame, pl.DataFrame]]
"""Gives a day's GAMES and PLAYERS as they were posted before its games."""

UNKNOWN: Final = "as played"


def walk(
    tallies: pl.LazyFrame | pl.DataFrame,
    first: dt.date,
    last: dt.date,
    *,
    lineups: Lineups | None = None,
    parameters: Parameters | Callable[[dt.date], Parameters] | None = None,
    box: pl.LazyFrame | pl.DataFrame | None = None,
) -> Iterator[tuple[dt.date, pl.DataFrame]]:
    """Yield each day from `first` to `last` that has games, with the features of its slate (`out_features`).

    Args:
        tallies: `core_tallies` up to `last`; rows of a day are added only after its features were yielded, those of a
            game that was resumed (`features.asof.resumed`) after those of the day of its resumption.
        first: First day.
        last: Last day.
        lineups: Gives games and line-ups as posted; by default they are read off the games themselves.
        parameters: Fitted numbers, of all days or by day; the shipped ones by default.
        box: BOX rows, for stolen bases.
    """
    for day, sums, played in histories(tallies, first, last):
        games, players = lineups(day) if lineups else as_played(played)
        fitted = parameters(day) if callable(parameters) else parameters
        yield day, from_sums(sums, games, players, cutoff=day, parameters=fitted, box=box)


def histories(
    tallies: pl.LazyFrame | pl.DataFrame, first: dt.date, last: dt.date
) -> Iterator[tuple[dt.date, Sums, pl.DataFrame]]:
    """Yield each day from `first` to `last` that has games: what was known before it, and its own tallies."""
    rows = tallies.lazy().filter(pl.col("game_date") <= last).collect()
    days = rows.filter(pl.col("game_date") >= first).partition_by("game_date", as_dict=True)
    sums, told = add_up(asof.history(rows, first)), asof.day_of(rows)
    news = days if told == "game_date" else rows.filter(pl.col(told) >= first).partition_by(told, as_dict=True)
    ahead = sorted(news)
    for (day,) in sorted(days):
        while ahead and ahead[0] < (day,):
            sums = sums.plus(add_up(news[ahead.pop(0)]))
        yield day, sums, days[(day,)]


def as_played(day: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a day's GAMES and PLAYERS from its tallies: who batted where and who started, nothing of what happened.

    Slots are those of the first nine batters of a side, the starter is its first pitcher.

    Args:
        day: `core_tallies` of one day.
    """
    match = day.select("game_pk", "game_date", "season", "home_team", "away_team").unique("game_pk").sort("game_pk")
    team = pl.when(pl.col("is_home")).then("home_team").otherwise("away_team")
    other = pl.when(pl.col("is_home")).then("away_team").otherwise("home_team")
    person = ["game_pk", "game_date", "player_id_mlbam", "team", "opponent", "is_home"]
    batters = (
        day.filter(pl.col("slot") > 0)
        .select("game_pk", "game_date", "is_home", "slot", team=team, opponent=other, player_id_mlbam="batter_id_mlbam")
        .unique(["game_pk", "player_id_mlbam"])
    )
    starters = (
        day.filter("pitcher_started")
        .select(
            "game_pk", "game_date", ~pl.col("is_home"), team=other, opponent=team, player_id_mlbam="pitcher_id_mlbam"
        )
        .unique(["game_pk", "player_id_mlbam"])
        .with_columns(is_starting_pitcher=pl.lit(value=True))
    )
    players = batters.join(starters, on=person, how="full", coalesce=True).with_columns(
        pl.col("is_starting_pitcher").fill_null(value=False)
    )
    games = match.with_columns(status=pl.lit(UNKNOWN))
    return _filled(games, GAMES.schema), _filled(players, PLAYERS.schema).sort("game_pk", "player_id_mlbam")


def _filled(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Add the columns that nobody knows as nulls."""
    lacking = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
