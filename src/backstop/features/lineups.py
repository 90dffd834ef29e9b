"""Who bats where and who starts: the slate's games turned into rows to project, or into absences with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from backstop.features.tally import LINEUP_PLACES
from backstop.sources.statsapi.schedule import is_off

ABSENCE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_pk": pl.Int64(),
    "player_id_mlbam": pl.Int64(),
    "role": pl.String(),
    "reason": pl.String(),
}

NO_HISTORY: Final = "the lake holds no game before the cutoff"

PERSON: Final = ("game_pk", "game_date", "home_team", "player_id_mlbam", "player_name", "team", "opponent", "is_home")


@dataclass(frozen=True, slots=True)
class Slate:
    """Who can be projected.

    Attributes:
        batters: `PERSON`, `slot`, `opposing_starter_id_mlbam`; sorted by game, side, slot.
        starters: `PERSON`; each with a complete opposing line-up among `lineups`; sorted by game and side.
        lineups: Every named place of every line-up, also those without an opposing starter: `PERSON`, `slot`.
        absent: `game_pk`, `player_id_mlbam` (null for a whole side), `role`, `reason`.
    """

    batters: pl.DataFrame
    starters: pl.DataFrame
    lineups: pl.DataFrame
    absent: pl.DataFrame


def place(games: pl.DataFrame, players: pl.DataFrame, *, has_history: bool = True) -> Slate:
    """Sort the slate's players into batters, starters and absences.

    Args:
        games: GAMES rows.
        players: PLAYERS rows; those without a slot who do not start as pitcher are on the bench and are ignored.
        has_history: Whether anything is known at all; without it everybody is absent.
    """
    sides = _sides(games)
    named = _named(sides, players)
    starters = _starting_pitchers(sides, named)
    lineups = _lineups(named)
    per_side = lineups.group_by("game_pk", "is_home").agg(pl.len().alias("names"))
    sides = sides.join(per_side, on=["game_pk", "is_home"], how="left").with_columns(pl.col("names").fill_null(0))
    facing = starters.select("game_pk", ~pl.col("is_home"), opposing_starter_id_mlbam="player_id_mlbam")
    batters = lineups.join(facing, on=["game_pk", "is_home"], how="left")
    against = sides.select("game_pk", ~pl.col("is_home"), opposing_names="names")
    starters = starters.join(against, on=["game_pk", "is_home"], how="left")
    nobody = pl.lit(not has_history)
    return Slate(
        batters=batters.filter(pl.col("opposing_starter_id_mlbam").is_not_null() & ~nobody),
        starters=starters.filter((pl.col("opposing_names") == LINEUP_PLACES) & ~nobody).select(PERSON),
        lineups=lineups,
        absent=_absences(sides, named, batters, starters, nobody),
    )


def _absences(
    sides: pl.DataFrame, named: pl.DataFrame, batters: pl.DataFrame, starters: pl.DataFrame, nobody: pl.Expr
) -> pl.DataFrame:
    """Name everyone who cannot be projected, with the reason; one who lacks two things stands there twice.

    Args:
        sides: Both teams of every game with `names`, the places known of its line-up.
        named: Players of the games that will be played.
        batters: Line-ups with the opposing starter.
        starters: Starting pitchers with `opposing_names`.
        nobody: Whether nothing at all is known before the day.
    """
    reasons = [
        _reason(sides, ~pl.col("played"), "batter", "the game is " + pl.col("status").str.to_lowercase()),
        _reason(
            sides, pl.col("played") & (pl.col("names") == 0), "batter", "no line-up of " + pl.col("team") + " is known"
        ),
        _reason(
            sides.join(starters, on=["game_pk", "is_home"], how="anti"),
            pl.col("played"),
            "starter",
            "no single starting pitcher of " + pl.col("team") + " is named",
        ),
        _clashes(named),
        _reason(
            batters,
            pl.col("opposing_starter_id_mlbam").is_null(),
            "batter",
            "no starting pitcher of " + pl.col("opponent") + " is named",
        ),
        _reason(
            starters,
            pl.col("opposing_names") != LINEUP_PLACES,
            "starter",
            pl.when(pl.col("opposing_names") == 0)
            .then("he faces " + pl.col("opponent") + ", whose line-up is not known")
            .otherwise(
                "the line-up of "
                + pl.col("opponent")
                + " has "
                + pl.col("opposing_names").cast(pl.String)
                + " names, not 9"
            ),
        ),
        _reason(batters, nobody, "batter", pl.lit(NO_HISTORY)),
        _reason(starters, nobody, "starter", pl.lit(NO_HISTORY)),
    ]
    return pl.concat(reasons).unique([*ABSENCE_SCHEMA]).sort("game_pk", "role", "player_id_mlbam", "reason")


def _sides(games: pl.DataFrame) -> pl.DataFrame:
    """Two rows per game: each team with its opponent and the starter that the schedule names."""
    common = ["game_pk", "game_date", "home_team", "status"]
    home = games.select(
        *common,
        played=~is_off(),
        team="home_team",
        opponent="away_team",
        is_home=pl.lit(value=True),
        named_starter="home_starter_id_mlbam",
    )
    away = games.select(
        *common,
        played=~is_off(),
        team="away_team",
        opponent="home_team",
        is_home=pl.lit(value=False),
        named_starter="away_starter_id_mlbam",
    )
    names = ["team", "opponent"]
    return (
        pl.concat([home, away.select(home.columns)])
        .with_columns(pl.col(names).cast(pl.String))
        .sort("game_pk", "is_home")
    )


def _named(sides: pl.DataFrame, players: pl.DataFrame) -> pl.DataFrame:
    """Join the players to the sides of games that will be played."""
    columns = [
        "game_pk",
        "is_home",
        "player_id_mlbam",
        "slot",
        "is_starting_pitcher",
        pl.col("full_name").alias("player_name"),
    ]
    return sides.filter("played").drop("status").join(players.select(columns), on=["game_pk", "is_home"], how="inner")


def _starting_pitchers(sides: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return the one starter of each side: from the line-up, else from the schedule; two named ones are none."""
    listed = named.filter(pl.col("is_starting_pitcher").fill_null(value=False))
    single = listed.filter(pl.len().over("game_pk", "is_home") == 1).select(PERSON)
    scheduled = (
        sides.filter(pl.col("played") & pl.col("named_starter").is_not_null())
        .join(listed, on=["game_pk", "is_home"], how="anti")
        .with_columns(player_id_mlbam=pl.col("named_starter"))
    )
    names = named.select("game_pk", "player_id_mlbam", "player_name").unique(["game_pk", "player_id_mlbam"])
    scheduled = scheduled.join(names, on=["game_pk", "player_id_mlbam"], how="left").select(PERSON)
    return pl.concat([single, scheduled]).sort("game_pk", "is_home")


def _lineups(named: pl.DataFrame) -> pl.DataFrame:
    """Return the places 1-9 of each side that exactly one player holds."""
    held = named.filter(pl.col("slot").is_between(1, LINEUP_PLACES))
    single = held.filter(pl.len().over("game_pk", "is_home", "slot") == 1)
    return single.select(*PERSON, "slot").sort("game_pk", "is_home", "slot")


def _clashes(named: pl.DataFrame) -> pl.DataFrame:
    """Name those whose place in the order is impossible or taken twice."""
    placed = named.filter(pl.col("slot").is_not_null())
    outside = ~pl.col("slot").is_between(1, LINEUP_PLACES)
    twice = pl.len().over("game_pk", "is_home", "slot") > 1
    place_text = pl.col("slot").cast(pl.String)
    marked = placed.with_columns(
        reason=pl.when(outside)
        .then("place " + place_text + " in the batting order does not exist")
        .when(twice)
        .then("two players hold place " + place_text + " in the batting order of " + pl.col("team"))
    ).filter(pl.col("reason").is_not_null())
    return _reason(marked, pl.lit(value=True), "batter", pl.col("reason"))


def _reason(frame: pl.DataFrame, condition: pl.Expr, role: str, reason: pl.Expr) -> pl.DataFrame:
    player = pl.col("player_id_mlbam") if "player_id_mlbam" in frame.columns else pl.lit(None)
    rows = frame.filter(condition).select(
        "game_pk", player_id_mlbam=player.cast(pl.Int64), role=pl.lit(role), reason=reason
    )
    return rows.cast(dict(ABSENCE_SCHEMA))  # type: ignore[arg-type]
