"""Player profiles and injuries of SportRadar: who a UUID is, and who cannot play."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import polars as pl

from backstop.net.item import Answer, Item
from backstop.sources import jsontext
from backstop.sources.jsontext import dig
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.sportradar import wire
from backstop.tables import Column, Table

PROFILES = Table(
    "core_profiles_sportradar",
    "one row per player: the crosswalk of SportRadar's ids",
    ("player_id_sportradar",),
    (
        Column("player_id_sportradar", pl.String(), "UUID"),
        Column(
            "player_id_mlbam", pl.Int64(), "MLBAM id; null where the feed does not say it: join name and birth date"
        ),
        Column("full_name", pl.String(), "preferred first name and last name"),
        Column("birth_date", pl.Date(), "null when not given"),
        Column("bats", pl.String(), "L, R or B for both"),
        Column("throws", pl.String(), "L or R"),
        Column("position", pl.String(), "primary position"),
        Column("team", pl.String(), "abbreviation; null without a club"),
        Column("status", pl.String(), "A active, D10 and D15 injured lists, ..."),
    ),
)

INJURIES = Table(
    "core_injuries_sportradar",
    "one row per injury of a player",
    ("player_id_sportradar", "injury_id_sportradar"),
    (
        Column("player_id_sportradar", pl.String(), "UUID"),
        Column("injury_id_sportradar", pl.String(), "UUID"),
        Column("player_id_mlbam", pl.Int64(), "MLBAM id; null where the feed does not say it"),
        Column("full_name", pl.String(), "preferred first name and last name"),
        Column("team", pl.String(), "abbreviation"),
        Column("status", pl.String(), "day-to-day, D10, D15, D60, ..."),
        Column("injury", pl.String(), "the part of the body"),
        Column("comment", pl.String(), "in the words of the feed"),
        Column("started_on", pl.Date(), "null when not given"),
        Column("updated_on", pl.Date(), "null when not given"),
    ),
)


def plan_profiles(player_ids: Iterable[str]) -> list[Item]:
    """Ask for each player by his UUID."""
    return [wire.item(PROFILES.name, one, f"players/{one}/profile") for one in player_ids]


def plan_injuries() -> list[Item]:
    """Ask for all injuries of the league."""
    return [wire.item(INJURIES.name, "league", "league/injuries")]


def inspect_profile(body: bytes) -> None:
    """Check that the content is a player.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    wire.decode(body, "player")


def inspect_injuries(body: bytes) -> None:
    """Check that the content is the league with its teams.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    wire.decode(body, "league")


def parse_profile(answer: Answer) -> Parsed:
    """Turn a profile into one row.

    Raises:
        UpstreamMalformed: see `inspect_profile`.
    """
    intake = Intake(PROFILES)
    for player in wire.objects([wire.decode(answer.body, "player")["player"]], intake):
        intake.load(
            {
                "player_id_sportradar": player.get("id"),
                "player_id_mlbam": wire.mlbam(player, "mlbam_id", "reference"),
                "full_name": wire.full_name(player),
                "birth_date": jsontext.day(player.get("birthdate")),
                "bats": player.get("bat_hand"),
                "throws": player.get("throw_hand"),
                "position": player.get("primary_position"),
                "team": wire.team(player.get("team")),
                "status": player.get("status"),
            },
            player,
        )
    return intake.parsed()


def parse_injuries(answer: Answer) -> Parsed:
    """Turn the league's injuries into one row each; an injury without an id is rejected.

    Raises:
        UpstreamMalformed: see `inspect_injuries`.
    """
    root = wire.decode(answer.body, "league")
    intake = Intake(INJURIES)
    teams = root.get("teams", dig(root, "league", "teams"))
    for team in wire.objects(teams, intake):
        for player in wire.objects(team.get("players"), intake):
            for injury in wire.objects(player.get("injuries"), intake):
                intake.load(_injury(team, player, injury), {**player, "injuries": [injury]})
    return intake.parsed()


def _injury(team: dict[str, Any], player: dict[str, Any], injury: dict[str, Any]) -> dict[str, Any]:
    return {
        "player_id_sportradar": player.get("id"),
        "injury_id_sportradar": injury.get("id"),
        "player_id_mlbam": wire.mlbam(player, "mlbam_id", "reference"),
        "full_name": wire.full_name(player),
        "team": wire.team(team),
        "status": injury.get("status"),
        "injury": injury.get("desc"),
        "comment": injury.get("comment"),
        "started_on": _date(injury.get("start_date")),
        "updated_on": _date(injury.get("update_date")),
    }


def _date(text: Any) -> dt.date | None:
    return jsontext.day(text[:10]) if isinstance(text, str) else None
