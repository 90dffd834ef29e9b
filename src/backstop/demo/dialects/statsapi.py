"""The MLB Stats API's formats: schedule, box score, people, rosters, errors.

Source: https://statsapi.mlb.com/api, as recorded 2023-2026.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable
from typing import Any, Final

from backstop.demo.clubs import CLUBS, Club
from backstop.demo.world import Appearance, Game, Person, Side

Json = dict[str, Any]
People = Callable[[int], Person | None]

COPYRIGHT: Final = (
    "Data of a demonstration server in the format of the MLB Stats API; recorded answers belong to MLB Advanced Media, "
    "L.P.: http://gdx.mlb.com/components/copyright.txt"
)
POSITIONS: Final[dict[str, tuple[str, str, str]]] = {
    "P": ("1", "Pitcher", "Pitcher"),
    "C": ("2", "Catcher", "Catcher"),
    "1B": ("3", "First Base", "Infielder"),
    "2B": ("4", "Second Base", "Infielder"),
    "3B": ("5", "Third Base", "Infielder"),
    "SS": ("6", "Shortstop", "Infielder"),
    "LF": ("7", "Outfielder", "Outfielder"),
    "CF": ("8", "Outfielder", "Outfielder"),
    "RF": ("9", "Outfielder", "Outfielder"),
    "DH": ("10", "Designated Hitter", "Hitter"),
    "PH": ("11", "Pinch Hitter", "Hitter"),
    "PR": ("12", "Pinch Runner", "Runner"),
    "TWP": ("Y", "Two-Way Player", "Two-Way Player"),
}
_CODES: Final = {"Scheduled": "S", "Pre-Game": "P", "In Progress": "I", "Final": "F", "Postponed": "D"}
_SERIES: Final = {
    "R": "Regular Season", "S": "Spring Training", "E": "Exhibition", "A": "All-Star Game", "F": "Wild Card",
    "D": "Division Series", "L": "Championship Series", "W": "World Series",
}  # fmt: skip
_DAY_GAME_BEFORE_HOUR: Final = 17


def schedule(games: Iterable[Game], people: People, hydrate: frozenset[str] = frozenset()) -> Json:
    """Return a schedule; without games `totalItems` is 0 and `dates` is empty."""
    days = [
        (day, [game_json(game, people, hydrate) for game in group])
        for day, group in itertools.groupby(sorted(games, key=_place), key=lambda game: game.day)
    ]
    counts = sum(len(group) for _, group in days)
    return {
        "copyright": COPYRIGHT,
        **_totals(counts, sum(_live(group) for _, group in days)),
        "dates": [
            {"date": day.isoformat(), **_totals(len(group), _live(group)), "games": group, "events": []}
            for day, group in days
        ],
    }


def game_json(game: Game, people: People, hydrate: frozenset[str] = frozenset()) -> Json:
    """Return one game of a schedule; what is not known is absent, as it is at MLB.

    What was recorded of the game is said in its own words, and completed by what is known besides.
    """
    said, known = game.recorded or {}, _known(game, people, hydrate)
    teams = {side: known["teams"][side] | said.get("teams", {}).get(side, {}) for side in ("away", "home")}
    for side, team_said in said.get("teams", {}).items():
        teams[side]["team"] = known["teams"][side]["team"] | team_said.get("team", {})
    return known | said | {"teams": teams}


def _known(game: Game, people: People, hydrate: frozenset[str]) -> Json:
    moved = {"rescheduleDate": game.moved_to, "rescheduledFrom": game.moved_from}
    code = _CODES.get(game.status, game.status[0])
    return {
        "gamePk": game.game_pk,
        "link": f"/api/v1.1/game/{game.game_pk}/feed/live",
        "gameType": game.game_type,
        "season": str(game.day.year),
        "gameDate": instant(game.start_at),
        "officialDate": game.day.isoformat(),
        **{name: day.isoformat() for name, day in moved.items() if day},
        "status": {
            "abstractGameState": game.abstract,
            "codedGameState": code,
            "detailedState": game.status,
            "statusCode": code,
            "startTimeTBD": game.start_tbd,
            **({"reason": game.reason} if game.reason else {}),
            "abstractGameCode": game.abstract[0],
        },
        "teams": {
            "away": _team_in_game(game.away, game.home, people, hydrate),
            "home": _team_in_game(game.home, game.away, people, hydrate),
        },
        **_lineups(game, people, hydrate),
        "venue": venue(game.home.club),
        "content": {"link": f"/api/v1/game/{game.game_pk}/content"},
        "gameNumber": game.number,
        "publicFacing": True,
        "doubleHeader": game.doubleheader,
        "gamedayType": "P",
        "tiebreaker": "N",
        "seasonDisplay": str(game.day.year),
        "dayNight": "day" if _local_hour(game) < _DAY_GAME_BEFORE_HOUR else "night",
        "scheduledInnings": 9,
        "reverseHomeAwayStatus": False,
        "seriesDescription": _SERIES.get(game.game_type, "Regular Season"),
        "recordSource": "S",
        "ifNecessary": "N",
    }


def boxscore(game: Game, appearances: Iterable[Appearance], people: People) -> Json:
    """Return a box score; before the line-ups are known its lists are empty."""
    rows = list(appearances)
    return {
        "copyright": COPYRIGHT,
        "teams": {
            "away": _box_team(game.away, [row for row in rows if not row.is_home], game, people),
            "home": _box_team(game.home, [row for row in rows if row.is_home], game, people),
        },
        "officials": [],
        "info": [],
        "pitchingNotes": [],
    }


def person_json(person: Person) -> Json:
    """Return a person; what is not known is absent."""
    out: Json = {"id": person.player_id, "fullName": person.full_name, "link": f"/api/v1/people/{person.player_id}"}
    if person.first_name and person.last_name:
        out |= {"firstName": person.first_name, "lastName": person.last_name, "boxscoreName": person.last_name}
        out |= {"nameFirstLast": person.full_name, "lastFirstName": f"{person.last_name}, {person.first_name}"}
    if person.birth_date:
        out["birthDate"] = person.birth_date.isoformat()
    if person.position:
        out["primaryPosition"] = position(person.position)
    out |= {key: {"code": code} for key, code in (("batSide", person.bats), ("pitchHand", person.throws)) if code}
    return out | {"active": True}


def roster(people: Iterable[Person], team_id: int) -> Json:
    """Return a club's roster."""
    rows = [
        {
            "person": {
                "id": person.player_id,
                "fullName": person.full_name,
                "link": f"/api/v1/people/{person.player_id}",
            },
            "status": {"code": "A", "description": "Active"},
            **({"position": position(person.position)} if person.position else {}),
            "parentTeamId": team_id,
        }
        for person in people
    ]
    return {"copyright": COPYRIGHT, "roster": rows, "link": f"/api/v1/teams/{team_id}/roster", "teamId": team_id}


def teams() -> Json:
    """Return the thirty clubs."""
    return {"copyright": COPYRIGHT, "teams": [team(club) for club in CLUBS]}


def team(club: Club) -> Json:
    """Return one club."""
    return {
        "id": club.team_id,
        "name": club.name,
        "link": f"/api/v1/teams/{club.team_id}",
        "abbreviation": club.abbr,
        "teamName": club.nickname,
        "locationName": club.place,
        "league": {"id": club.league_id},
        "division": {"id": club.division_id},
        "sport": {"id": 1},
        "venue": venue(club),
        "active": True,
    }


def venue(club: Club) -> Json:
    """Return a club's park."""
    return {"id": club.venue_id, "name": club.venue, "link": f"/api/v1/venues/{club.venue_id}"}


def position(abbr: str) -> Json:
    """Return a position by its abbreviation; of one that is not known no more is said."""
    if abbr not in POSITIONS:
        return {"abbreviation": abbr}
    code, name, kind = POSITIONS[abbr]
    return {"code": code, "name": name, "type": kind, "abbreviation": abbr}


def not_found(now: dt.datetime) -> Json:
    """Return the body of a 404."""
    return {"messageNumber": 10, "message": "Object not found", "timestamp": instant(now), "traceId": None}


def internal_error(now: dt.datetime, trace: str) -> Json:
    """Return the body of a 500."""
    return {"messageNumber": 1, "message": "Internal error occurred", "timestamp": instant(now), "traceId": trace}


def instant(at: dt.datetime) -> str:
    """Print an instant as the feeds do: `2025-06-15T23:10:00Z`."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(game: Game) -> tuple[dt.date, dt.datetime, int]:
    return game.day, game.start_at, game.game_pk


def _live(games: list[Json]) -> int:
    return sum(game["status"]["abstractGameState"] == "Live" for game in games)


def _totals(games: int, live: int) -> Json:
    return {"totalItems": games, "totalEvents": 0, "totalGames": games, "totalGamesInProgress": live}


def _local_hour(game: Game) -> int:
    return (game.start_at - dt.timedelta(hours=game.home.club.utc_offset_h)).hour


def _reference(player_id: int, people: People) -> Json:
    person = people(player_id)
    name = {"fullName": person.full_name} if person else {}
    return {"id": player_id, **name, "link": f"/api/v1/people/{player_id}"}


def _team_in_game(side: Side, other: Side, people: People, hydrate: frozenset[str]) -> Json:
    club = side.club
    known = {"id": club.team_id, "name": club.name, "link": f"/api/v1/teams/{club.team_id}"}
    out: Json = {"team": team(club) if "team" in hydrate else known, "splitSquad": False}
    if side.wins is not None and side.losses is not None:
        share = side.wins / max(side.wins + side.losses, 1)
        out["leagueRecord"] = {"wins": side.wins, "losses": side.losses, "pct": f"{share:.3f}".lstrip("0")}
    if side.score is not None and other.score is not None:
        out |= {"score": side.score, "isWinner": side.score > other.score}
    if side.starter is not None and "probablePitcher" in hydrate:
        out["probablePitcher"] = _reference(side.starter, people)
    return out


def _lineups(game: Game, people: People, hydrate: frozenset[str]) -> Json:
    if "lineups" not in hydrate or not (game.home.lineup or game.away.lineup):
        return {}
    named = {
        "homePlayers": [_reference(player, people) for player in game.home.lineup],
        "awayPlayers": [_reference(player, people) for player in game.away.lineup],
    }
    return {"lineups": named}


def _box_team(side: Side, rows: list[Appearance], game: Game, people: People) -> Json:
    batters = sorted((row for row in rows if row.order is not None), key=lambda row: row.order or 0)
    pitchers = [row.player_id for row in rows if row.pitching]
    if not pitchers and side.starter is not None and side.lineup:
        pitchers = [side.starter]
    idle = [row for row in rows if row.order is None and not row.pitching and not row.batting]
    return {
        "team": team(side.club),
        "players": {f"ID{row.player_id}": _box_player(row, side, game, people) for row in rows},
        "batters": [row.player_id for row in batters]
        + [p for p in pitchers if p not in {r.player_id for r in batters}],
        "pitchers": pitchers,
        "bench": [row.player_id for row in idle if row.position != "P"],
        "bullpen": [row.player_id for row in idle if row.position == "P"],
        "battingOrder": list(side.lineup),
        "info": [],
        "note": [],
    }


def _box_player(row: Appearance, side: Side, game: Game, people: People) -> Json:
    played = bool(row.batting or row.pitching) and game.abstract != "Preview"
    return {
        "person": _reference(row.player_id, people),
        **({"position": position(row.position)} if row.position else {}),
        "status": {"code": "A", "description": "Active"},
        "parentTeamId": side.club.team_id,
        **({"battingOrder": str(row.order)} if row.order is not None else {}),
        "stats": {"batting": row.batting, "pitching": row.pitching, "fielding": {}},
        "gameStatus": {
            "isCurrentBatter": False,
            "isCurrentPitcher": False,
            "isOnBench": not played,
            "isSubstitute": (row.order or 0) % 100 > 0,
        },
    }
