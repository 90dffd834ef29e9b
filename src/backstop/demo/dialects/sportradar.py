"""SportRadar's formats: MLB v7/v8 schedule, summaries, profiles, injuries, season statistics.

Source: https://api.sportradar.com, shapes as recorded 2017-2018 and documented; ids here are made of MLB's, since the
vendor's own are not known.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from backstop.demo.clubs import CLUBS, Club
from backstop.demo.world import Appearance, Game, Person, Side

Json = dict[str, Any]
People = Callable[[int], Person | None]

LEAGUE: Final = {"id": "2fa448bc-fc17-4d3d-be03-e60e080fdc26", "name": "Major League Baseball", "alias": "MLB"}
BY_UUID: Final = {club.sportradar_id: club for club in CLUBS}
STATES: Final = {"Scheduled": "scheduled", "In Progress": "inprogress", "Final": "closed", "Postponed": "postponed"}
OVER_QPS: Final = b"<h1>Developer Over Qps</h1>"
NOT_FOUND: Final = b"<h1>596 Service Not Found</h1>"
_GAME, _PLAYER = "9a3e", "7b1d"
_LAST_GROUP: Final = re.compile("[0-9a-f]{12}")


def uuid_of_game(game_pk: int) -> str:
    """Return the id under which a game is listed."""
    return f"{_GAME}0000-0000-4000-8000-{game_pk:012x}"


def uuid_of_player(player_id: int) -> str:
    """Return the id under which a player is listed."""
    return f"{_PLAYER}0000-0000-4000-8000-{player_id:012x}"


def number(uuid: str) -> int | None:
    """Return MLB's number of a game or player id; `None` when it is none of ours."""
    head, _, tail = uuid.rpartition("-")
    ours = head in {f"{kind}0000-0000-4000-8000" for kind in (_GAME, _PLAYER)}
    return int(tail, 16) if ours and _LAST_GROUP.fullmatch(tail) else None


def schedule(day: dt.date, games: Iterable[Game], now: dt.datetime) -> Json:
    """Return the games of a day; a day without games has no list."""
    listed = [_game(game) for game in games]
    return {"league": LEAGUE, "date": day.isoformat(), **({"games": listed} if listed else {}), **_comment(now)}


def summaries(day: dt.date, games: Iterable[Json], now: dt.datetime) -> Json:
    """Return the summaries of a day, each nested once more."""
    nested = [{"game": game} for game in games]
    return {"league": {**LEAGUE, "date": day.isoformat(), "games": nested}, **_comment(now)}


def summary(game: Game, rows: Iterable[Appearance], people: People) -> Json:
    """Return one game with rosters, line-ups and statistics."""
    found = list(rows)
    sides = {
        "home": (game.home, [r for r in found if r.is_home]),
        "away": (game.away, [r for r in found if not r.is_home]),
    }
    return _game(game) | {name: _team(game, side, mine, people) for name, (side, mine) in sides.items()}


def profile(person: Person, club: Club | None, now: dt.datetime) -> Json:
    """Return a player."""
    known = _person(person.player_id, person, person.position)
    hands = {"bat_hand": {"S": "B"}.get(person.bats or "", person.bats), "throw_hand": person.throws}
    out = known | {name: value for name, value in hands.items() if value}
    if person.birth_date:
        out["birthdate"] = person.birth_date.isoformat()
    if club:
        out["team"] = _club(club)
    return {"player": out, **_comment(now)}


def injuries(hurt: Iterable[tuple[Club, Person, str, dt.date]], now: dt.datetime) -> Json:
    """Return who cannot play: club by club, with status and the day since when."""
    teams: dict[str, Json] = {}
    for club, person, status, since in hurt:
        team = teams.setdefault(club.abbr, {**_club(club), "players": []})
        injury = {
            "id": f"5c0f0000-0000-4000-8000-{person.player_id:012x}", "desc": "Hamstring", "status": status,
            "comment": f"{person.full_name} was placed on the injured list.", "start_date": since.isoformat(),
            "update_date": since.isoformat(),
        }  # fmt: skip
        team["players"].append({**_person(person.player_id, person, person.position), "injuries": [injury]})
    return {"league": LEAGUE, "teams": list(teams.values()), **_comment(now)}


def season(club: Club, year: int, rows: Iterable[Appearance], people: People, now: dt.datetime) -> Json:
    """Return a club's players with the sums of their season."""
    sums: dict[int, tuple[Json, Json]] = {}
    for row in rows:
        batting, pitching = sums.setdefault(row.player_id, ({}, {}))
        _add(batting, row.batting)
        _add(pitching, row.pitching)
    players = [
        _person(player, people(player), None) | _statistics(batting, pitching)
        for player, (batting, pitching) in sums.items()
    ]
    return {**_club(club), "season": {"year": year, "type": "REG"}, "players": players, **_comment(now)}


def hierarchy(now: dt.datetime) -> Json:
    """Return leagues and their clubs."""
    leagues = [
        {
            "id": str(number),
            "name": name,
            "alias": alias,
            "teams": [_club(club) for club in CLUBS if club.league_id == number],
        }
        for number, name, alias in ((103, "American League", "AL"), (104, "National League", "NL"))
    ]
    return {"leagues": leagues, **_comment(now)}


def _comment(now: dt.datetime) -> Json:
    return {"_comment": f"Generation started @ {now:%Y-%m-%d %H:%M:%S} +0000"}


def _club(club: Club) -> Json:
    return {"name": club.nickname, "market": club.place, "abbr": club.abbr, "id": club.sportradar_id}


def _game(game: Game) -> Json:
    home, away = game.home.club, game.away.club
    return {
        "id": uuid_of_game(game.game_pk),
        "status": STATES.get(game.status, "closed"),
        "coverage": "full",
        "game_number": game.number,
        "day_night": "N",
        "scheduled": game.start_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "home_team": home.sportradar_id,
        "away_team": away.sportradar_id,
        "double_header": game.doubleheader != "N",
        "reference": str(game.game_pk),
        "venue": {"name": home.venue, "market": home.place},
        "home": _club(home) | _score(game.home),
        "away": _club(away) | _score(game.away),
    }


def _score(side: Side) -> Json:
    return {} if side.score is None else {"runs": side.score}


def _person(player_id: int, person: Person | None, position: str | None) -> Json:
    out: Json = {"id": uuid_of_player(player_id), "mlbam_id": str(player_id), "status": "A"}
    if person:
        first, last = person.first_name or person.full_name, person.last_name or ""
        out |= {"full_name": person.full_name, "preferred_name": first, "first_name": first, "last_name": last}
    return out | ({"position": "P" if position == "P" else "IF", "primary_position": position} if position else {})


def _team(game: Game, side: Side, rows: list[Appearance], people: People) -> Json:
    roster = [_person(row.player_id, people(row.player_id), row.position) for row in rows]
    played = [
        _person(row.player_id, people(row.player_id), row.position) | _statistics(row.batting, row.pitching)
        for row in rows
        if row.batting or row.pitching
    ]
    lineup = [
        {
            "id": uuid_of_player(player),
            "inning": 0,
            "inning_half": "T",
            "order": order,
            "position": 1,
            "sequence": order,
        }
        for order, player in enumerate(side.lineup, start=1)
    ]
    out = _club(side.club) | _score(side) | {"roster": roster, "players": played, "lineup": lineup}
    if side.starter is not None:
        pitcher = _person(side.starter, people(side.starter), "P")
        out["probable_pitcher"] = pitcher
        if game.abstract != "Preview":
            out["starting_pitcher"] = pitcher
            lineup.append(
                {"id": pitcher["id"], "inning": 0, "inning_half": "T", "order": 0, "position": 1, "sequence": 1}
            )
    return out


def _statistics(batting: Json, pitching: Json) -> Json:
    parts = {"hitting": _hitting(batting) if batting else None, "pitching": _pitching(pitching) if pitching else None}
    return {"statistics": {name: {"overall": part} for name, part in parts.items() if part}}


def _onbase(counts: Json) -> Json:
    singles = counts["hits"] - counts["doubles"] - counts["triples"] - counts["homeRuns"]
    walks = counts["baseOnBalls"] - counts["intentionalWalks"]
    names = {
        "h": "hits",
        "d": "doubles",
        "t": "triples",
        "hr": "homeRuns",
        "ibb": "intentionalWalks",
        "hbp": "hitByPitch",
    }
    return {"s": singles, "bb": walks, **{name: counts[ours] for name, ours in names.items()}}


def _hitting(counts: Json) -> Json:
    known: Json = {
        "ap": counts["plateAppearances"],
        "ab": counts["atBats"],
        "onbase": _onbase(counts) | {"tb": counts["totalBases"]},
        "outs": {"ktotal": counts["strikeOuts"]},
        # strikes seen, not strikeouts: the trap of this feed
        "outcome": {"ktotal": 3 * counts["plateAppearances"]},
    }
    if "rbi" in counts:
        known |= {"rbi": counts["rbi"], "runs": {"total": counts["runs"]}, "steal": {"stolen": counts["stolenBases"]}}
    return known


def _pitching(counts: Json) -> Json:
    known: Json = {"bf": counts["battersFaced"], "onbase": _onbase(counts), "outs": {"ktotal": counts["strikeOuts"]}}
    if "outs" in counts:
        known |= {"ip_1": counts["outs"], "ip_2": float(f"{counts['outs'] // 3}.{counts['outs'] % 3}")}
    if "earnedRuns" in counts:
        earned, runs = counts["earnedRuns"], counts["runs"]
        known["runs"] = {"total": runs, "earned": earned, "unearned": runs - earned}
    return known


def _add(total: Json, counts: Json) -> None:
    for name, value in counts.items():
        if isinstance(value, int):
            total[name] = total.get(name, 0) + value


def club_of(uuid: str) -> Club | None:
    """Return a club by SportRadar's id."""
    return BY_UUID.get(uuid)
