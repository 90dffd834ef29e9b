"""Settles projections from box scores: what was over, under, a push, void, or cannot be settled and why.

The rules stand in docs/model.md, "Settlement".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from backstop.props.markets import MARKETS
from backstop.sources.statsapi import schedule

MOVED: Final = "the game was moved to another day"
OFF: Final = "the game was postponed or cancelled"
NOT_STARTED: Final = "he did not start"
NOT_BATTED: Final = "he did not bat"
CALLED_EARLY: Final = "the game was called early"
VOID: Final = (MOVED, OFF, NOT_STARTED, NOT_BATTED, CALLED_EARLY)

UNLISTED: Final = "the day's schedule does not list the game"
NOT_OVER: Final = "the game is not over"
NO_BOX: Final = "the game has no box score"
REFUSED: Final = "his line in the box score was refused"
NO_COUNT: Final = "the box score lacks the count"

SHORTENED: Final = ("Completed Early", "Forfeit")
"""Detailed states of a game that ended before its last out; a reason may follow (`Completed Early: Rain`)."""


def settle(
    props: pl.DataFrame,
    box: pl.DataFrame,
    games: pl.DataFrame,
    *,
    moved: Collection[int] = (),
    refused: Collection[int] = (),
) -> pl.DataFrame:
    """Add what happened to each prop.

    Args:
        props: Rows with `game_pk`, `player_id_mlbam`, `market`, `line`; PROPS or a part of it.
        box: BOX rows of these games, as far as they are told.
        games: GAMES rows of the day, which say whether a game is over.
        moved: `game_pk` of games that the day does not list because they were moved to another.
        refused: Players a line of whom was refused: that he has none does not say that he did not play.

    Returns:
        The props with `outcome` (the counted quantity, null unless decided), `result` (over, under, push, void: the
        stake goes back, or open: it is not known yet, or was not told) and `reason` (null when decided), in the order
        given.
    """
    joined = (
        props.join(_states(games), on="game_pk", how="left", maintain_order="left")
        .join(
            box.select("game_pk").unique().with_columns(told=pl.lit(value=True)),
            on="game_pk",
            how="left",
            maintain_order="left",
        )
        .join(
            box.select(pl.exclude("game_date", "team"), named=pl.lit(value=True)),
            on=["game_pk", "player_id_mlbam"],
            how="left",
            maintain_order="left",
        )
    )
    counted = joined.with_columns(counted=_counted())
    decided = counted.with_columns(reason=_reason(moved, refused))
    outcome = pl.when(pl.col("reason").is_null()).then("counted").cast(pl.Int32)
    return decided.with_columns(outcome=outcome, result=_result()).select(*props.columns, "outcome", "result", "reason")


def unsettled(settled: pl.DataFrame) -> pl.DataFrame:
    """Return how many props are void or open, by `market`, `result` and `reason`."""
    waiting = settled.filter(pl.col("result").is_in(["void", "open"]))
    return (
        waiting.group_by("market", "result", "reason").agg(pl.len().alias("props")).sort("market", "result", "reason")
    )


def _states(games: pl.DataFrame) -> pl.DataFrame:
    return games.select(
        "game_pk",
        game_off=schedule.is_off(),
        game_over=(pl.col("abstract_status") == "Final").fill_null(value=False),
        game_short=schedule.state().is_in(SHORTENED).fill_null(value=False),
    )


def _reason(moved: Collection[int], refused: Collection[int]) -> pl.Expr:
    """Say why a prop is not decided; null when it is. Of several reasons the first counts."""
    pitches = pl.col("market").is_in([key for key, market in MARKETS.items() if market.role == "starter"])
    lost = pl.col("named").is_null() & pl.col("player_id_mlbam").is_in(list(refused))
    turns = pl.when(pitches).then("batters_faced").otherwise("plate_appearances")
    reasons = (
        (pl.col("game_pk").is_in(list(moved)), MOVED),
        (pl.col("game_off"), OFF),
        (pl.col("game_over").is_null(), UNLISTED),
        (~pl.col("game_over"), NOT_OVER),
        (pl.col("told").is_null(), NO_BOX),
        (lost, REFUSED),
        (~pl.col("is_starter").fill_null(value=False), NOT_STARTED),
        (~(turns > 0).fill_null(value=False), pl.when(pitches).then(pl.lit(NOT_STARTED)).otherwise(pl.lit(NOT_BATTED))),
        (pl.col("counted").is_null(), NO_COUNT),
        (pl.col("game_short") & (pl.col("counted") <= pl.col("line")), CALLED_EARLY),
    )
    return pl.coalesce(pl.when(holds).then(pl.lit(why) if isinstance(why, str) else why) for holds, why in reasons)


def _result() -> pl.Expr:
    """Return how a prop is settled, from its `reason`, what was `counted`, and its `line`."""
    return (
        pl.when(pl.col("reason").is_in(VOID))
        .then(pl.lit("void"))
        .when(pl.col("reason").is_not_null())
        .then(pl.lit("open"))
        .when(pl.col("counted") > pl.col("line"))
        .then(pl.lit("over"))
        .when(pl.col("counted") < pl.col("line"))
        .then(pl.lit("under"))
        .otherwise(pl.lit("push"))
    )


def _counted() -> pl.Expr:
    """Return the quantity each row's market counts; null when one of its columns is."""
    quantity = pl.lit(None, dtype=pl.Int64)
    for key, market in MARKETS.items():
        parts = [
            -pl.col(name.removeprefix("-")).cast(pl.Int64) if name.startswith("-") else pl.col(name).cast(pl.Int64)
            for name in market.settles_on
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        quantity = pl.when(pl.col("market") == key).then(total).otherwise(quantity)
    return quantity
