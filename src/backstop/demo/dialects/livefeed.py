"""The MLB Stats API's live feed: a game with its plays so far.

Source: https://statsapi.mlb.com/api/v1.1/game/{gamePk}/feed/live, as recorded 2023-2026.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from backstop.demo.dialects.statsapi import COPYRIGHT, Json, People, boxscore, game_json, instant, team
from backstop.demo.world import Appearance, Game, Play

MINUTES_PER_PLAY: Final = 2.2
"""Plays are dated as if each took as long as the average one."""


def feed(game: Game, plays: Iterable[Play], rows: Iterable[Appearance], people: People) -> Json:
    """Return the feed of a game; what is not known is absent."""
    listed = [_play(play, game, people) for play in plays]
    said = game_json(game, people)
    return {
        "copyright": COPYRIGHT,
        "gamePk": game.game_pk,
        "link": f"/api/v1.1/game/{game.game_pk}/feed/live",
        "metaData": {
            "wait": 10,
            "timeStamp": game.start_at.strftime("%Y%m%d_%H%M%S"),
            "gameEvents": [],
            "logicalEvents": [],
        },
        "gameData": {
            "game": {
                "pk": game.game_pk,
                "type": game.game_type,
                "season": str(game.day.year),
                "gameNumber": game.number,
            },
            "datetime": {"dateTime": instant(game.start_at), "officialDate": game.day.isoformat()},
            "status": said["status"],
            "teams": {"away": team(game.away.club), "home": team(game.home.club)},
            "venue": said["venue"],
        },
        "liveData": {
            "plays": {"allPlays": listed, **({"currentPlay": listed[-1]} if listed else {})},
            "boxscore": boxscore(game, rows, people),
        },
    }


def _play(play: Play, game: Game, people: People) -> Json:
    start = game.start_at + dt.timedelta(minutes=MINUTES_PER_PLAY * (play.number - 1))
    result: dict[str, Any] = {"type": "atBat", "awayScore": play.away_score, "homeScore": play.home_score}
    if play.is_complete and play.event:
        result |= {"event": play.event.replace("_", " ").title(), "eventType": play.event}
    if play.is_complete and play.rbi is not None:
        result["rbi"] = play.rbi
    about = {
        "atBatIndex": play.number - 1, "halfInning": "top" if play.is_top else "bottom", "isTopInning": play.is_top,
        "inning": play.inning, "startTime": instant(start), "isComplete": play.is_complete,
    }  # fmt: skip
    if play.is_complete:
        about["endTime"] = instant(start + dt.timedelta(minutes=MINUTES_PER_PLAY))
    return {
        "result": result,
        "about": about,
        "matchup": {
            "batter": _named(play.batter, people),
            "batSide": {"code": play.stand},
            "pitcher": _named(play.pitcher, people),
            "pitchHand": {"code": play.throws},
        },
        "playEvents": [{"isPitch": True, "pitchNumber": number} for number in range(1, play.pitches + 1)],
    }


def _named(player: int, people: People) -> Json:
    person = people(player)
    return {"id": player, **({"fullName": person.full_name} if person else {})}
