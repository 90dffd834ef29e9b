"""Live feed of the Stats API: `/api/v1.1/game/{gamePk}/feed/live`, every play of a game while it is played.

`atBatIndex` is Savant's `at_bat_number` minus one. Runs batted in are the play's `result.rbi`, which Savant lacks. The
newest play may be unfinished: it has no event yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from backstop.errors import UpstreamMalformed
from backstop.net.item import Answer, Item, Priority
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.jsontext import dig
from backstop.sources.parsed import Intake, Parsed
from backstop.tables import UTC_INSTANT, Column, Table

SOURCE = "Stats API live feed"

PLAYS = Table(
    "core_plays",
    "one row per plate appearance of a game, also the one under way",
    ("game_pk", "at_bat_number"),
    (
        Column("game_pk", pl.Int64(), "MLB id of the game"),
        Column("game_date", pl.Date(), "baseball day"),
        Column("at_bat_number", pl.Int16(), "plate appearance in the game, from 1, as Savant counts"),
        Column("inning", pl.Int16(), "from 1"),
        Column("inning_topbot", pl.String(), "Top (away bats) or Bot"),
        Column("batter_id_mlbam", pl.Int64(), "MLBAM id"),
        Column("pitcher_id_mlbam", pl.Int64(), "MLBAM id"),
        Column("stand", pl.String(), "side batted, L or R"),
        Column("p_throws", pl.String(), "hand thrown with, L or R"),
        Column("events", pl.String(), "Savant's word for the result; null while under way"),
        Column("rbi", pl.Int16(), "runs batted in; null while under way"),
        Column("pitches", pl.Int16(), "pitches thrown so far"),
        Column("home_score", pl.Int16(), "after the play"),
        Column("away_score", pl.Int16(), "after the play"),
        Column("is_complete", pl.Boolean(), "whether the play is over"),
        Column("ended_at", UTC_INSTANT, "null while under way"),
    ),
)
TABLE = PLAYS.name


def plan(game_pks: Iterable[int]) -> list[Item]:
    """Ask for each game; the path has a version of its own."""
    return [
        Item(Feed.STATSAPI, TABLE, str(pk), f"/api/v1.1/game/{pk}/feed/live", priority=Priority.LIVE) for pk in game_pks
    ]


def inspect(body: bytes) -> None:
    """Check that the content is a game.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object, something else where plays should be.
    """
    _plays(jsontext.decode_object(body, "gamePk", "gameData", "liveData", source=SOURCE))


def _plays(root: dict[str, Any]) -> list[Any]:
    """Return the plays, none before the game; what stands in their place is refused, for it would look like none."""
    block: Any = root
    for key in ("liveData", "plays"):
        block = {} if block.get(key) is None else block[key]
        if not isinstance(block, dict):
            raise UpstreamMalformed(
                f"{SOURCE} answered {key!r} as {type(block).__name__}, expected an object; ask again.", source=SOURCE
            )
    plays = block.get("allPlays")
    return [] if plays is None else jsontext.as_list(plays, "allPlays", source=SOURCE)


def parse(answer: Answer) -> Parsed:
    """Turn an answer into the plays so far.

    A malformed event within a play does not matter: only events marked as pitches are counted.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    root = jsontext.decode_object(answer.body, "gamePk", "gameData", "liveData", source=SOURCE)
    intake = Intake(PLAYS)
    day = jsontext.day(dig(root, "gameData", "datetime", "officialDate"))
    for play in _plays(root):
        intake.load(_play(play, root["gamePk"], day), play)
    return intake.parsed()


def _play(play: Any, game_pk: Any, day: Any) -> dict[str, Any]:
    index, half = dig(play, "about", "atBatIndex"), dig(play, "about", "halfInning")
    events = dig(play, "playEvents")
    pitches = [event for event in (events if isinstance(events, list) else []) if dig(event, "isPitch") is True]
    complete = dig(play, "about", "isComplete")
    return {
        "game_pk": game_pk,
        "game_date": day,
        "at_bat_number": index + 1 if isinstance(index, int) else None,
        "inning": dig(play, "about", "inning"),
        "inning_topbot": {"top": "Top", "bottom": "Bot"}.get(str(half)),
        "batter_id_mlbam": dig(play, "matchup", "batter", "id"),
        "pitcher_id_mlbam": dig(play, "matchup", "pitcher", "id"),
        "stand": dig(play, "matchup", "batSide", "code"),
        "p_throws": dig(play, "matchup", "pitchHand", "code"),
        "events": dig(play, "result", "eventType") if complete else None,
        "rbi": dig(play, "result", "rbi") if complete else None,
        "pitches": len(pitches),
        "home_score": dig(play, "result", "homeScore"),
        "away_score": dig(play, "result", "awayScore"),
        "is_complete": complete,
        "ended_at": jsontext.instant(dig(play, "about", "endTime")) if complete else None,
    }
