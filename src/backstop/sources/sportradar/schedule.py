"""Daily schedule of SportRadar: the second source of games when the Stats API is away.

Its games are known by UUID. MLB's gamePk is the `reference` of later versions; without it a game is found by day,
teams and number among the games that were listed before, and one that was not cannot be published: it has no gamePk.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import polars as pl

from backstop.clock import baseball_day
from backstop.net.item import Answer, Item, Priority
from backstop.sources import jsontext
from backstop.sources.jsontext import dig
from backstop.sources.parsed import REJECTED, Intake, Parsed, rejections
from backstop.sources.sportradar import wire
from backstop.sources.teams import BY_ABBREVIATION
from backstop.tables import GAMES, UTC_INSTANT, Column, Table

SCHEDULE = Table(
    "core_games_sportradar",
    "one row per game as SportRadar lists it",
    ("game_id_sportradar",),
    (
        Column("game_id_sportradar", pl.String(), "UUID"),
        Column("game_pk", pl.Int64(), "MLB id of the game; null where the feed does not say it"),
        Column("game_date", pl.Date(), "baseball day of the start"),
        Column("start_at", UTC_INSTANT, "scheduled first pitch"),
        Column("status", pl.String(), "as SportRadar spells it"),
        Column("doubleheader", pl.Boolean(), "whether the game is one of two; null when not given"),
        Column("game_number", pl.Int16(), "1, or 2 for the second of a doubleheader"),
        Column("home_team", pl.String(), "abbreviation"),
        Column("away_team", pl.String(), "abbreviation"),
        Column("home_score", pl.Int16(), "null before the game"),
        Column("away_score", pl.Int16(), "null before the game"),
    ),
)
TABLE = SCHEDULE.name

TIME_TBD: Final = "time-tbd"

STATES: Final[dict[str, tuple[str, str]]] = {
    "created": ("Scheduled", "Preview"),
    "scheduled": ("Scheduled", "Preview"),
    "if-necessary": ("Scheduled", "Preview"),
    TIME_TBD: ("Scheduled", "Preview"),
    "inprogress": ("In Progress", "Live"),
    "wdelay": ("Delayed", "Live"),
    "fdelay": ("Delayed", "Live"),
    "odelay": ("Delayed", "Live"),
    "maintenance": ("In Progress", "Live"),
    "suspended": ("Suspended", "Live"),
    "complete": ("Final", "Final"),
    "closed": ("Final", "Final"),
    "postponed": ("Postponed", "Final"),
    "canceled": ("Cancelled", "Final"),
    "unnecessary": ("Cancelled", "Final"),
}
"""SportRadar's state as the Stats API would say it: detailed and abstract."""

KNOWN = frozenset({
    "id", "status", "coverage", "game_number", "day_night", "scheduled", "home_team", "away_team", "attendance",
    "duration", "double_header", "venue", "broadcast", "broadcasts", "home", "away", "entry_mode", "reference",
    "weather",
    "final", "pitching", "officials", "rescheduled_reason", "rescheduled_from", "parent_id", "season_id", "sr_id",
    "status_reason", "split_squad", "title", "ps_round", "ps_game", "scoring", "tbd", "rescheduled",
})  # fmt: skip
NEEDED = frozenset({"id", "status", "scheduled", "home", "away"})


def plan(day: dt.date) -> list[Item]:
    """Ask for the games of a day; SportRadar's day runs from 04:00 to 03:59:59 Eastern like ours."""
    feed = f"games/{day:%Y/%m/%d}/schedule"
    return [wire.item(TABLE, day.isoformat(), feed, priority=Priority.LIVE)]


def inspect(body: bytes) -> None:
    """Check that the content lists games.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    _games(body)


def _games(body: bytes) -> Any:
    root = wire.decode(body)
    league = root.get("league")
    games = root.get("games", league.get("games") if isinstance(league, dict) else None)
    # a day without games has no list at all, but says whose day it is
    return games if games is not None else wire.decode(body, "league") and []


def parse(answer: Answer) -> Parsed:
    """Turn a schedule (of a day or a season) or a daily summary into one row per game.

    Rejected: `type`, `missing_key`, `cast` (start), `unknown_team`, `other_day` (not of the day asked).

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(SCHEDULE)
    asked = jsontext.day(answer.item.key)
    # a summary nests each game once more
    games = [
        game["game"] if isinstance(game.get("game"), dict) else game
        for game in wire.objects(_games(answer.body), intake)
    ]
    for game in games:
        _load(game, intake, asked)
    return intake.parsed(jsontext.drift_of(games, KNOWN, NEEDED))


def _load(game: dict[str, Any], intake: Intake, asked: dt.date | None) -> None:
    start_at = jsontext.instant(game.get("scheduled"))
    home, away = wire.team(game.get("home")), wire.team(game.get("away"))
    if start_at is None:
        intake.reject(game, "cast", f"scheduled {game.get('scheduled')!r} cannot be read.")
    elif asked is not None and baseball_day(start_at) != asked:
        intake.reject(game, "other_day", f"The game belongs to {baseball_day(start_at)}, but {asked} was asked.")
    elif home is None or away is None:
        intake.reject(game, "unknown_team", "One of the two sides is no club that is known.")
    else:
        intake.load(
            {
                "game_id_sportradar": game.get("id"),
                "game_pk": wire.mlbam(game, "reference"),
                "game_date": baseball_day(start_at),
                "start_at": start_at,
                "status": game.get("status"),
                "doubleheader": game.get("double_header"),
                "game_number": game.get("game_number"),
                "home_team": home,
                "away_team": away,
                "home_score": dig(game, "home", "runs"),
                "away_score": dig(game, "away", "runs"),
            },
            game,
        )


def as_games(parsed: Parsed, known: pl.DataFrame) -> Parsed:
    """Say the schedule in the words of the Stats API: `core_games`.

    Args:
        parsed: What `parse` gave.
        known: `core_games` as listed before, for the gamePk, the kind of game and the probable pitchers.

    Returns:
        One row per game with its gamePk. Rejected further: `unknown_game` (no gamePk given and the game was not listed
        before), `unknown_state`.
    """
    intake = Intake(GAMES)
    by_pk = {row["game_pk"]: row for row in known.to_dicts()}
    by_place = {
        (row["game_date"], row["home_team"], row["away_team"], row["game_number"]): row for row in by_pk.values()
    }
    for row in parsed.frame.to_dicts():
        place = (row["game_date"], row["home_team"], row["away_team"], row["game_number"])
        before = by_pk.get(row["game_pk"]) or by_place.get(place) or {}
        state = STATES.get(row["status"])
        if row["game_pk"] is None and not before:
            intake.reject(
                row, "unknown_game", f"No gamePk is given, and {place[2]} at {place[1]} was not listed before."
            )
        elif state is None:
            intake.reject(row, "unknown_state", f"The state {row['status']!r} is not known.")
        else:
            intake.load(_as_game(row, before, state), row)
    named = intake.parsed()
    rejected = pl.concat([rejections([]), parsed.rejected, named.rejected]).cast(REJECTED)  # type: ignore[arg-type]
    return Parsed(named.frame, rejected, parsed.rows_in, parsed.drift)


def _as_game(row: dict[str, Any], before: dict[str, Any], state: tuple[str, str]) -> dict[str, Any]:
    twice = "Y" if row["doubleheader"] else "N"
    same = {name: row[name] for name in GAMES.schema if name in row}
    return {
        **before,
        **same,
        "game_pk": row["game_pk"] or before.get("game_pk"),
        "season": row["game_date"].year,
        "start_is_tbd": row["status"] == TIME_TBD,
        # the kind of game is not in this feed
        "game_type": before.get("game_type"),
        "status": state[0],
        "abstract_status": state[1],
        "doubleheader": before.get("doubleheader") or (None if row["doubleheader"] is None else twice),
        "home_team_id_mlbam": BY_ABBREVIATION[row["home_team"]].id_mlbam,
        "away_team_id_mlbam": BY_ABBREVIATION[row["away_team"]].id_mlbam,
    }
