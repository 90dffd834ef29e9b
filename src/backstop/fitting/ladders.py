"""Runs, runs batted in and earned runs as proportional odds; outs around their expected value."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features.parameters import Parameters
from backstop.fitting import regression
from backstop.fitting.rows import PLAYER, Rows
from backstop.props.kernel import Floats
from backstop.props.ladder import Ladder, Ladders, Outs, starter_terms
from backstop.props.markets import MARKETS
from backstop.props.project import batter_ladder_terms

BINS: Final = 8
FEWEST_PER_BIN: Final = 100
FEWEST: Final = 2_000
"""Players' games below which a ladder stays what it is."""

POOLED: Final = 20.0
"""Starts of all bins together that are added to each: a bin of its own holds hundreds."""

DIGITS: Final = 4


def fit(
    rows: Rows, starts: Rows, results: pl.DataFrame, base: Ladders, parameters: Parameters, *, steady: float
) -> Ladders:
    """Return the ladders of a window.

    Args:
        rows: Built with the parameters that the ladders are for.
        starts: Those of them that speak for outs.
        results: `game_id`, `player_id`, `market`, `value` from box scores; markets without enough of them keep theirs.
        base: Ladders in use.
        parameters: Fitted numbers of the features.
        steady: How much the ladders in use are worth, see `fitting.regression`.
    """
    known = {"batter": rows.features.filter(role="batter"), "starter": rows.features.filter(role="starter")}
    terms = {"batter": batter_ladder_terms(known["batter"], parameters), "starter": starter_terms(known["starter"])}
    markets = {}
    for key, ladder in base.markets.items():
        role = MARKETS[key].role
        placed = known[role].select(
            game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player_id_mlbam").cast(pl.String)
        )
        counted = placed.join(
            results.filter(market=key), on=["game_id", "player_id"], how="left", maintain_order="left"
        )["value"]
        markets[key] = _ladder(ladder, terms[role], counted, steady)
    outs = _outs(base.outs, starts, steady)
    return base.model_copy(update={"markets": markets, "outs": outs})


def _ladder(base: Ladder, terms: pl.DataFrame, counted: pl.Series, steady: float) -> Ladder:
    """Fit all rungs at once: a row says of each rung whether it was reached."""
    names = list(base.terms)
    frame = terms.select(names).with_columns(value=counted).filter(pl.all_horizontal(pl.all().is_finite()))
    if len(frame) < FEWEST:
        return base
    x, value = frame.select(names).to_numpy(), frame["value"].to_numpy()
    rungs = len(base.rungs)
    stacked = np.column_stack([np.repeat(np.eye(rungs), len(x), axis=0), np.tile(x, (rungs, 1))])
    reached = (value[None, :] > np.arange(rungs)[:, None]).astype(np.float64).ravel()
    towards = np.r_[base.rungs, [base.terms[name] for name in names]]
    fitted = regression.logistic(stacked, reached, np.ones(len(reached)), towards, steady)
    falling = np.minimum.accumulate(fitted[:rungs])
    coefficients = {name: round(float(b), DIGITS) for name, b in zip(names, fitted[rungs:], strict=True)}
    return Ladder(rungs=tuple(round(float(rung), DIGITS) for rung in falling), terms=coefficients)


def _outs(base: Outs, starts: Rows, steady: float) -> Outs:
    names, starters = list(base.terms), starts.features.filter(role="starter")
    terms = starter_terms(starters).select(names).with_columns(starters.select(PLAYER))
    joined = terms.join(starts.happened, on=PLAYER, how="inner")
    known = joined.filter(pl.all_horizontal(pl.col(names).is_finite()))
    bins = min(BINS, len(known) // FEWEST_PER_BIN)
    if bins < 2:  # noqa: PLR2004 - an expected value lies between two centres
        return base
    x = np.column_stack([np.ones(len(known)), known.select(names).to_numpy()])
    outs = known["outs"].to_numpy().astype(np.float64)
    fitted = regression.least_squares(x, outs, np.r_[base.level, [base.terms[name] for name in names]], steady)
    fitted = fitted.round(DIGITS)
    expected = x @ fitted
    order = np.argsort(expected, kind="stable")
    parts = np.array_split(order, bins)
    highest = len(base.shares[0]) - 1
    every = _shares(outs, highest)
    return Outs(
        level=float(fitted[0]),
        terms={name: float(b) for name, b in zip(names, fitted[1:], strict=True)},
        centres=tuple(round(float(expected[part].mean()), 3) for part in parts),
        shares=tuple(_mixed(_shares(outs[part], highest) * len(part) + POOLED * every) for part in parts),
    )


def _shares(outs: Floats, highest: int) -> Floats:
    counts = np.bincount(np.clip(outs, 0, highest).astype(np.int64), minlength=highest + 1)
    return np.asarray(counts / counts.sum())


def _mixed(counts: Floats) -> tuple[float, ...]:
    return tuple(round(float(share), 5) for share in counts / counts.sum())
