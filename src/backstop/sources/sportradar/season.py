"""Seasonal statistics of a team's players by SportRadar, one row per season, team and player."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from backstop.net.item import Answer, Item
from backstop.sources.jsontext import dig
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.sportradar import statistics, wire
from backstop.sources.teams import TEAMS
from backstop.tables import Column, Table

SEASON = Table(
    "core_season_sportradar",
    "one row per season, team and player",
    ("season", "team", "player_id_sportradar"),
    (
        Column("season", pl.Int16(), "year"),
        Column("team", pl.String(), "abbreviation"),
        Column("player_id_sportradar", pl.String(), "UUID"),
        Column("player_id_mlbam", pl.Int64(), "MLBAM id; null where the feed does not say it"),
        Column("full_name", pl.String(), "preferred first name and last name"),
        Column("position", pl.String(), "primary position"),
        *statistics.COLUMNS,
    ),
)
TABLE = SEASON.name


def plan(season: int, teams: Iterable[str] | None = None) -> list[Item]:
    """Ask for the regular season of each team, by abbreviation; of all when none is named."""
    chosen = [team for team in TEAMS if teams is None or team.abbreviation in set(teams)]
    return [
        wire.item(
            TABLE,
            f"{season}/{team.abbreviation}",
            f"seasons/{season}/REG/teams/{team.id_sportradar}/statistics",
        )
        for team in chosen
    ]


def inspect(body: bytes) -> None:
    """Check that the content has a season and players.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    wire.decode(body, "season", "players")


def parse(answer: Answer) -> Parsed:
    """Turn an answer into players with the counts of their season.

    Rejected: `type`, `missing_key`, among them the players of a team that is not known.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    root = wire.decode(answer.body, "season", "players")
    intake = Intake(SEASON)
    for player in wire.objects(root["players"], intake):
        intake.load(
            {
                "season": dig(root, "season", "year"),
                "team": wire.team(root),
                "player_id_sportradar": player.get("id"),
                "player_id_mlbam": wire.mlbam(player, "mlbam_id", "reference"),
                "full_name": wire.full_name(player),
                "position": player.get("primary_position") or player.get("position"),
                **statistics.counts(player.get("statistics")),
            },
            player,
        )
    return intake.parsed()
