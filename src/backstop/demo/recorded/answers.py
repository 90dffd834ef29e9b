"""Answers of the Stats API that were recorded as such: schedules, live feeds, people."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from backstop.demo.clubs import BY_ID
from backstop.demo.recorded import files
from backstop.demo.world import Game, Side
from backstop.sources.jsontext import mapping

ABSTRACT: Final = {"Scheduled": "Preview", "Pre-Game": "Preview", "Warmup": "Preview", "In Progress": "Live"}
TYPES: Final = {
    "Regular Season": "R", "Spring Training": "S", "Exhibition": "E", "All-Star Game": "A", "Wild Card": "F",
    "Division": "D", "Championship": "L", "World Series": "W",
}  # fmt: skip
LIST: Final = frozenset({"game_pk", "official_date", "game_date", "status", "home_team_id", "away_team_id"})

_LOG: Final = logging.getLogger(__name__)


class Answers:
    """The recorded answers of a folder.

    Args:
        folder: Where JSON and CSV files of the Stats API lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _json(self) -> list[dict[str, Any]]:
        return [answer for answer in files.json(self._folder) if isinstance(answer, dict)]

    @cached_property
    def by_path(self) -> dict[str, bytes]:
        """Live feeds, box scores and people by the path that they answer."""
        found: dict[str, bytes] = {}
        for answer in self._json:
            match answer:
                case {"gamePk": int(pk), "liveData": {"boxscore": dict(box)}}:
                    found[f"/api/v1.1/game/{pk}/feed/live"] = orjson.dumps(answer)
                    found[f"/api/v1/game/{pk}/boxscore"] = orjson.dumps(box)
        return found

    @cached_property
    def games(self) -> dict[int, Game]:
        """Games of recorded schedules by their id; a whole answer counts before a row of a list."""
        listed = {game.game_pk: game for _, rows in files.csv(self._folder) for game in _listed(rows)}
        for answer in self._json:
            days = [mapping(day).get("games") for day in _list(answer.get("dates"))]
            found = [_one(_scheduled, game) for games in days for game in _list(games)]
            listed |= {game.game_pk: game for game in found if game}
        return listed


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _one(read: Callable[[Any], Game | None], game: Any) -> Game | None:
    """Read one game; one that is not as it must be is left out, for it is not known what it says."""
    try:
        return read(game)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        _LOG.warning("a recorded game cannot be read and is not served: %s: %s", type(error).__name__, error)
        return None


def _scheduled(game: dict[str, Any]) -> Game | None:
    home, away = (_side(game["teams"][name]) for name in ("home", "away"))
    if home is None or away is None:
        return None
    return Game(
        game["gamePk"],
        dt.date.fromisoformat(game["officialDate"]),
        dt.datetime.fromisoformat(game["gameDate"]),
        game["status"].get("startTimeTBD", False),
        game["gameType"],
        game["status"]["detailedState"],
        game["status"]["abstractGameState"],
        game["doubleHeader"],
        game["gameNumber"],
        home,
        away,
        recorded=game,
    )


def _side(team: dict[str, Any]) -> Side | None:
    club = BY_ID.get(team["team"]["id"])
    return Side(club, team.get("probablePitcher", {}).get("id"), (), team.get("score")) if club else None


def _listed(rows: pl.DataFrame) -> list[Game]:
    if not set(rows.columns) >= LIST:
        return []
    rows = rows.with_columns(
        number=pl.col("game_date").rank("ordinal").over("official_date", "home_team_id", "away_team_id")
    )
    return [game for row in rows.iter_rows(named=True) if (game := _one(_of_row, row))]


def _of_row(row: dict[str, Any]) -> Game | None:
    home, away = BY_ID.get(int(row["home_team_id"])), BY_ID.get(int(row["away_team_id"]))
    if home is None or away is None:
        return None
    abstract = ABSTRACT.get(row["status"], "Final")
    series = str(row.get("series_description"))
    scores = [
        int(row[name]) if abstract != "Preview" and row.get(name) else None for name in ("home_score", "away_score")
    ]
    return Game(
        int(row["game_pk"]),
        dt.date.fromisoformat(row["official_date"]),
        dt.datetime.fromisoformat(row["game_date"]),
        start_tbd=False,
        game_type=next((letter for words, letter in TYPES.items() if words in series), "R"),
        status=row["status"],
        abstract=abstract,
        doubleheader=row.get("double_header") or "N",
        number=int(row["number"]),
        home=Side(home, score=scores[0]),
        away=Side(away, score=scores[1]),
    )
