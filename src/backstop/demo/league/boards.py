"""Leaderboards of the simulated league, computed from its pitches so far; what it does not measure lists nobody."""

from __future__ import annotations

from typing import Final

import polars as pl

from backstop.demo.dialects.savant import BOM
from backstop.demo.league.people import players
from backstop.sources.savant.boards import BOARDS

NAME: Final = "last_name, first_name"
EVENTS: Final = pl.col("events")
HITS: Final = ("single", "double", "triple", "home_run")
TRACKED: Final = pl.col("launch_speed").is_not_null() & pl.col("bb_type").is_not_null()
BARREL: Final = pl.col("launch_speed_angle") == 6  # noqa: PLR2004 - Savant's code
HARD_MPH: Final = 95


def answer(path: str, query: dict[str, str], pitches: pl.DataFrame) -> bytes | None:
    """Return a board as CSV with its byte order mark; `None` for one that Savant does not have."""
    who = "pitcher" if query.get("type") == "pitcher" else "batter"
    boards = {"/leaderboard/expected_statistics": _expected, "/leaderboard/statcast": _exit_velocity}
    if path not in boards:
        return _unmeasured(path, query)
    rows = boards[path](pitches, who)
    names = {p.person.player_id: f"{p.person.last_name}, {p.person.first_name}" for p in players()}
    named = rows.select(
        pl.col("player_id").replace_strict(names, return_dtype=pl.String()).alias(NAME),
        pl.col("player_id").cast(pl.String()),
        pl.exclude("player_id"),
    )  # fmt: skip
    return BOM + named.write_csv(quote_style="non_numeric").encode()


def _unmeasured(path: str, query: dict[str, str]) -> bytes | None:
    """Return the header of a board, as on a day on which nobody qualifies; `None` for a path that is no board's."""
    here = [board for board in BOARDS.values() if board.path == path]
    if not here:
        return None
    asked = set(query.values())
    board = max(here, key=lambda each: len(asked & {pair.partition("=")[2] for pair in each.params.split("&")}))
    columns = [*filter(None, [board.season]), *board.keys, *board.texts, *board.numbers]
    header = [board.player_name, board.player_id, *([query.get("year", "")] if board.metric else columns)]
    return BOM + (",".join(f'"{name.partition("#")[0]}"' for name in header) + "\n").encode()


def _expected(pitches: pl.DataFrame, who: str) -> pl.DataFrame:
    """Return batting average, slugging and wOBA with what contact deserved, one row per player."""
    ends = pitches.filter(EVENTS.is_not_null(), EVENTS != "truncated_pa")
    bases = EVENTS.replace_strict(dict(zip(HITS, (1, 2, 3, 4), strict=True)), default=0, return_dtype=pl.Int64())
    at_bat = ~EVENTS.is_in(["walk", "intent_walk", "hit_by_pitch", "sac_fly", "sac_bunt"])
    expected = {
        "ba": "estimated_ba_using_speedangle",
        "slg": "estimated_slg_using_speedangle",
        "woba": "estimated_woba_using_speedangle",
    }
    sums = ends.group_by(player_id=who).agg(
        pl.col("game_year").first().cast(pl.String()).alias("year"),
        pl.len().alias("pa"),
        pl.col("bb_type").is_not_null().sum().alias("bip"),
        at_bat.sum().alias("ab"),
        ba=EVENTS.is_in(HITS).sum(),
        slg=bases.sum(),
        woba=pl.col("woba_value").sum(),
        denom=pl.col("woba_denom").sum(),
        **{f"est_{name}": pl.col(column).sum() for name, column in expected.items()},
        given=pl.when(pl.col("bb_type").is_null()).then("woba_value").sum(),
    )
    rates = sums.with_columns(
        pl.col("ba", "slg", "est_ba", "est_slg") / pl.max_horizontal("ab", 1),
        woba=pl.col("woba") / pl.max_horizontal("denom", 1),
        est_woba=(pl.col("est_woba") + pl.col("given")) / pl.max_horizontal("denom", 1),
    )
    columns = [
        expr
        for name in ("ba", "slg", "woba")
        for expr in (name, f"est_{name}", (pl.col(f"est_{name}") - pl.col(name)).alias(f"est_{name}_minus_{name}_diff"))
    ]
    return (
        rates.select("player_id", "year", "pa", "bip", *columns)
        .with_columns(pl.col(pl.Float64()).round(3))
        .sort("pa", "player_id", descending=True)
    )


def _exit_velocity(pitches: pl.DataFrame, who: str) -> pl.DataFrame:
    """Return exit velocities and barrels, one row per player."""
    speed, angle, distance = pl.col("launch_speed"), pl.col("launch_angle"), pl.col("hit_distance_sc")
    batted = pitches.filter(TRACKED)
    turns = pitches.filter(EVENTS.is_not_null()).group_by(player_id=who).len("pa")
    rows = batted.group_by(player_id=who).agg(
        pl.len().alias("attempts"),
        avg_hit_angle=angle.mean().round(1),
        anglesweetspotpercent=(angle.is_between(8, 32).mean() * 100).round(1),
        max_hit_speed=speed.max(),
        avg_hit_speed=speed.mean().round(1),
        ev50=speed.filter(speed >= speed.median()).mean().round(1),
        fbld=speed.filter(pl.col("bb_type").is_in(["fly_ball", "line_drive"])).mean().round(1),
        gb=speed.filter(pl.col("bb_type") == "ground_ball").mean().round(1),
        max_distance=distance.max(),
        avg_distance=distance.mean().round(),
        avg_hr_distance=distance.filter(EVENTS == "home_run").mean().round(),
        ev95plus=(speed >= HARD_MPH).sum(),
        ev95percent=((speed >= HARD_MPH).mean() * 100).round(1),
        barrels=BARREL.sum(),
        brl_percent=(BARREL.mean() * 100).round(1),
    )
    return (
        rows.join(turns, on="player_id")
        .with_columns(brl_pa=(pl.col("barrels") / pl.col("pa") * 100).round(1))
        .drop("pa")
        .sort("attempts", "player_id", descending=True)
    )
