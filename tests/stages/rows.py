"""Rows and archived answers in small numbers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import polars as pl

from backstop import tables
from backstop.net.item import Item
from backstop.sources.savant.vocabulary import COLUMNS_2026
from backstop.sources.teams import BY_ABBREVIATION
from backstop.stages.fetch import Fetched, FetchedBatch
from backstop.stages.house import House

DAY = dt.date(2025, 6, 15)
NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)


def games(day: dt.date, *pks: int, **changes: Any) -> pl.DataFrame:
    """Finished games of a day."""
    game = {
        "game_date": day,
        "start_at": dt.datetime.combine(day, dt.time(17), dt.UTC),
        "season": day.year,
        "game_type": "R",
        "status": "Final",
        "abstract_status": "Final",
        "doubleheader": "N",
        "game_number": 1,
        "home_team": "NYY",
        "away_team": "BOS",
    } | changes
    rows = [{name: ({"game_pk": pk} | game).get(name) for name in tables.GAMES.schema} for pk in pks]
    return pl.DataFrame(rows, schema=tables.GAMES.schema)


def listed_game(pk: int, day: dt.date, **changes: Any) -> dict[str, Any]:
    """A game as the Stats API lists it."""
    clubs = {side: BY_ABBREVIATION[abbreviation] for side, abbreviation in (("away", "BOS"), ("home", "NYY"))}
    return {
        "gamePk": pk,
        "gameType": "R",
        "season": str(day.year),
        "gameDate": f"{day}T17:40:00Z",
        "officialDate": day.isoformat(),
        "status": {"abstractGameState": "Final", "detailedState": "Final"},
        "teams": {side: {"team": {"id": club.id_mlbam, "name": club.name}} for side, club in clubs.items()},
        "venue": {"id": 3313},
        "doubleHeader": "N",
        "gameNumber": 1,
    } | changes


def listing(*games: dict[str, Any]) -> bytes:
    return json.dumps({"dates": [{"date": game["officialDate"], "games": [game]} for game in games]}).encode()


def pitch_csv(day: dt.date, *game_pks: int, each: int = 3) -> bytes:
    """Pitches as Savant writes them, so many of each game."""
    row = {
        "pitch_type": "FF", "game_date": day.isoformat(), "batter": "592450", "pitcher": "669373", "game_type": "R",
        "description": "ball", "stand": "R", "p_throws": "L", "home_team": "NYY", "away_team": "BOS", "inning": "1",
        "inning_topbot": "Top", "game_year": str(day.year), "at_bat_number": "1",
    }  # fmt: skip
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS_2026, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"game_pk": pk, "pitch_number": n} for pk in game_pks for n in range(1, each + 1))
    return out.getvalue().encode()


def fetched(house: House, item: Item, body: bytes) -> Fetched:
    """Put an answer into the archive and say where it lies."""
    name = house.archive.put(item, body, fetched_at=NOON, headers=(), status=200)
    return Fetched(item, name, NOON, len(body), from_archive=False, attempts=1)


def batch(*answers: Fetched, missed: tuple[Any, ...] = ()) -> FetchedBatch:
    return FetchedBatch(1, answers, missed)
