"""Game and daily summary of SportRadar: rosters, line-ups and statistics, one row per game and player.

Players of the roster who did not appear have no statistics. In a line-up order 0 is the pitcher when a designated
hitter bats, and an inning above 0 a substitution.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from backstop.clock import baseball_day
from backstop.net.item import Answer, Item, Priority
from backstop.sources import jsontext
from backstop.sources.jsontext import dig
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.sportradar import statistics, wire
from backstop.tables import Column, Table

SUMMARY = Table(
    "core_players_sportradar",
    "one row per game and player on one of its two rosters",
    ("game_id_sportradar", "player_id_sportradar"),
    (
        Column("game_id_sportradar", pl.String(), "UUID"),
        Column("game_pk", pl.Int64(), "MLB id of the game; null where the feed does not say it"),
        Column("game_date", pl.Date(), "baseball day"),
        Column("player_id_sportradar", pl.String(), "UUID"),
        Column("player_id_mlbam", pl.Int64(), "MLBAM id; null where the feed does not say it"),
        Column("full_name", pl.String(), "preferred first name and last name"),
        Column("team", pl.String(), "abbreviation"),
        Column("is_home", pl.Boolean(), "whether his team bats last"),
        Column("position", pl.String(), "primary position"),
        Column("slot", pl.Int16(), "place in the starting order 1-9; null otherwise"),
        Column("is_starting_pitcher", pl.Boolean(), "whether he started, or is the probable pitcher"),
        *statistics.COLUMNS,
    ),
)
TABLE = SUMMARY.name


def plan_day(day: dt.date) -> list[Item]:
    """Ask for all games of a day at once."""
    feed = f"games/{day:%Y/%m/%d}/summary"
    return [wire.item(TABLE, day.isoformat(), feed, priority=Priority.LIVE)]


def inspect(body: bytes) -> None:
    """Check that the content is a summary.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    _games(body)


def _games(body: bytes) -> list[Any]:
    root = wire.decode(body)
    if "game" in root:
        return [root["game"]]
    games = dig(wire.decode(body, "league"), "league", "games")
    return [dig(game, "game") or game for game in jsontext.as_list(games or [], "games", source=wire.SOURCE)]


def parse(answer: Answer) -> Parsed:
    """Turn a summary into players with their counts.

    Rejected: `type`, `missing_key`, `cast` (a game without a readable start: all its players), `unknown_team`.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(SUMMARY)
    for game in wire.objects(_games(answer.body), intake):
        for side in ("home", "away"):
            _load_side(game, side, intake)
    return intake.parsed()


def _load_side(game: dict[str, Any], side: str, intake: Intake) -> None:
    block = game.get(side)
    start_at, team = jsontext.instant(game.get("scheduled")), wire.team(block)
    slots = _slots(block)
    starter = dig(block, "starting_pitcher", "id") or dig(block, "probable_pitcher", "id")
    for player, entry in _entries(block, intake).items():
        if start_at is None:
            intake.reject(entry, "cast", f"scheduled {game.get('scheduled')!r} of the game cannot be read.")
        elif team is None:
            intake.reject(entry, "unknown_team", f"The {side} side is no club that is known.")
        else:
            intake.load(
                {
                    "game_id_sportradar": game.get("id"),
                    "game_pk": wire.mlbam(game, "reference"),
                    "game_date": baseball_day(start_at),
                    "player_id_sportradar": player,
                    "player_id_mlbam": wire.mlbam(entry, "mlbam_id", "reference"),
                    "full_name": wire.full_name(entry),
                    "team": team,
                    "is_home": side == "home",
                    "position": entry.get("primary_position") or entry.get("position"),
                    "slot": slots.get(player),
                    "is_starting_pitcher": starter is not None and player == starter,
                    **statistics.counts(entry.get("statistics")),
                },
                entry,
            )


def _entries(block: Any, intake: Intake) -> dict[str, dict[str, Any]]:
    """Return the players of a side by id: who appeared stands in both lists, with statistics in the second."""
    entries: dict[str, dict[str, Any]] = {}
    for entry in (*wire.objects(dig(block, "roster"), intake), *wire.objects(dig(block, "players"), intake)):
        if isinstance(entry.get("id"), str):
            entries[entry["id"]] = entry
        else:
            intake.reject(
                entry, "missing_key", f"The player's id is {entry.get('id')!r}: he cannot be told from others."
            )
    return entries


def _slots(block: Any) -> dict[str, Any]:
    """Return the places in the starting order by player."""
    lineup = dig(block, "lineup")
    return {
        str(dig(place, "id")): dig(place, "order")
        for place in (lineup if isinstance(lineup, list) else [])
        if dig(place, "inning") == 0 and dig(place, "order") != 0
    }
