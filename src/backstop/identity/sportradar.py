"""SportRadar's players as MLB's: by the id the feed carries, else by name within the team.

With the crosswalk its summary fills `core_players` and `core_box`, so that a slate can be made, and settled, while the
Stats API is away.
"""

from __future__ import annotations

import polars as pl

from backstop.identity.match import PASSES, REASON_NOBODY, REASON_SEVERAL
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.sportradar import statistics
from backstop.tables import BOX, PLAYERS

REASON_TAKEN = "another player of the feed would be the same man"

CROSSWALK = {
    "player_id_sportradar": pl.String(),
    "full_name": pl.String(),
    "team": pl.String(),
    "player_id_mlbam": pl.Int64(),
    "matched_by": pl.String(),
    "reason": pl.String(),
}


def crosswalk(summary: pl.DataFrame, players: pl.DataFrame) -> pl.DataFrame:
    """Find the MLBAM id of each player of a summary.

    Args:
        summary: `core_players_sportradar`.
        players: `core_players` of recent games: names and teams.

    Returns:
        One row per player and team: player_id_sportradar, full_name, team, player_id_mlbam (null when not found),
        matched_by (`feed`, or the form of the name), reason (null when found). A name that fits two men of a team, or
        one man whom two of the feed's players would be, is never guessed.
    """
    people = summary.select("player_id_sportradar", "full_name", "team", "player_id_mlbam").unique()
    given = pl.col("player_id_mlbam").is_not_null()
    people = people.with_columns(
        pl.when(given).then(pl.lit("feed")).alias("matched_by"), pl.lit(None, pl.String).alias("reason")
    )
    for label, compared in PASSES:
        form = compared(pl.col("full_name")).alias("_form")
        known = players.select("team", "player_id_mlbam", form).drop_nulls("_form").unique()
        known = known.group_by("team", "_form").agg(pl.col("player_id_mlbam").alias("_ids"))
        people = people.with_columns(form).join(known, on=["team", "_form"], how="left")
        is_open = pl.col("player_id_mlbam").is_null() & pl.col("reason").is_null() & pl.col("_ids").is_not_null()
        hit, several = is_open & (pl.col("_ids").list.len() == 1), is_open & (pl.col("_ids").list.len() > 1)
        people = people.with_columns(
            pl.when(hit).then(pl.col("_ids").list.first()).otherwise("player_id_mlbam").alias("player_id_mlbam"),
            pl.when(hit).then(pl.lit(label)).otherwise("matched_by").alias("matched_by"),
            pl.when(several).then(pl.lit(REASON_SEVERAL)).otherwise("reason").alias("reason"),
        ).drop("_form", "_ids")
    people = _each_once(people)
    nobody = pl.col("player_id_mlbam").is_null() & pl.col("reason").is_null()
    reason = pl.when(nobody).then(pl.lit(REASON_NOBODY)).otherwise("reason").alias("reason")
    return people.with_columns(reason).select(list(CROSSWALK)).sort("team", "full_name", "player_id_sportradar")


def _each_once(people: pl.DataFrame) -> pl.DataFrame:
    """Take back who was found by name where another player of the feed was found to be the same man."""
    said = (pl.col("matched_by") == "feed").fill_null(value=False)
    claims = pl.col("player_id_sportradar").n_unique().over("player_id_mlbam")
    doubted = pl.col("player_id_mlbam").is_not_null() & ~said & (claims > 1)
    return people.with_columns(
        pl.when(~doubted).then("player_id_mlbam").alias("player_id_mlbam"),
        pl.when(~doubted).then("matched_by").alias("matched_by"),
        pl.when(doubted).then(pl.lit(REASON_TAKEN)).otherwise("reason").alias("reason"),
    )


def as_players(summary: pl.DataFrame, games: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Say a summary in the words of the Stats API: `core_players`.

    Args:
        summary: `core_players_sportradar`.
        games: Columns game_id_sportradar and game_pk: which game is which.
        known: What `crosswalk` gave; players without an MLBAM id are left out, they are named there.

    Returns:
        One row per game and player with both ids.
    """
    ids = known.select("player_id_sportradar", "team", "player_id_mlbam").drop_nulls()
    sides = summary.select("game_id_sportradar", "team").unique()
    other = sides.rename({"team": "opponent"})
    opponents = sides.join(other, on="game_id_sportradar").filter(pl.col("team") != pl.col("opponent"))
    named = (
        summary.drop("game_pk", "player_id_mlbam")
        .join(ids, on=["player_id_sportradar", "team"])
        .join(games.select("game_id_sportradar", "game_pk").drop_nulls(), on="game_id_sportradar")
        .join(opponents, on=["game_id_sportradar", "team"], how="left")
    )
    return named.select(list(PLAYERS.schema)).cast(PLAYERS.schema).sort(PLAYERS.key)  # type: ignore[arg-type]


def as_tables(summary: pl.DataFrame, games: pl.DataFrame, known: pl.DataFrame) -> tuple[Parsed, Parsed]:
    """Say a summary in the words of a box score: `core_players` and `core_box`.

    Args:
        summary: `core_players_sportradar`, of games that are in `games`.
        games: Columns game_id_sportradar and game_pk: which game is which.
        known: What `crosswalk` gave.

    Returns:
        Players: one row per player of a roster. Box: one row per player with statistics. Rejected in both:
        `unknown_player` (he has no MLBAM id, with the reason of the crosswalk), `superseded` (two of the feed's ids are
        one man).
    """
    listed = as_players(summary, games, known)
    people, box = Intake(PLAYERS), Intake(BOX)
    for row in listed.to_dicts():
        people.load(row, row)
    named = (
        summary.drop("game_pk", "player_id_mlbam")
        .join(
            known.select("player_id_sportradar", "team", "player_id_mlbam", "reason"),
            on=["player_id_sportradar", "team"],
        )
        .join(games.select("game_id_sportradar", "game_pk"), on="game_id_sportradar")
    )
    counts = [column.name for column in statistics.COLUMNS]
    for row in named.to_dicts():
        appeared = any(row[name] is not None for name in counts)
        if row["player_id_mlbam"] is None:
            reason = f"{row['full_name']} ({row['team']}) has no MLBAM id: {row['reason']}"
            people.reject(row, "unknown_player", reason)
            if appeared:
                box.reject(row, "unknown_player", reason)
        elif appeared:
            box.load(row | {"is_starter": row["slot"] is not None or row["is_starting_pitcher"]}, row)
    return people.parsed(), box.parsed()
