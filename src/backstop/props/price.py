"""Compares projections with quotes: the market's de-vigged probability, the best price, expected value, stake.

    edge = p - p_market;  EV per unit = p_win (d - 1) - p_lose;  Kelly f* = EV / ((d - 1) (p_win + p_lose))

An edge smaller than the band over the de-vig methods is none: its stake is zero. No profit is claimed.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from backstop.props.devig import METHODS
from backstop.props.markets import MARKETS
from backstop.props.odds import implied
from backstop.tables import PROPS

KELLY_FRACTION: Final = 0.25
"""A quarter of the stake that maximises growth: full Kelly ruins whoever overrates his numbers."""

LINE_KEY: Final = ("game_pk", "player_id_mlbam", "market", "line")


def price(props: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Add the price columns: PROPS exactly, one row per row of `props`.

    Args:
        props: Result of `generate`, which was given the quotes as `lines` so that every quoted line is there.
        quotes: QUOTES matched to games and players; those without either, or at an impossible price, are left out here
            and listed by `unpriced`.

    Returns:
        PROPS. Without a quote `books` is 0 and the other price columns are null; a one-sided market has a best
        no market probability, and therefore no edge and no stake.
    """
    usable = _usable(quotes)
    books = usable.group_by(LINE_KEY).agg(pl.col("bookmaker").n_unique().cast(pl.Int16).alias("books"))
    joined = props.lazy()
    for part in (books, _consensus(usable), _best(usable, "over"), _best(usable, "under")):
        joined = joined.join(part, on=LINE_KEY, how="left", maintain_order="left")
    priced = joined.with_columns(pl.col("books").fill_null(0)).with_columns(_expected_values())
    chosen = priced.with_columns(_choice()).with_columns(_edge()).with_columns(_kelly())
    return chosen.select(pl.col(name).cast(dtype) for name, dtype in PROPS.schema.items()).collect()


def unpriced(props: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the quotes that stand against no row of `props`, with `reason`."""
    possible = pl.col("price_decimal").is_finite() & (pl.col("price_decimal") > 1)
    known = props.select(LINE_KEY).unique().with_columns(found=pl.lit(value=True))
    reason = (
        pl.when(pl.col("market").is_in(list(MARKETS)).not_())
        .then(pl.lit("the market is not projected"))
        .when(pl.col("game_pk").is_null())
        .then(pl.lit("the event matches no game"))
        .when(pl.col("player_id_mlbam").is_null())
        .then(pl.lit("the name matches no player, or two"))
        .when(possible.fill_null(value=False).not_())
        .then(pl.lit("the price is not above 1"))
        .when(pl.col("found").is_null())
        .then(pl.lit("the player has no projection at this line"))
    )
    listed = quotes.join(known, on=LINE_KEY, how="left", maintain_order="left").with_columns(reason=reason)
    return listed.filter(pl.col("reason").is_not_null()).drop("found")


def _usable(quotes: pl.DataFrame) -> pl.LazyFrame:
    possible = pl.col("price_decimal").is_finite() & (pl.col("price_decimal") > 1)
    matched = pl.col("game_pk").is_not_null() & pl.col("player_id_mlbam").is_not_null()
    sides = pl.col("side").is_in(["over", "under"])
    return quotes.lazy().filter(possible & matched & sides).select(*LINE_KEY, "bookmaker", "side", "price_decimal")


def _consensus(usable: pl.LazyFrame) -> pl.LazyFrame:
    """Return per line the mean over books of the de-vigged probability of the over, and its range over the methods.

    A book that quotes one side only has no fair probability; when a side stands twice the better price counts.
    """
    both = usable.group_by(*LINE_KEY, "bookmaker").agg(
        over=pl.col("price_decimal").filter(pl.col("side") == "over").max(),
        under=pl.col("price_decimal").filter(pl.col("side") == "under").max(),
    )
    two_sided = both.drop_nulls(["over", "under"]).with_columns(a=implied(pl.col("over")), b=implied(pl.col("under")))
    per_book = two_sided.with_columns(method(pl.col("a"), pl.col("b")).alias(name) for name, method in METHODS.items())
    per_line = per_book.group_by(LINE_KEY).agg(pl.col(name).mean() for name in METHODS)
    return per_line.select(
        *LINE_KEY,
        market_prob_over="shin",
        market_prob_low=pl.min_horizontal(*METHODS),
        market_prob_high=pl.max_horizontal(*METHODS),
    )


def _best(usable: pl.LazyFrame, side: str) -> pl.LazyFrame:
    """Return per line the best price of a side and its book; the first by name where books tie."""
    ranked = usable.filter(pl.col("side") == side).sort("price_decimal", "bookmaker", descending=[True, False])
    return ranked.group_by(LINE_KEY, maintain_order=True).agg(
        pl.col("price_decimal").first().alias(f"{side}_price"), pl.col("bookmaker").first().alias(f"{side}_book")
    )


def _expected_values() -> list[pl.Expr]:
    pairs = (("over", "under"), ("under", "over"))
    return [
        (pl.col(f"prob_{win}") * (pl.col(f"{win}_price") - 1) - pl.col(f"prob_{lose}")).alias(f"{win}_ev")
        for win, lose in pairs
    ]


def _choice() -> list[pl.Expr]:
    """Return the side with the higher expected value; over where they tie, the quoted one where one is missing."""
    under = pl.col("under_ev").is_not_null() & (pl.col("over_ev").is_null() | (pl.col("under_ev") > pl.col("over_ev")))
    over = pl.col("over_ev").is_not_null()
    return [
        pl.when(under).then(pl.lit("under")).when(over).then(pl.lit("over")).alias("best_side"),
        pl.when(under).then("under_book").when(over).then("over_book").alias("best_book"),
        pl.when(under).then("under_price").when(over).then("over_price").alias("best_price_decimal"),
        pl.when(under).then("under_ev").when(over).then("over_ev").alias("ev_per_unit"),
    ]


def _edge() -> list[pl.Expr]:
    """Return edge and band; a push is left out of ours, as the market's probability knows none."""
    decided = pl.col("prob_over") + pl.col("prob_under")
    over = pl.col("prob_over") / decided
    difference = over - pl.col("market_prob_over")
    return [
        pl.when(pl.col("best_side") == "over")
        .then(difference)
        .when(pl.col("best_side") == "under")
        .then(-difference)
        .alias("edge"),
        ((pl.col("market_prob_high") - pl.col("market_prob_low")) / 2).alias("edge_band"),
    ]


def _kelly() -> pl.Expr:
    """Return a quarter of the Kelly stake where the edge exceeds its band, else 0; null without a quote."""
    full = pl.col("ev_per_unit") / ((pl.col("best_price_decimal") - 1) * (pl.col("prob_over") + pl.col("prob_under")))
    real = (pl.col("edge") > pl.col("edge_band")).fill_null(value=False)
    stake = pl.when(real).then((KELLY_FRACTION * full).clip(lower_bound=0.0)).otherwise(0.0)
    return pl.when(pl.col("best_side").is_not_null()).then(stake).alias("kelly_quarter")
