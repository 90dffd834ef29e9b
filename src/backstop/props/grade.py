"""Grades settled projections: Brier score, log loss, calibration error with its noise floor, closing-line value."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.props.kernel import Floats

BINS: Final = 10
FLOOR_DRAWS: Final = 200
FLOOR_SEED: Final = 7
"""The noise floor is simulated; the same seed gives the same table on every run."""

CLIP: Final = 1e-6
"""Log loss of a certain forecast that was wrong would be infinite."""


def grade(settled: pl.DataFrame) -> pl.DataFrame:
    """Return one row per market and model version: how good the probabilities were.

    Args:
        settled: Result of `settle`; only rows that ended over or under count, a push has no winner.

    Returns:
        `market`, `model_version`, `props`, `share_over`, `mean_prob_over`, `brier`, `log_loss`, `ece` (ten bins of
        equal count), `ece_floor` (what a perfectly calibrated forecaster with these probabilities would show by
        chance), and the same for the market's de-vigged probability where it stood: `market_props`, `market_brier`,
        `market_log_loss`, with `model_brier_there`, `model_log_loss_there` on exactly these rows.
    """
    decided = settled.filter(pl.col("result").is_in(["over", "under"])).with_columns(won=pl.col("result") == "over")
    rows = [
        {"market": market, "model_version": version, **_scores(group)}
        for (market, version), group in decided.sort("market", "model_version").group_by(
            "market", "model_version", maintain_order=True
        )
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


SCHEMA: Final[dict[str, pl.DataType]] = {
    "market": pl.String(),
    "model_version": pl.String(),
    "props": pl.Int64(),
    "share_over": pl.Float64(),
    "mean_prob_over": pl.Float64(),
    "brier": pl.Float64(),
    "log_loss": pl.Float64(),
    "ece": pl.Float64(),
    "ece_floor": pl.Float64(),
    "market_props": pl.Int64(),
    "market_brier": pl.Float64(),
    "market_log_loss": pl.Float64(),
    "model_brier_there": pl.Float64(),
    "model_log_loss_there": pl.Float64(),
}


def _scores(group: pl.DataFrame) -> dict[str, float | int | None]:
    p = (group["prob_over"] / (group["prob_over"] + group["prob_under"])).to_numpy()
    won = group["won"].cast(pl.Float64).to_numpy()
    scores: dict[str, float | int | None] = {
        "props": len(group),
        "share_over": float(won.mean()),
        "mean_prob_over": float(p.mean()),
        "brier": brier(p, won),
        "log_loss": log_loss(p, won),
        "ece": calibration_error(p, won),
        "ece_floor": calibration_floor(p),
    }
    quoted = group["market_prob_over"].is_not_null().to_numpy()
    theirs = group["market_prob_over"].fill_null(0.5).to_numpy()[quoted]
    scores["market_props"] = int(quoted.sum())
    if quoted.any():
        scores |= {"market_brier": brier(theirs, won[quoted]), "market_log_loss": log_loss(theirs, won[quoted])}
        scores |= {"model_brier_there": brier(p[quoted], won[quoted])}
        scores |= {"model_log_loss_there": log_loss(p[quoted], won[quoted])}
    return scores


def brier(p: Floats, won: Floats) -> float:
    """Return the mean squared difference (Brier, 1950)."""
    return float(np.mean((p - won) ** 2))


def log_loss(p: Floats, won: Floats) -> float:
    """Return the mean negative log likelihood in nats."""
    safe = np.clip(p, CLIP, 1 - CLIP)
    return float(-np.mean(won * np.log(safe) + (1 - won) * np.log(1 - safe)))


def reliability(p: Floats, won: Floats, bins: int = BINS) -> pl.DataFrame:
    """Return `props`, `mean_prob_over`, `share_over` per bin of equal count, by rising probability."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return pl.DataFrame(
        {
            "props": [len(part) for part in parts],
            "mean_prob_over": [float(p[part].mean()) for part in parts],
            "share_over": [float(won[part].mean()) for part in parts],
        }
    )


def calibration_error(p: Floats, won: Floats, bins: int = BINS) -> float:
    """Return the mean distance of forecast and frequency over the bins, weighted by their size."""
    order = np.argsort(p, kind="stable")
    gaps = [abs(float((p[part] - won[part]).sum())) for part in np.array_split(order, bins)]
    return sum(gaps) / len(p)


def calibration_floor(p: Floats, bins: int = BINS, draws: int = FLOOR_DRAWS) -> float:
    """Return the calibration error expected of a forecaster whose probabilities are exactly true."""
    random = np.random.default_rng(FLOOR_SEED)
    drawn = (random.random((draws, len(p))) < p).astype(np.float64)
    return float(np.mean([calibration_error(p, outcomes, bins) for outcomes in drawn]))


def closing_line_value(taken: pl.DataFrame, closing: pl.DataFrame) -> pl.DataFrame:
    """Compare the prices taken with the closing market, where both exist.

    Args:
        taken: PROPS at the time of decision: `best_side`, `best_price_decimal`.
        closing: PROPS priced on the last quotes before the first pitch: `market_prob_over`.

    Returns:
        `prop_id`, `market`, `best_side`, `clv_probability` = p_close - 1/d_taken, `clv_return` = d_taken * p_close - 1;
        one row per prop with a price taken and a two-sided closing market.
    """
    close = closing.select("prop_id", p_over="market_prob_over").drop_nulls()
    both = taken.filter(pl.col("best_side").is_not_null()).join(close, on="prop_id", how="inner", maintain_order="left")
    fair = pl.when(pl.col("best_side") == "over").then("p_over").otherwise(1 - pl.col("p_over"))
    price = pl.col("best_price_decimal")
    return both.select("prop_id", "market", "best_side", clv_probability=fair - 1 / price, clv_return=fair * price - 1)
