"""Adds tallies up into what the model reads, and adds a new day to what is already added up.

Everything is an integer, so adding day by day and adding a whole history at once give the same bits.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Final

import polars as pl

from backstop.features import asof
from backstop.features.outcomes import count_columns

STATCAST: Final = (
    "pitches_described",
    "swings",
    "whiffs",
    "batted_balls_measured",
    "barrels",
    "xba_balls",
    "xba_thousandths",
)
COUNTS: Final = ("plate_appearances", *count_columns())

BATTING_KEY: Final = ("season", "batter_id_mlbam", "stand", "p_throws")
PITCHING_KEY: Final = ("season", "pitcher_id_mlbam", "p_throws", "pitcher_started")
TEAM_PITCHING_KEY: Final = ("season", "team", "pitcher_started")
PARKS_KEY: Final = ("season", "home_team", "away_team")
SLOTS_KEY: Final = ("season", "slot")
TURNS_KEY: Final = ("season", "slot", "is_home", "turns")
STARTS_KEY: Final = ("game_date", "game_pk", "pitcher_id_mlbam")


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts before a cutoff, by what the model asks for; each frame is sorted by its key.

    Attributes:
        batting: By season, batter, side batted, pitcher's hand: outcome counts and Statcast counts.
        pitching: By season, pitcher, hand, whether he had started the game: likewise.
        team_pitching: By season, fielding team, starter or relief: outcome counts.
        parks: By season, home team, away team: outcome counts of both sides.
        slots: By season and batting slot (0 substitutes): outcome counts.
        turns: By season, slot 1-9, home, plate appearances in a game: `games` with exactly that many.
        starts: One row per start: batters faced, outs, strikeouts.
        last_day: The latest day added: of a game that was resumed, that of its resumption; null without any.
    """

    batting: pl.DataFrame
    pitching: pl.DataFrame
    team_pitching: pl.DataFrame
    parks: pl.DataFrame
    slots: pl.DataFrame
    turns: pl.DataFrame
    starts: pl.DataFrame
    last_day: dt.date | None

    def plus(self, later: Sums) -> Sums:
        """Return the sums over both histories; they must not share a game."""
        added = {name: _add(getattr(self, name), getattr(later, name), key) for name, key in _KEYS.items()}
        days = [day for day in (self.last_day, later.last_day) if day is not None]
        return Sums(**added, last_day=max(days, default=None))


_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "batting": BATTING_KEY,
    "pitching": PITCHING_KEY,
    "team_pitching": TEAM_PITCHING_KEY,
    "parks": PARKS_KEY,
    "slots": SLOTS_KEY,
    "turns": TURNS_KEY,
    "starts": STARTS_KEY,
}


def add_up(tallies: pl.LazyFrame | pl.DataFrame) -> Sums:
    """Add up tallies (`core_tallies`) in one pass."""
    rows = tallies.lazy().with_columns(
        team=pl.when(pl.col("is_home")).then(pl.col("away_team")).otherwise(pl.col("home_team")),
    )
    plans = [
        _grouped(rows, BATTING_KEY, (*COUNTS, *STATCAST)),
        _grouped(rows, PITCHING_KEY, (*COUNTS, *STATCAST)),
        _grouped(rows, TEAM_PITCHING_KEY, COUNTS),
        _grouped(rows, PARKS_KEY, COUNTS),
        _grouped(rows, SLOTS_KEY, COUNTS),
        _turns_per_game(rows),
        _starts(rows),
        rows.select(pl.col(asof.day_of(rows)).max()),
    ]
    *frames, last = pl.collect_all(plans)
    named = dict(zip([field.name for field in fields(Sums)][:-1], frames, strict=True))
    return Sums(**named, last_day=last.item())


def _grouped(rows: pl.LazyFrame, key: tuple[str, ...], counted: tuple[str, ...]) -> pl.LazyFrame:
    return rows.group_by(key).agg(pl.col(counted).cast(pl.Int64).sum()).sort(key)


def _turns_per_game(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Count games by how many plate appearances a starter had in them; pitchers who bat are not told apart."""
    per_game = (
        rows.filter(pl.col("slot") > 0)
        .group_by("season", "game_pk", "is_home", "slot")
        .agg(pl.col("plate_appearances").sum().alias("turns"))
    )
    return (
        per_game.filter(pl.col("turns") > 0)
        .group_by(TURNS_KEY)
        .agg(pl.len().cast(pl.Int64).alias("games"))
        .sort(TURNS_KEY)
    )


def _starts(rows: pl.LazyFrame) -> pl.LazyFrame:
    counted = {
        "batters_faced": "plate_appearances",
        "outs_recorded": "outs_recorded",
        "strikeouts": "n_strikeout",
    }
    return (
        rows.filter(pl.col("pitcher_started"))
        .group_by("season", *STARTS_KEY)
        .agg(pl.col(column).cast(pl.Int64).sum().alias(name) for name, column in counted.items())
        .sort(STARTS_KEY)
    )


def _add(first: pl.DataFrame, second: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Add two sorted frames of counts; a start occurs once, so its rows are only put together."""
    both = pl.concat([first, second])
    if key is STARTS_KEY:
        return both.sort(key)
    return both.group_by(key).agg(pl.col(pl.Int64).exclude(key).sum()).select(first.columns).sort(key)
