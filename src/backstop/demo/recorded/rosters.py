"""Rosters as the pitches tell them: who appeared for a club lately.

Nobody recorded rosters of 2024 and 2025. Who batted or pitched for a club on a day or in the weeks before, and for no
other club since, is taken to be on its roster that day: enough to know whom a quoted name means when he did not play.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Final

import polars as pl

from backstop.demo.clubs import BY_ABBR
from backstop.demo.recorded.pitches import PitchFile

LATELY: Final = dt.timedelta(days=20)
"""How far back an appearance counts: starters come every five or six days, injured lists last ten or fifteen."""

NEEDED: Final = ("home_team", "away_team", "inning_topbot", "batter", "pitcher")


class Rosters:
    """Who appeared for whom and when.

    Args:
        files: The recorded pitch files.
    """

    def __init__(self, files: list[PitchFile]) -> None:
        self._files = files

    @cached_property
    def appearances(self) -> pl.DataFrame:
        """One row per club, player and day on which he batted or pitched: game_date, club, player_id, is_pitcher."""
        parts = [_of_file(file) for file in self._files]
        found = [part for part in parts if part is not None]
        if not found:
            return pl.DataFrame(schema=_SCHEMA)
        return pl.concat(found).unique().sort("game_date", "club", "player_id", "is_pitcher")

    def of(self, club: str, day: dt.date) -> dict[int, bool]:
        """Return the players of a club on a day, with whether they pitched rather than batted, latest first."""
        lately = self.appearances.filter(pl.col("game_date").is_between(day - LATELY, day))
        last = lately.group_by("player_id").agg(
            pl.col("club", "game_date").sort_by("game_date").last(), pl.col("is_pitcher").all()
        )
        mine = last.filter(club=club).sort("game_date", "player_id", descending=[True, False])
        return dict(mine.select("player_id", "is_pitcher").iter_rows())


_SCHEMA: Final = {"game_date": pl.Date(), "club": pl.String(), "player_id": pl.Int64(), "is_pitcher": pl.Boolean()}


def _of_file(file: PitchFile) -> pl.DataFrame | None:
    scan = pl.scan_parquet(file.path)
    if not set(NEEDED) <= set(scan.collect_schema().names()):
        return None
    rows = scan.select(file.day, *NEEDED).unique().collect()
    top = pl.col("inning_topbot") == "Top"
    codes = {code: club.abbr for code, club in BY_ABBR.items()}
    parts = [
        rows.select(
            "game_date",
            club=pl.when(top == batting_away).then("away_team").otherwise("home_team").replace(codes),
            player_id=pl.col(who).cast(pl.Int64()),
            is_pitcher=pl.lit(who == "pitcher"),
        )
        for who, batting_away in (("batter", True), ("pitcher", False))
    ]
    return pl.concat(parts).drop_nulls().unique()
