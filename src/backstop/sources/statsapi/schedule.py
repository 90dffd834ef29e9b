"""Schedule of the Stats API: `/api/v1/schedule`, one row per game.

A postponed game stays listed under its old date and appears again, with the same gamePk, under the new one; a
suspended one is listed again on the day it is resumed, with its first officialDate. `gameDate` is UTC: in 23 % of the
games its date is the day after the baseball day. What is not known yet (score, probable pitcher, line-ups) is absent.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from backstop.clock import baseball_day
from backstop.errors import UsageError
from backstop.net.item import Answer, Item, Priority
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.jsontext import mapping
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.parsed import merge as merge_parts
from backstop.sources.teams import abbreviation_of
from backstop.tables import GAMES, Column, Table

TABLE = GAMES.name
PATH = "/api/v1/schedule"
SOURCE = "Stats API schedule"
STARTERS = "probablePitcher"
"""The hydration that every request has: a run may ask for a day by its month while another has just asked for it alone,
and the rows must be the same whoever writes last."""

HYDRATE = f"{STARTERS},team,lineups"

OFF = frozenset({"Postponed", "Cancelled", "Canceled"})
"""Detailed states of a game that is not played on the date it is listed under; a reason may follow
(`Postponed: Rain`)."""

NEEDED = frozenset({"gamePk", "gameType", "season", "gameDate", "officialDate", "status", "teams"})
KNOWN = NEEDED | frozenset({
    "gameGuid", "link", "isTie", "gameNumber", "publicFacing", "doubleHeader", "gamedayType", "tiebreaker",
    "calendarEventID", "seasonDisplay", "dayNight", "description", "scheduledInnings", "reverseHomeAwayStatus",
    "inningBreakLength", "gamesInSeries", "seriesGameNumber", "seriesDescription", "recordSource", "ifNecessary",
    "ifNecessaryDescription", "venue", "content", "lineups", "linescore", "decisions", "weather", "rescheduleDate",
    "rescheduledFrom", "rescheduleGameDate", "rescheduledFromDate", "resumeDate", "resumeGameDate", "resumedFrom",
    "resumedFromDate", "broadcasts", "officials", "flags", "gameInfo", "gameUtils",
})  # fmt: skip

LINEUPS = Table(
    "core_lineups",
    "one row per game and player in a posted starting line-up",
    ("game_pk", "player_id_mlbam"),
    (
        Column("game_pk", pl.Int64(), "MLB id of the game"),
        Column("player_id_mlbam", pl.Int64(), "MLBAM id"),
        Column("full_name", pl.String(), "as the Stats API spells it"),
        Column("is_home", pl.Boolean(), "whether his team bats last"),
        Column("slot", pl.Int16(), "place in the batting order, 1-9"),
        Column("position", pl.String(), "abbreviation of the primary position; null when not given"),
    ),
)


def plan(first: dt.date, last: dt.date) -> list[Item]:
    """Ask for a range of days with starting pitchers, a calendar month at most per request.

    Raises:
        UsageError: the range ends before it begins.
    """
    if last < first:
        raise UsageError(f"A schedule from {first} to {last} ends before it begins; give the earlier date first.")
    return [
        Item(
            Feed.STATSAPI,
            TABLE,
            f"{start}..{end}",
            PATH,
            (
                ("sportId", "1"),
                ("startDate", start.isoformat()),
                ("endDate", end.isoformat()),
                ("hydrate", STARTERS),
            ),
        )
        for start, end in _months(first, last)
    ]


def plan_day(day: dt.date) -> list[Item]:
    """Ask for one day with teams, probable pitchers and, where the feed offers them, line-ups."""
    params = (("sportId", "1"), ("date", day.isoformat()), ("hydrate", HYDRATE))
    return [Item(Feed.STATSAPI, TABLE, day.isoformat(), PATH, params, priority=Priority.LIVE)]


def _months(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    while first <= last:
        end = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        yield first, min(end, last)
        first = end + dt.timedelta(days=1)


def inspect(body: bytes) -> None:
    """Check that the content is a schedule; one without dates is whole (no games).

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object, dates that are no list.
    """
    _games(body)


def _games(body: bytes) -> list[Any]:
    """Return the games of all dates; a date without a list of games is refused with the whole answer."""
    games: list[Any] = []
    for day in jsontext.decode_list(body, "dates", source=SOURCE):
        listed = day.get("games") if isinstance(day, dict) else None
        games += jsontext.as_list(listed, "games", source=SOURCE)
    return games


def parse(answer: Answer) -> Parsed:
    """Turn an answer into `core_games`, one row per gamePk.

    Rejected: `type`, `missing_key`; `unknown_team` (a side that is no club, e.g. a college in spring);
    `other_day` (listed on the day asked because it is resumed or was moved, but belongs to another);
    `superseded` (the older listing of a game listed twice).

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(GAMES)
    asked = jsontext.day(dict(answer.item.params).get("date"))
    games = _games(answer.body)
    # the listing that counts comes last: the latest official date, and of one date the most advanced state
    for game in sorted(games, key=_rank):
        _load(game, intake, asked)
    return intake.parsed(jsontext.drift_of(games, KNOWN, NEEDED))


def merge(parts: Iterable[Parsed]) -> Parsed:
    """Put answers together, in the order in which they came; of a game in several the latest official date counts."""
    return merge_parts(parts, GAMES, newest="game_date")


def _rank(game: Any) -> tuple[str, int]:
    if not isinstance(game, dict):
        return "", 0
    state = mapping(game.get("status")).get("abstractGameState")
    off = str(mapping(game.get("status")).get("detailedState")).partition(":")[0] in OFF
    return str(game.get("officialDate", "")), -1 if off else {"Live": 1, "Final": 2}.get(str(state), 0)


def _load(game: Any, intake: Intake, asked: dt.date | None) -> None:
    if not isinstance(game, dict):
        intake.reject(game, "type", "The game is not an object.")
        return
    game_date = jsontext.day(game.get("officialDate"))
    start_at = jsontext.instant(game.get("gameDate"))
    if game_date is None or start_at is None:
        dates = f"officialDate {game.get('officialDate')!r} or gameDate {game.get('gameDate')!r}"
        intake.reject(game, "cast", f"{dates} cannot be read.")
        return
    if asked is not None and game_date != asked:
        intake.reject(game, "other_day", f"The game belongs to {game_date}, but {asked} was asked.")
        return
    home, away = (mapping(mapping(game.get("teams")).get(side)) for side in ("home", "away"))
    home_team, away_team = (_code(side) for side in (home, away))
    if home_team is None or away_team is None:
        names = " and ".join(str(mapping(side.get("team")).get("name")) for side in (home, away))
        reason = f"One of {names} is no club that is known, and no abbreviation of its own is given."
        intake.reject(game, "unknown_team", reason)
        return
    known = {"game_date": game_date, "start_at": start_at, "home_team": home_team, "away_team": away_team}
    intake.load(known | _told(game, home, away), game)


def _code(side: dict[str, Any]) -> str | None:
    team = mapping(side.get("team"))
    return abbreviation_of(team.get("id"), team.get("abbreviation"))


def _told(game: dict[str, Any], home: dict[str, Any], away: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that are taken as the feed gives them."""
    status = mapping(game.get("status"))
    return {
        "game_pk": game.get("gamePk"),
        "start_is_tbd": status.get("startTimeTBD"),
        "season": _whole(game.get("season")),
        "game_type": game.get("gameType"),
        "status": status.get("detailedState"),
        "abstract_status": status.get("abstractGameState"),
        "doubleheader": game.get("doubleHeader"),
        "game_number": game.get("gameNumber"),
        "home_team_id_mlbam": mapping(home.get("team")).get("id"),
        "away_team_id_mlbam": mapping(away.get("team")).get("id"),
        "venue_id_mlbam": mapping(game.get("venue")).get("id"),
        "home_score": home.get("score"),
        "away_score": away.get("score"),
        "home_starter_id_mlbam": mapping(home.get("probablePitcher")).get("id"),
        "away_starter_id_mlbam": mapping(away.get("probablePitcher")).get("id"),
        "resumed_on": _resumed_on(game),
    }


def state() -> pl.Expr:
    """Return the detailed state of `core_games` without the reason that may follow it.

    >>> pl.DataFrame({"status": ["Completed Early: Rain", "Final"]}).select(state())["status"].to_list()
    ['Completed Early', 'Final']
    """
    return pl.col("status").str.split(":").list.first()


def is_off() -> pl.Expr:
    """Whether a game is not played on its date; one whose state is not known is not off."""
    return state().is_in(list(OFF)).fill_null(value=False)


def _resumed_on(game: dict[str, Any]) -> dt.date | None:
    """Return the day on which a suspended game goes on: its first listing names it, its second is of it."""
    ahead = game.get("resumeDate")
    if (day := jsontext.day(game.get("resumeGameDate")) or jsontext.day(ahead)) is not None:
        return day
    if ahead is None and (game.get("resumedFrom") or game.get("resumedFromDate")):
        ahead = game.get("gameDate")
    at = jsontext.instant(ahead)
    return None if at is None else baseball_day(at)


def _whole(value: Any) -> Any:
    """Read a number given as text; anything else stays what it is."""
    number = jsontext.whole(value)
    return value if number is None else number


def lineups(answer: Answer) -> Parsed:
    """Turn the hydrated line-ups into `core_lineups`, one row per player in a posted order; none posted is normal.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(LINEUPS)
    for game in _games(answer.body):
        posted = mapping(mapping(game).get("lineups"))
        for side, is_home in (("homePlayers", True), ("awayPlayers", False)):
            players = posted.get(side)
            for slot, player in enumerate(players if isinstance(players, list) else [], start=1):
                person = mapping(player)
                intake.load(
                    {
                        "game_pk": game.get("gamePk"),
                        "player_id_mlbam": person.get("id"),
                        "full_name": person.get("fullName"),
                        "is_home": is_home,
                        "slot": slot,
                        "position": mapping(person.get("primaryPosition")).get("abbreviation"),
                    },
                    player,
                )
    return intake.parsed()
