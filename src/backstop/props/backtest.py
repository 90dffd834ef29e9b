"""Walks through past days and says what would have been predicted before each game."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from backstop.features.walk import Lineups, walk
from backstop.props.fitted import Fitted
from backstop.props.generate import generate

SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_id": pl.String(),
    "game_date": pl.Date(),
    "player_id": pl.String(),
    "market": pl.String(),
    "line": pl.Float64(),
    "prob_over": pl.Float64(),
    "mean": pl.Float64(),
    "model_version": pl.String(),
}

LINES: Final[dict[str, list[float]]] = {
    "pitcher_strikeouts": [n + 0.5 for n in range(15)],
    "batter_total_bases": [4.5, 5.5],
}
"""Lines beyond the default ones that a back-test may be scored on."""


def run(
    tallies: pl.LazyFrame | pl.DataFrame,
    first: dt.date,
    last: dt.date,
    *,
    markets: list[str] | None = None,
    lines: dict[str, list[float]] | None = None,
    lineups: Lineups | None = None,
    fitted: Fitted | None = None,
) -> pl.DataFrame:
    """Return the predictions of every day from `first` to `last`, each made from the days before it only.

    Args:
        tallies: `core_tallies` of all history up to `last`.
        first: First day predicted.
        last: Last day predicted.
        markets: Market keys; all by default.
        lines: Lines beyond the default ones per market.
        lineups: Gives games and line-ups as posted; by default they are read off the games themselves.
        fitted: Every fitted number; by default the shipped ones, not calibrated on days that they were fitted on.

    Returns:
        Columns of `SCHEMA`; (`game_id`, `player_id`, `market`, `line`) is unique.

    Raises:
        DataError: the calibration given was fitted on days up to `first` or later.
    """
    more = LINES if lines is None else lines
    numbers = fitted or Fitted.shipped().judging(first)
    numbers.calibration.refuse_training_days(first)
    days = [
        generate(features, markets=markets, lines=more, fitted=numbers)
        for _, features in walk(tallies, first, last, lineups=lineups, parameters=numbers.parameters)
    ]
    if not days:
        return pl.DataFrame(schema=SCHEMA)
    renamed = pl.concat(days).rename({"game_pk": "game_id", "player_id_mlbam": "player_id"})
    return renamed.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
