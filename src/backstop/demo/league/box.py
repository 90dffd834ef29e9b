"""Box scores of simulated games: everything that props settle on, also what pitches do not tell."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np

from backstop.demo.league.outcomes import GIDP, INTENT_WALK, NOBODY, SAC_BUNT, SAC_FLY, TRUNCATED
from backstop.demo.league.people import FIRST_ID, Player, players
from backstop.demo.league.play import Cards, Plays
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, SINGLE, TRIPLE, K
from backstop.demo.world import Appearance

Counts = dict[int, dict[str, int]]
BATTING: Final = (
    "plateAppearances", "atBats", "hits", "doubles", "triples", "homeRuns", "totalBases", "baseOnBalls",
    "intentionalWalks", "strikeOuts", "hitByPitch", "sacFlies", "sacBunts", "groundIntoDoublePlay", "runs", "rbi",
    "stolenBases", "caughtStealing", "catchersInterference",
)  # fmt: skip
PITCHING: Final = (
    "battersFaced", "outs", "hits", "doubles", "triples", "homeRuns", "baseOnBalls", "intentionalWalks", "strikeOuts",
    "hitByPitch", "runs", "earnedRuns", "atBats",
)  # fmt: skip


def appearances(plays: Plays, cards: Cards, game: int) -> list[Appearance]:
    """Return one game's box score.

    Args:
        plays: Plate appearances; only those of `game` count.
        cards: Who was on the cards.
        game: Row of the game in the cards.
    """
    mine = plays["game"] == game
    batting, pitching = _batting(plays, mine), _pitching(plays, mine)
    found: list[Appearance] = []
    for side in (0, 1):
        found += _of_side(cards, game, side, batting, pitching)
    return found


def posted(cards: Cards, game: int, *, with_lineups: bool) -> list[Appearance]:
    """Return the two rosters before the first pitch, with batting orders once they are posted; nothing is counted."""
    rows = [row for side in (0, 1) for row in _of_side(cards, game, side, {}, {})]
    return rows if with_lineups else [dataclasses.replace(row, order=None) for row in rows]


def _of_side(cards: Cards, game: int, side: int, batting: Counts, pitching: Counts) -> list[Appearance]:
    everybody = [player for player in players() if player.club == cards.club[game, side]]
    orders = _orders(cards, game, side, batting)
    rows = [_row(player, side == 1, orders, batting, pitching, int(cards.starter[game, side])) for player in everybody]
    # who pitched comes in the order of his coming
    coming = {index: place for place, index in enumerate(pitching)}
    return sorted(
        rows, key=lambda row: (row.order is None, row.order or 0, coming.get(row.player_id - FIRST_ID, len(coming)))
    )


def _orders(cards: Cards, game: int, side: int, batting: Counts) -> dict[int, int]:
    """Return places of the batting order by player: 100-900, and 101.. for who came in late and batted or ran."""
    orders = {int(player): 100 * place for place, player in enumerate(cards.lineup[game, side], start=1)}
    places = zip(cards.substitute[game, side], cards.substitute_place[game, side], strict=True)
    return orders | {int(player): 100 * (int(place) + 1) + 1 for player, place in places if int(player) in batting}


def _row(
    player: Player, is_home: bool, orders: dict[int, int], batting: Counts, pitching: Counts, starter: int
) -> Appearance:
    index = player.index
    bat: dict[str, Any] = {"gamesPlayed": 1, **batting[index]} if index in batting else {}
    arm: dict[str, Any] = {}
    if index in pitching:
        counts = pitching[index]
        arm = {
            "gamesPlayed": 1, "gamesPitched": 1, "gamesStarted": int(index == starter), **counts,
            "hitBatsmen": counts["hitByPitch"], "inningsPitched": f"{counts['outs'] // 3}.{counts['outs'] % 3}",
        }  # fmt: skip
    return Appearance(player.person.player_id, is_home, orders.get(index), player.person.position, bat, arm)


def _batting(plays: Plays, mine: np.ndarray[Any, Any]) -> Counts:
    event, batter = plays["event"][mine], plays["batter"][mine].tolist()
    counts: Counts = {index: dict.fromkeys(BATTING, 0) for index in batter}
    for index, kind, rbi in zip(batter, event.tolist(), plays["rbi"][mine].tolist(), strict=True):
        if kind == TRUNCATED:
            continue
        _count(counts[index], kind)
        counts[index]["plateAppearances"] += 1
        counts[index]["rbi"] += rbi
        counts[index]["groundIntoDoublePlay"] += kind == GIDP
    for scorer in plays["scored"][mine].ravel().tolist():
        if scorer != NOBODY:
            counts.setdefault(scorer, dict.fromkeys(BATTING, 0))["runs"] += 1
    for runner, caught in zip(plays["stole"][mine].tolist(), plays["caught"][mine].tolist(), strict=True):
        if runner != NOBODY:
            counts[runner]["caughtStealing" if caught else "stolenBases"] += 1
    return counts


def _pitching(plays: Plays, mine: np.ndarray[Any, Any]) -> Counts:
    pitcher = plays["pitcher"][mine].tolist()
    counts: Counts = {index: dict.fromkeys(PITCHING, 0) for index in pitcher}
    outs = (plays["outs_made"][mine] + plays["caught"][mine]).tolist()
    for index, kind, made in zip(pitcher, plays["event"][mine].tolist(), outs, strict=True):
        counts[index]["outs"] += made
        if kind != TRUNCATED:
            counts[index]["battersFaced"] += 1
            _count(counts[index], kind)
    scored, charged, earned = (plays[name][mine].ravel().tolist() for name in ("scored", "charged", "earned"))
    for scorer, index, clean in zip(scored, charged, earned, strict=True):
        if scorer != NOBODY:
            counts[index]["runs"] += 1
            counts[index]["earnedRuns"] += clean
    return counts


def _count(counts: dict[str, int], kind: int) -> None:
    """Add a plate appearance that ended with `kind`, by the rules of scoring."""
    bases = {SINGLE: 1, DOUBLE: 2, TRIPLE: 3, HOMER: 4}.get(kind, 0)
    names = {
        DOUBLE: ("doubles",), TRIPLE: ("triples",), HOMER: ("homeRuns",), BB: ("baseOnBalls",), K: ("strikeOuts",),
        INTENT_WALK: ("baseOnBalls", "intentionalWalks"), HBP: ("hitByPitch",), SAC_FLY: ("sacFlies",),
        SAC_BUNT: ("sacBunts",),
    }.get(kind, ())  # fmt: skip
    for name in names:
        if name in counts:
            counts[name] += 1
    counts["hits"] += bases > 0
    if "totalBases" in counts:
        counts["totalBases"] += bases
    counts["atBats"] += kind not in {BB, INTENT_WALK, HBP, SAC_FLY, SAC_BUNT}
