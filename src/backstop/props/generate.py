"""Probabilities and fair prices per line, from the features of a slate."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.errors import UsageError
from backstop.props.board import LARGEST_LINE, on_offer
from backstop.props.calibration import Calibration
from backstop.props.fitted import Fitted
from backstop.props.kernel import Floats, ordered_sum
from backstop.props.markets import MARKETS, market
from backstop.props.project import Projection, project
from backstop.tables import PROPS

PRICE_COLUMNS: Final = (
    "books",
    "market_prob_over",
    "market_prob_low",
    "market_prob_high",
    "best_side",
    "best_book",
    "best_price_decimal",
    "ev_per_unit",
    "edge",
    "edge_band",
    "kelly_quarter",
)
"""What `price` adds."""

SCHEMA: Final[dict[str, pl.DataType]] = {
    name: dtype for name, dtype in PROPS.schema.items() if name not in PRICE_COLUMNS
}

Lines = dict[str, list[float]] | pl.DataFrame
"""Further lines: per market for everybody, or a frame (`player_id_mlbam`, `market`, `line`) such as QUOTES."""


def generate(
    features: pl.DataFrame,
    *,
    markets: list[str] | None = None,
    lines: Lines | None = None,
    fitted: Fitted | None = None,
) -> pl.DataFrame:
    """Return one row per game, player, market and line: PROPS without the price columns.

    All lines of a market come from one distribution: over falls as the line rises, and over, push and under sum to one.

    Args:
        features: `out_features`.
        markets: Market keys; all that are projected by default.
        lines: Lines besides the default ones; pass the slate's quotes so that every quoted line has a probability.
        fitted: Every fitted number; the shipped ones by default. The features must have been built with the same.

    Raises:
        UsageError: a market is not known, or a line given per market is not a whole or half number from 0
            to 63.5. Such lines in a frame get no row: `price.unpriced` lists them.
    """
    for key in markets or ():
        market(key)
    numbers = fitted or Fitted.shipped()
    parts = [
        _priced_lines(features, projection, _lines_of(projection, features, lines), numbers.calibration)
        for projection in project(features, markets, numbers.parameters, numbers.ladders)
    ]
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    version = pl.lit(numbers.version).alias("model_version")
    keys = ["game_pk", "player_id_mlbam", "market", "line"]
    return (
        pl.concat(parts)
        .with_columns(version)
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort(keys)
    )


def _lines_of(projection: Projection, features: pl.DataFrame, lines: Lines | None) -> pl.DataFrame:
    """Return (`row` of the projection, `line`), unique: the default lines and the wanted ones."""
    default = list(MARKETS[projection.market].lines)
    rows = pl.DataFrame({"row": np.arange(len(projection.rows))})
    if isinstance(lines, dict):
        default += lines.get(projection.market, [])
    _refuse_odd_lines(default, projection.market)
    wanted = rows.join(pl.DataFrame({"line": sorted(set(default))}, schema={"line": pl.Float64}), how="cross")
    if isinstance(lines, pl.DataFrame):
        asked = lines.filter(on_offer(pl.col("line")) & (pl.col("market") == projection.market)).select(
            "player_id_mlbam", pl.col("line").cast(pl.Float64)
        )
        players = rows.with_columns(features[projection.rows]["player_id_mlbam"])
        wanted = pl.concat([wanted, players.join(asked.unique(), on="player_id_mlbam").select(wanted.columns)])
    return wanted.unique().sort("row", "line")


def _refuse_odd_lines(lines: list[float], key: str) -> None:
    odd = [line for line in lines if not (0 <= line <= LARGEST_LINE and (2 * line).is_integer())]
    if odd:
        raise UsageError(f"A line of {key} is {odd[0]}; expected a whole or half number from 0 to {LARGEST_LINE}.")


def _priced_lines(
    features: pl.DataFrame, projection: Projection, wanted: pl.DataFrame, calibration: Calibration
) -> pl.DataFrame:
    """Read the wanted lines off the calibrated distribution."""
    tail = calibration.of(projection.market).apply(projection.at_least)
    row = wanted["row"].to_numpy()
    line = wanted["line"].to_numpy()
    over, reached = _at(tail, row, np.floor(line) + 1), _at(tail, row, np.ceil(line))
    push, under = reached - over, 1.0 - reached
    person = features[projection.rows[row]]
    return pl.DataFrame(
        {
            "line": line,
            "mean": ordered_sum(tail[:, 1:])[row],
            "prob_over": over,
            "prob_push": push,
            "prob_under": under,
            "fair_over_decimal": _fair(over, under),
            "fair_under_decimal": _fair(under, over),
        }
    ).with_columns(
        *(
            person[name]
            for name in ("game_pk", "game_date", "player_id_mlbam", "player_name", "team", "opponent", "as_of")
        ),
        market=pl.lit(projection.market),
        prop_id=pl.concat_str(
            person["game_pk"].cast(pl.String),
            person["player_id_mlbam"].cast(pl.String),
            pl.lit(projection.market),
            pl.col("line").cast(pl.String),
            separator=":",
        ),
    )


def _at(tail: Floats, row: np.ndarray[tuple[int], np.dtype[np.int64]], n: Floats) -> Floats:
    """Return P(outcome >= n); beyond the last column it is zero."""
    last = tail.shape[1] - 1
    return np.asarray(tail[row, np.minimum(n, last).astype(np.int64)])


def _fair(win: Floats, lose: Floats) -> pl.Series:
    """Return the price at which a bet is worth nothing, with pushes returned; null when it cannot win."""
    possible = win > 0
    price = np.divide(win + lose, win, out=np.ones_like(win), where=possible)
    return pl.Series(np.where(possible, price, np.nan)).fill_nan(None)
