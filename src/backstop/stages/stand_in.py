"""Stand in: SportRadar's daily summary in place of the box scores that the Stats API did not give."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.identity import sportradar
from backstop.sources.parsed import Parsed, rejections
from backstop.sources.sportradar import summary
from backstop.sources.statsapi.boxscore import BoxParsed

if TYPE_CHECKING:
    from backstop.net.item import Answer
    from backstop.stages.house import House

LATELY: Final = dt.timedelta(days=20)
"""How far back a player's team and spelling are looked up where the feed does not carry his MLBAM id."""

PLACE: Final = ["game_date", "home_team", "away_team"]


def box_scores(house: House, answer: Answer, owed: pl.DataFrame) -> BoxParsed:
    """Return players and lines of the games that are owed.

    Args:
        house: The opened rooms.
        answer: SportRadar's summary of the day.
        owed: `core_games` of the games that no box score came of.

    Returns:
        Rows of `core_players` and `core_box`. Rejected besides what `as_tables` rejects: what the summary's parser
        rejects. Games that the summary does not tell apart (a doubleheader without MLB's number) have no rows.
    """
    parsed = summary.parse(answer)
    games = _which(parsed.frame, owed)
    rows = parsed.frame.filter(pl.col("game_id_sportradar").is_in(games["game_id_sportradar"].implode()))
    days = [day for day in house.lake.days(tables.PLAYERS.name) if _is_late(day, rows)]
    people = pl.concat([tables.PLAYERS.empty(), *(house.lake.read(tables.PLAYERS.name, day) for day in sorted(days))])
    players, box = sportradar.as_tables(rows, games, sportradar.crosswalk(rows, people))
    broken = pl.concat([rejections([]), parsed.rejected])
    return BoxParsed(
        Parsed(players.frame, pl.concat([broken, players.rejected]), players.rows_in + broken.height, parsed.drift), box
    )


def _which(rows: pl.DataFrame, owed: pl.DataFrame) -> pl.DataFrame:
    """Return game_id_sportradar and game_pk of the games that are owed: by MLB's number, else by day and clubs."""
    home = pl.col("team").filter("is_home").first().alias("home_team")
    away = pl.col("team").filter(~pl.col("is_home")).first().alias("away_team")
    told = rows.group_by("game_id_sportradar").agg(pl.col("game_pk", "game_date").first(), home, away)
    numbered = told.filter(pl.col("game_pk").is_in(owed["game_pk"].implode()))
    single = owed.filter(pl.len().over(PLACE) == 1).select("game_pk", *PLACE)
    alone = told.filter(pl.col("game_pk").is_null() & (pl.len().over(PLACE) == 1)).drop("game_pk")
    placed = alone.join(single, on=PLACE)
    both = pl.concat([each.select("game_id_sportradar", "game_pk") for each in (numbered, placed)])
    return both.unique("game_pk", keep="first", maintain_order=True)


def _is_late(day: dt.date, rows: pl.DataFrame) -> bool:
    newest = rows["game_date"].max()
    return isinstance(newest, dt.date) and newest - LATELY <= day <= newest
