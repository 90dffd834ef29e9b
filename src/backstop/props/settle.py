"""Settles projections from box scores: what was over, under, a push, void, or cannot be settled and why."""

from __future__ import annotations

from typing import Final

import polars as pl

from backstop.props.markets import MARKETS

RESULTS: Final = ("over", "under", "push", "void", "open")
"""`void`: he did not play the role that was projected. `open`: the box score is missing or lacks the count."""


def settle(props: pl.DataFrame, box: pl.DataFrame) -> pl.DataFrame:
    """Add what happened to each prop.

    A batter's prop is void when he had no plate appearance, a starter's when he did not start.

    Args:
        props: Rows with `game_pk`, `player_id_mlbam`, `market`, `line`; PROPS or a part of it.
        box: BOX rows of these games, final.

    Returns:
        The props with `outcome` (the counted quantity, null unless decided), `result` (one of `RESULTS`) and `reason`
        (null when decided), in the order given.
    """
    games = box.select("game_pk").unique().with_columns(game_known=pl.lit(value=True))
    joined = props.join(games, on="game_pk", how="left", maintain_order="left").join(
        box.select(pl.exclude("game_date", "team")),
        on=["game_pk", "player_id_mlbam"],
        how="left",
        maintain_order="left",
    )
    pitches = pl.col("market").is_in([key for key, market in MARKETS.items() if market.role == "starter"])
    started = pl.col("is_starter") & (pl.col("batters_faced") > 0)
    played = pl.when(pitches).then(started).otherwise(pl.col("plate_appearances") > 0).fill_null(value=False)
    reason = (
        pl.when(pl.col("game_known").is_null())
        .then(pl.lit("the game has no box score"))
        .when(~played & pitches)
        .then(pl.lit("he did not start"))
        .when(~played)
        .then(pl.lit("he did not bat"))
        .when(pl.col("counted").is_null())
        .then(pl.lit("the box score lacks the count"))
    )
    decided = joined.with_columns(counted=_counted()).with_columns(reason=reason)
    result = (
        pl.when(pl.col("reason").is_in(["he did not start", "he did not bat"]))
        .then(pl.lit("void"))
        .when(pl.col("reason").is_not_null())
        .then(pl.lit("open"))
        .when(pl.col("counted") > pl.col("line"))
        .then(pl.lit("over"))
        .when(pl.col("counted") < pl.col("line"))
        .then(pl.lit("under"))
        .otherwise(pl.lit("push"))
    )
    outcome = pl.when(pl.col("reason").is_null()).then("counted").cast(pl.Int32)
    return decided.with_columns(outcome=outcome, result=result).select(*props.columns, "outcome", "result", "reason")


def unsettled(settled: pl.DataFrame) -> pl.DataFrame:
    """Return how many props are void or open, by `market`, `result` and `reason`."""
    waiting = settled.filter(pl.col("result").is_in(["void", "open"]))
    return (
        waiting.group_by("market", "result", "reason").agg(pl.len().alias("props")).sort("market", "result", "reason")
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
