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
        markets: Market keys, each counted once; all that are projected by default.
        lines: Lines besides the default ones; pass the slate's quotes so that every quoted line has a probability.
        fitted: Every fitted number; the shipped ones by default. The features must have been built with the same.

    Raises:
        UsageError: a market is not known, or a line given per market is not a whole or half number from 0
            to 63.5. Such lines in a frame get no row: `price.unpriced` lists them.
    """
    for key in (*(markets or ()), *(lines if isinstance(lines, dict) else ())):
        market(key)
    numbers = fitted or Fitted.shipped()
    found = project(features, markets, numbers.parameters, numbers.ladders)
    if not found:
        return pl.DataFrame(schema=SCHEMA)
    wanted = _wanted(found, features, lines)
    priced = features[wanted["feature"]].with_columns(
        _read_off(found, wanted, numbers.calibration), model_version=pl.lit(numbers.version)
    )
    parts = (pl.col(name).cast(pl.String) for name in ("game_pk", "player_id_mlbam", "market", "line"))
    return (
        priced.with_columns(prop_id=pl.concat_str(*parts, separator=":"))
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort("game_pk", "player_id_mlbam", "market", "line")
    )


def _wanted(projections: list[Projection], features: pl.DataFrame, lines: Lines | None) -> pl.DataFrame:
    """Return the default lines and the wanted ones, unique, projection by projection.

    Columns: `projection` (its place), `row` in it, `feature` (row of the features), `line`.
    """
    counts = [len(each.rows) for each in projections]
    players = pl.DataFrame(
        {
            "projection": np.repeat(np.arange(len(projections)), counts),
            "row": np.concatenate([np.arange(count) for count in counts]),
            "feature": np.concatenate([each.rows for each in projections]),
        }
    )
    offered = [(n, line) for n, each in enumerate(projections) for line in _default_lines(each.market, lines)]
    default = pl.DataFrame(offered, schema={"projection": pl.Int64, "line": pl.Float64}, orient="row")
    wanted = players.join(default, on="projection")
    if isinstance(lines, pl.DataFrame):
        markets = pl.DataFrame({"market": [each.market for each in projections]}).with_row_index("projection")
        asked = (
            lines.filter(on_offer(pl.col("line")))
            .select("player_id_mlbam", "market", pl.col("line").cast(pl.Float64))
            .unique()
            .join(markets.cast({"projection": pl.Int64}), on="market")
        )
        known = players.with_columns(features["player_id_mlbam"][players["feature"]])
        further = known.join(asked, on=["projection", "player_id_mlbam"]).select(wanted.columns)
        wanted = pl.concat([wanted, further]).unique()
    return wanted.sort("projection", "row", "line")


def _default_lines(key: str, lines: Lines | None) -> list[float]:
    """Return the lines that everybody has in a market."""
    given = lines.get(key, []) if isinstance(lines, dict) else []
    default = {*MARKETS[key].lines, *given}
    _refuse_odd_lines(sorted(default), key)
    return sorted(default)


def _refuse_odd_lines(lines: list[float], key: str) -> None:
    odd = [line for line in lines if not (0 <= line <= LARGEST_LINE and (2 * line).is_integer())]
    if odd:
        raise UsageError(f"A line of {key} is {odd[0]}; expected a whole or half number from 0 to {LARGEST_LINE}.")


def _read_off(projections: list[Projection], wanted: pl.DataFrame, calibration: Calibration) -> pl.DataFrame:
    """Read the wanted lines off the calibrated distributions: a row per row of `wanted`."""
    row, line = wanted["row"].to_numpy(), wanted["line"].to_numpy()
    ends = np.searchsorted(wanted["projection"].to_numpy(), np.arange(len(projections) + 1))
    mean, over, reached = np.empty((3, len(wanted)))
    for n, projection in enumerate(projections):
        tail = calibration.of(projection.market).apply(projection.at_least)
        part = slice(ends[n], ends[n + 1])
        mean[part] = ordered_sum(tail[:, 1:])[row[part]]
        over[part] = _at(tail, row[part], np.floor(line[part]) + 1)
        reached[part] = _at(tail, row[part], np.ceil(line[part]))
    under = 1.0 - reached
    return pl.DataFrame(
        {
            "market": pl.Series([each.market for each in projections])[wanted["projection"]],
            "line": line,
            "mean": mean,
            "prob_over": over,
            "prob_push": reached - over,
            "prob_under": under,
            "fair_over_decimal": _fair(over, under),
            "fair_under_decimal": _fair(under, over),
        }
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
