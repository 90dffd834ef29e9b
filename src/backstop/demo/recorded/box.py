"""Line-ups, starters and box scores as the pitches tell them.

Counting follows the rules that reproduce MLB's official season totals from Savant's rows. What pitches do not tell
(runs scored, runs batted in, stolen bases, earned runs) is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import polars as pl

from backstop.demo.world import Appearance

EVENT: Final = pl.col("events")
_IS = {
    "doubles": EVENT == "double",
    "triples": EVENT == "triple",
    "homeRuns": EVENT == "home_run",
    "hits": EVENT.is_in(["single", "double", "triple", "home_run"]),
    "baseOnBalls": EVENT.is_in(["walk", "intent_walk"]),
    "intentionalWalks": EVENT == "intent_walk",
    "strikeOuts": EVENT.is_in(["strikeout", "strikeout_double_play"]),
    "hitByPitch": EVENT == "hit_by_pitch",
    "sacFlies": EVENT.is_in(["sac_fly", "sac_fly_double_play"]),
    "sacBunts": EVENT.is_in(["sac_bunt", "sac_bunt_double_play"]),
    "catchersInterference": EVENT == "catcher_interf",
}
_NOT_AT_BATS: Final = ("baseOnBalls", "hitByPitch", "sacFlies", "sacBunts", "catchersInterference")
_OUTS: Final = {
    "triple_play": 3,
    **dict.fromkeys(
        (
            "grounded_into_double_play",
            "double_play",
            "strikeout_double_play",
            "sac_fly_double_play",
            "sac_bunt_double_play",
        ),
        2,
    ),
    **dict.fromkeys(("field_out", "strikeout", "force_out", "sac_fly", "sac_bunt", "fielders_choice_out"), 1),
}
OUTS_IN_AN_INNING: Final = 3
PLACES: Final = 9
_FIELDERS: Final = {
    f"fielder_{number}": position
    for number, position in enumerate(("C", "1B", "2B", "3B", "SS", "LF", "CF", "RF"), start=2)
}


def plate_appearances(pitches: pl.DataFrame) -> pl.DataFrame:
    """Return the last pitch of every (game_pk, at_bat_number), in order; also of those that were cut short."""
    ordered = pitches.sort("game_pk", "at_bat_number", "pitch_number")
    return ordered.group_by("game_pk", "at_bat_number", maintain_order=True).last()


def sides(pitches: pl.DataFrame) -> pl.DataFrame:
    """Return one row per game and side that bats: line-up, and the starting pitcher whom it faced.

    Returns:
        game_pk, is_home, lineup (list of the first nine batters in order), faced (MLBAM id).
    """
    first = pitches.sort("game_pk", "at_bat_number", "pitch_number")
    return first.group_by("game_pk", is_home=pl.col("inning_topbot") == "Bot", maintain_order=True).agg(
        lineup=pl.col("batter").unique(maintain_order=True).head(PLACES), faced=pl.col("pitcher").first()
    )


def appearances(pitches: pl.DataFrame) -> list[Appearance]:
    """Return the box score of one game's pitches: who batted, pitched or fielded, with what they did."""
    ends = plate_appearances(pitches).with_columns(is_home=pl.col("inning_topbot") == "Bot")
    batting, pitching = _batting(ends), _pitching(pitches, ends)
    orders, positions = _orders(ends), _positions(pitches, ends)
    players = dict.fromkeys([*batting, *pitching, *positions])
    return [
        Appearance(
            player,
            is_home,
            orders.get((player, is_home)),
            positions.get((player, is_home)),
            batting.get((player, is_home), {} if (player, is_home) in pitching else _none_batted()),
            pitching.get((player, is_home), {}),
        )
        for player, is_home in players
    ]


def _counts(ends: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    complete = EVENT.is_not_null() & (EVENT != "truncated_pa")
    counted = (
        ends.filter(complete)
        .group_by(by, maintain_order=True)
        .agg(pl.len().alias("plateAppearances"), *(test.sum().alias(name) for name, test in _IS.items()))
    )
    return counted.with_columns(
        atBats=pl.col("plateAppearances") - pl.sum_horizontal(_NOT_AT_BATS),
        totalBases=pl.col("hits") + pl.col("doubles") + 2 * pl.col("triples") + 3 * pl.col("homeRuns"),
    )


def _batting(ends: pl.DataFrame) -> dict[tuple[int, bool], dict[str, Any]]:
    rows = _counts(ends, ["batter", "is_home"]).iter_rows(named=True)
    found = {(row.pop("batter"), row.pop("is_home")): {"gamesPlayed": 1, **row} for row in rows}
    seen = ends.select("batter", "is_home").unique(maintain_order=True).rows()
    return {player: found.get(player, _none_batted()) for player in seen}


def _none_batted() -> dict[str, Any]:
    names = ("plateAppearances", *_IS, "atBats", "totalBases")
    return {"gamesPlayed": 1, **dict.fromkeys(names, 0)}


def _pitching(pitches: pl.DataFrame, ends: pl.DataFrame) -> dict[tuple[int, bool], dict[str, Any]]:
    outs = _outs(pitches, ends)
    counts = {
        (row.pop("pitcher"), not row.pop("is_home")): row
        for row in _counts(ends, ["pitcher", "is_home"]).iter_rows(named=True)
    }
    starters = set(ends.group_by("is_home", maintain_order=True).first().select("pitcher", ~pl.col("is_home")).rows())
    box: dict[tuple[int, bool], dict[str, Any]] = {}
    for pitcher, is_home in (
        pitches.sort("at_bat_number", "pitch_number")
        .select("pitcher", pl.col("inning_topbot") == "Top")
        .unique(maintain_order=True)
        .rows()
    ):
        row = dict(counts.get((pitcher, is_home), {}))
        recorded = outs.get((pitcher, is_home))
        innings = {} if recorded is None else {"outs": recorded, "inningsPitched": f"{recorded // 3}.{recorded % 3}"}
        box[pitcher, is_home] = {
            "gamesPlayed": 1,
            "gamesPitched": 1,
            "gamesStarted": int((pitcher, is_home) in starters),
            "battersFaced": row.pop("plateAppearances", 0),
            **{name: row.get(name, 0) for name in (*_IS, "atBats", "totalBases")},
            "hitBatsmen": row.get("hitByPitch", 0),
            **innings,
        }
    return box


def _outs(pitches: pl.DataFrame, ends: pl.DataFrame) -> dict[tuple[int, bool], int | None]:
    """Return outs per pitcher; `None` where a half inning was shared and the rows do not tell who made which."""
    made = EVENT.replace_strict(_OUTS, default=0, return_dtype=pl.Int64())
    halves = (
        ends.with_columns(made=made)
        .group_by("inning", "is_home", maintain_order=True)
        .agg("pitcher", "made", last=pl.col("at_bat_number").max())
    )
    before = _outs_before(pitches)
    final = ends["at_bat_number"].max()
    total: dict[tuple[int, bool], int | None] = {}
    for inning, bats_home, pitchers, outs, last in halves.iter_rows():
        walked_off = last == final and bats_home and sum(outs) < OUTS_IN_AN_INNING
        all_outs = sum(outs) if walked_off else OUTS_IN_AN_INNING
        shares = _shares(pitchers, outs, all_outs, before.get((inning, bats_home), {}))
        for pitcher, share in shares.items():
            key = (pitcher, not bats_home)
            so_far = total.get(key, 0)
            total[key] = None if so_far is None or share is None else so_far + share
    return total


def _shares(
    pitchers: list[int], outs: list[int], all_outs: int, entered: dict[int, int | None]
) -> dict[int, int | None]:
    order = list(dict.fromkeys(pitchers))
    if len(order) == 1:
        return {order[0]: all_outs}
    if all(entered.get(pitcher) is not None for pitcher in order):
        marks = [entered[pitcher] or 0 for pitcher in order] + [all_outs]
        marks[0] = 0
        return {pitcher: marks[place + 1] - marks[place] for place, pitcher in enumerate(order)}
    if sum(outs) == all_outs:
        return {p: sum(made for who, made in zip(pitchers, outs, strict=True) if who == p) for p in order}
    return dict.fromkeys(order)


def _outs_before(pitches: pl.DataFrame) -> dict[tuple[int, bool], dict[int, int | None]]:
    """Return the outs that stood when each pitcher of a half inning threw first; `None` where not recorded."""
    if "outs_when_up" not in pitches.columns:
        return {}
    rows = pitches.sort("at_bat_number", "pitch_number").group_by(
        "inning", "inning_topbot", "pitcher", maintain_order=True
    )
    entered: dict[tuple[int, bool], dict[int, int | None]] = {}
    for inning, half, pitcher, outs in rows.agg(pl.col("outs_when_up").first()).iter_rows():
        entered.setdefault((inning, half == "Bot"), {})[pitcher] = outs
    return entered


def _orders(ends: pl.DataFrame) -> dict[tuple[int, bool], int]:
    """Return places of the batting order: 100-900 for the first nine, 101.. for who came after in a place."""
    orders: dict[tuple[int, bool], int] = {}
    for is_home in (False, True):
        orders |= {
            (player, is_home): order
            for player, order in _order_of_side(ends.filter(is_home=is_home)["batter"].to_list()).items()
        }
    return orders


def _order_of_side(batters: Iterable[int]) -> dict[int, int]:
    orders: dict[int, int] = {}
    used = [0] * PLACES
    place = -1
    for batter in batters:
        if batter in orders:
            place = orders[batter] // 100 - 1
        elif len(orders) < PLACES:
            place = len(orders)
            orders[batter] = (place + 1) * 100
        else:
            place = (place + 1) % PLACES
            used[place] += 1
            orders[batter] = (place + 1) * 100 + used[place]
    return orders


def _positions(pitches: pl.DataFrame, ends: pl.DataFrame) -> dict[tuple[int, bool], str]:
    """Return who fielded where first, pitchers included, and the designated hitters where fielders are recorded."""
    ordered = pitches.sort("at_bat_number", "pitch_number")
    found: dict[tuple[int, bool], str] = {}
    for pitcher, is_home in (
        ordered.select("pitcher", pl.col("inning_topbot") == "Top").unique(maintain_order=True).rows()
    ):
        found[pitcher, is_home] = "P"
    columns = [name for name in _FIELDERS if name in pitches.columns]
    fielded: dict[tuple[int, bool], str] = {}
    for column in columns:
        rows = (
            ordered.select(pl.col(column).cast(pl.Int64()), pl.col("inning_topbot") == "Top")
            .drop_nulls()
            .unique(maintain_order=True)
        )
        for player, is_home in rows.rows():
            fielded.setdefault((player, is_home), _FIELDERS[column])
    if columns and len(fielded) >= 2 * len(columns):
        lineups = {
            side: ends.filter(is_home=side)["batter"].unique(maintain_order=True).head(PLACES).to_list()
            for side in (False, True)
        }
        hitters = [(player, side) for side, players in lineups.items() for player in players]
        fielded |= {key: "DH" for key in hitters if key not in fielded and key not in found}
    return found | {key: position for key, position in fielded.items() if key not in found}
