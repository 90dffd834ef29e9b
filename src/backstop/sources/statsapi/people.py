"""People and rosters of the Stats API: who a player is, and who belongs to a team on a day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from backstop.net.item import Answer, Item, Priority
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.jsontext import mapping
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.teams import BY_ABBREVIATION, abbreviation_of
from backstop.tables import Column, Table

SOURCE = "Stats API people"

PEOPLE = Table(
    "core_people",
    "one row per person",
    ("player_id_mlbam",),
    (
        Column("player_id_mlbam", pl.Int64(), "MLBAM id"),
        Column("full_name", pl.String(), "as the Stats API spells it"),
        Column("last_first_name", pl.String(), "`Last, First`, as Savant spells it"),
        Column("birth_date", pl.Date(), "null when not given"),
        Column("bats", pl.String(), "L, R or S for both"),
        Column("throws", pl.String(), "L, R or S for both"),
        Column("position", pl.String(), "abbreviation of the primary position"),
        Column("height_in", pl.Int16(), "inches; null when not given"),
        Column("weight_lb", pl.Int16(), "pounds; null when not given"),
        Column("debut_on", pl.Date(), "first game in the majors; null before it"),
        Column("is_active", pl.Boolean(), "whether he plays"),
        Column("strike_zone_top_ft", pl.Float64(), "null when not given"),
        Column("strike_zone_bottom_ft", pl.Float64(), "null when not given"),
    ),
)

ROSTERS = Table(
    "core_rosters",
    "one row per team, kind of roster, day and player",
    ("team", "roster_type", "as_of", "player_id_mlbam"),
    (
        Column("team", pl.String(), "abbreviation"),
        Column("roster_type", pl.String(), "active, 40Man, fullSeason, ..."),
        Column("as_of", pl.Date(), "day of the roster"),
        Column("player_id_mlbam", pl.Int64(), "MLBAM id"),
        Column("full_name", pl.String(), "as the Stats API spells it"),
        Column("position", pl.String(), "abbreviation; null when not given"),
        Column("status", pl.String(), "code: A active, D10 injured list, ..."),
    ),
)


def plan_season(season: int) -> list[Item]:
    """Ask for everybody who is on a club's books in a season."""
    return [Item(Feed.STATSAPI, PEOPLE.name, str(season), "/api/v1/sports/1/players", (("season", str(season)),))]


def plan_rosters(day: dt.date, teams: Iterable[str], *, roster_type: str = "active") -> list[Item]:
    """Ask for the roster of each team, by abbreviation, on a day."""
    return [
        Item(
            Feed.STATSAPI,
            ROSTERS.name,
            f"{day}/{team}/{roster_type}",
            f"/api/v1/teams/{BY_ABBREVIATION[team].id_mlbam}/roster",
            (("rosterType", roster_type), ("date", day.isoformat())),
            priority=Priority.LIVE,
        )
        for team in teams
    ]


def inspect(body: bytes) -> None:
    """Check that the content lists people.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object.
    """
    jsontext.decode_list(body, "people", source=SOURCE)


def inspect_roster(body: bytes) -> None:
    """Check that the content is a roster.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object.
    """
    jsontext.decode_list(body, "roster", source="Stats API roster")


def parse(answer: Answer) -> Parsed:
    """Turn an answer into people.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(PEOPLE)
    for person in jsontext.decode_list(answer.body, "people", source=SOURCE):
        if not isinstance(person, dict):
            intake.reject(person, "type", "The person is not an object.")
            continue
        intake.load(
            {
                "player_id_mlbam": person.get("id"),
                "full_name": person.get("fullName"),
                "last_first_name": person.get("lastFirstName"),
                "birth_date": jsontext.day(person.get("birthDate")),
                "bats": mapping(person.get("batSide")).get("code"),
                "throws": mapping(person.get("pitchHand")).get("code"),
                "position": mapping(person.get("primaryPosition")).get("abbreviation"),
                "height_in": inches(person.get("height")),
                "weight_lb": person.get("weight"),
                "debut_on": jsontext.day(person.get("mlbDebutDate")),
                "is_active": person.get("active"),
                "strike_zone_top_ft": person.get("strikeZoneTop"),
                "strike_zone_bottom_ft": person.get("strikeZoneBottom"),
            },
            person,
        )
    return intake.parsed()


def parse_roster(answer: Answer) -> Parsed:
    """Turn an answer into one row per player; the day is the one asked.

    Raises:
        UpstreamMalformed: see `inspect_roster`.
    """
    root = jsontext.decode_object(answer.body, "roster", source="Stats API roster")
    params = dict(answer.item.params)
    intake = Intake(ROSTERS)
    for entry in jsontext.as_list(root["roster"], "roster", source="Stats API roster"):
        person = mapping(mapping(entry).get("person"))
        intake.load(
            {
                "team": abbreviation_of(root.get("teamId", mapping(entry).get("parentTeamId"))),
                "roster_type": root.get("rosterType", params.get("rosterType")),
                "as_of": jsontext.day(params.get("date")),
                "player_id_mlbam": person.get("id"),
                "full_name": person.get("fullName"),
                "position": mapping(mapping(entry).get("position")).get("abbreviation"),
                "status": mapping(mapping(entry).get("status")).get("code"),
            },
            entry,
        )
    return intake.parsed()


def inches(height: Any) -> int | None:
    r"""Read a height in feet and inches.

    >>> inches("6' 1\"")
    73
    """
    found = re.fullmatch(r"([0-9]{1,2})' ?([0-9]{1,2})\"", height) if isinstance(height, str) else None
    return int(found[1]) * 12 + int(found[2]) if found else None
