"""Box score of the Stats API: `/api/v1/game/{gamePk}/boxscore`, everybody on the two rosters and what he did.

Before the game it holds the rosters, and the batting orders once they are posted. `battingOrder` of a player is a
string of three digits: the slot, then 00 for the starter and 01 onwards for substitutes; the list of that name holds
who bats now. `stats.batting` is `{}` for who did not play. Innings are strings in which `"6.2"` is six and two thirds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from backstop.errors import UpstreamMalformed, UsageError
from backstop.net.item import Answer, Item, Priority
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.jsontext import mapping
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.teams import abbreviation_of
from backstop.tables import BOX, PLAYERS

TABLE = BOX.name
SOURCE = "Stats API box score"

KNOWN = frozenset({
    "person", "jerseyNumber", "position", "status", "parentTeamId", "battingOrder", "stats", "seasonStats",
    "gameStatus", "allPositions",
})  # fmt: skip
NEEDED = frozenset({"person", "stats"})

BATTING = {
    "plate_appearances": "plateAppearances",
    "at_bats": "atBats",
    "hits": "hits",
    "doubles": "doubles",
    "triples": "triples",
    "home_runs": "homeRuns",
    "total_bases": "totalBases",
    "walks": "baseOnBalls",
    "strikeouts": "strikeOuts",
    "hit_by_pitch": "hitByPitch",
    "runs": "runs",
    "rbi": "rbi",
    "stolen_bases": "stolenBases",
}
PITCHING = {
    "batters_faced": "battersFaced",
    "outs_recorded": "outs",
    "pitcher_strikeouts": "strikeOuts",
    "pitcher_walks": "baseOnBalls",
    "hits_allowed": "hits",
    "home_runs_allowed": "homeRuns",
    "earned_runs": "earnedRuns",
}


@dataclass(frozen=True)
class BoxParsed:
    """The two tables that a box score fills: who is there, and what those who appeared did."""

    players: Parsed
    box: Parsed


@dataclass(frozen=True)
class _Game:
    """What the schedule says of the game."""

    game_pk: int
    game_date: dt.date
    starters: dict[bool, int | None]


@dataclass(frozen=True)
class _Side:
    """One of the two teams, with its players as sent."""

    is_home: bool
    team: str
    opponent: str
    starter: int | None
    order: list[Any]
    players: dict[str, Any]


def plan(game_pks: Iterable[int]) -> list[Item]:
    """Ask for each game by itself."""
    return [
        Item(Feed.STATSAPI, TABLE, str(pk), f"/api/v1/game/{pk}/boxscore", priority=Priority.LIVE) for pk in game_pks
    ]


def inspect(body: bytes) -> None:
    """Check that the content is a box score with two sides.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object, a side without players.
    """
    _teams(body)


def _teams(body: bytes) -> dict[str, dict[str, Any]]:
    teams = jsontext.decode_object(body, "teams", source=SOURCE)["teams"]
    for side in ("home", "away"):
        block = teams.get(side) if isinstance(teams, dict) else None
        if not isinstance(block, dict) or not isinstance(block.get("players"), dict):
            raise UpstreamMalformed(f"{SOURCE} answered no players of the {side} team; ask again.", source=SOURCE)
    return teams  # type: ignore[no-any-return]


def parse(answer: Answer, games: pl.DataFrame) -> BoxParsed:
    """Turn an answer into `core_players` (all on both rosters) and `core_box` (those who appeared).

    Args:
        answer: Its item's key is the gamePk.
        games: `core_games` with the game, for the date and the probable starters.

    Returns:
        Players: one row per roster entry. Box: one row per entry with batting or pitching statistics; batting columns
        are null for a pitcher who did not bat, pitching columns for who did not pitch. Rejected: `type`, `missing_key`,
        `outs` (outs and innings pitched contradict each other).

    Raises:
        UpstreamMalformed: see `inspect`, and a side whose team is not known.
        UsageError: `games` lacks the game.
    """
    game = _game(int(answer.item.key), games)
    sides = _sides(_teams(answer.body), game)
    players, box = Intake(PLAYERS), Intake(BOX)
    for side in sides:
        for entry in side.players.values():
            _load(entry, side, game, players, box)
    drift = jsontext.drift_of((entry for side in sides for entry in side.players.values()), KNOWN, NEEDED)
    return BoxParsed(players.parsed(drift), box.parsed(drift))


def _game(game_pk: int, games: pl.DataFrame) -> _Game:
    found = games.filter(pl.col("game_pk") == game_pk)
    if found.is_empty():
        raise UsageError(
            f"The schedule given lacks game {game_pk}, whose box score is to be read; fetch its day first."
        )
    row = found.row(0, named=True)
    starters = {True: row["home_starter_id_mlbam"], False: row["away_starter_id_mlbam"]}
    return _Game(game_pk, row["game_date"], starters)


def _sides(teams: dict[str, dict[str, Any]], game: _Game) -> list[_Side]:
    codes = {}
    for name in ("home", "away"):
        team = mapping(teams[name].get("team"))
        code = abbreviation_of(team.get("id"), team.get("abbreviation"))
        if code is None:
            raise UpstreamMalformed(
                f"{SOURCE} of game {game.game_pk} names the {name} team {team.get('name')!r}, which is not known.",
                source=SOURCE,
            )
        codes[name] = code
    return [
        _Side(
            is_home=name == "home",
            team=codes[name],
            opponent=codes[other],
            starter=_starter(teams[name], game.starters[name == "home"]),
            order=_list(teams[name].get("battingOrder")),
            players=teams[name]["players"],
        )
        for name, other in (("home", "away"), ("away", "home"))
    ]


def _starter(block: dict[str, Any], probable: int | None) -> int | None:
    """Name the starting pitcher: who pitched first, else the probable one."""
    for entry in block["players"].values():
        if _stats(entry, "pitching").get("gamesStarted") == 1:
            return mapping(entry.get("person")).get("id")
    pitched = [pid for pid in _list(block.get("pitchers")) if isinstance(pid, int)]
    return pitched[0] if pitched else probable


def _load(entry: Any, side: _Side, game: _Game, players: Intake, box: Intake) -> None:
    if not isinstance(entry, dict):
        players.reject(entry, "type", "The roster entry is not an object.")
        return
    person = mapping(entry.get("person"))
    slot = _slot(entry, side)
    identity = {
        "game_pk": game.game_pk,
        "game_date": game.game_date,
        "player_id_mlbam": person.get("id"),
        "team": side.team,
    }
    is_pitcher = person.get("id") is not None and person.get("id") == side.starter
    players.load(
        {
            **identity,
            "full_name": person.get("fullName"),
            "opponent": side.opponent,
            "is_home": side.is_home,
            "position": mapping(entry.get("position")).get("abbreviation"),
            "slot": slot,
            "is_starting_pitcher": is_pitcher,
        },
        entry,
    )
    _load_line(entry, {**identity, "is_starter": slot is not None or is_pitcher}, box)


def _load_line(entry: dict[str, Any], known: dict[str, Any], box: Intake) -> None:
    """Add the box-score line of a roster entry that has one, to what is known of the player."""
    batting, pitching = _stats(entry, "batting"), _stats(entry, "pitching")
    if not batting and not pitching:
        return
    outs = outs_of(pitching.get("inningsPitched"))
    if pitching and outs is not None and pitching.get("outs") not in (None, outs):
        box.reject(entry, "outs", f"{pitching['outs']} outs and {pitching['inningsPitched']} innings contradict.")
        return
    # a pitcher in a game with designated hitters is listed with a batting line of zeros
    batted = bool(batting) and not (pitching and not batting.get("plateAppearances") and "battingOrder" not in entry)
    record = known | {name: batting.get(key) if batted else None for name, key in BATTING.items()}
    record |= {name: pitching.get(key) if pitching else None for name, key in PITCHING.items()}
    if pitching and record["outs_recorded"] is None:
        record["outs_recorded"] = outs
    box.load(record, entry)


def _slot(entry: dict[str, Any], side: _Side) -> int | None:
    """Return the place in the starting order, `None` for substitutes, the bench and pitchers who do not bat."""
    code = entry.get("battingOrder")
    if isinstance(code, str) and len(code) == 3 and code.isdecimal():  # noqa: PLR2004 - slot, then two digits
        return int(code[0]) if code.endswith("00") else None
    player = mapping(entry.get("person")).get("id")
    started = not any(isinstance(mapping(other).get("battingOrder"), str) for other in side.players.values())
    return side.order.index(player) + 1 if started and player in side.order else None


def outs_of(innings: Any) -> int | None:
    """Read innings pitched as outs; `None` for a placeholder.

    >>> outs_of("6.2"), outs_of("0.0"), outs_of("-.--")
    (20, 0, None)
    """
    if not isinstance(innings, str):
        return None
    whole, dot, thirds = innings.partition(".")
    complete = jsontext.whole(whole)
    if complete is None or (dot and thirds not in ("0", "1", "2")):
        return None
    return complete * 3 + int(thirds or 0)


def _stats(entry: Any, kind: str) -> dict[str, Any]:
    return mapping(mapping(mapping(entry).get("stats")).get(kind))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
