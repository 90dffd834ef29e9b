"""Fits a new calibration from the lake's own history, and keeps every fit with its training window.

A slate uses the latest fit that saw nothing of its day or later; without one it uses the shipped fit.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from backstop.features.parameters import Parameters
from backstop.lake.tables import Lake
from backstop.props import backtest
from backstop.props.calibration import Calibration, Platt, default, fit

TABLE: Final = "core_calibrations"
MODELS: Final = "core_models"
MODELS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_date": pl.Date(),
    "kind": pl.String(),
    "version": pl.String(),
    "trained_on": pl.String(),
    "fitted": pl.String(),
}
"""Every fit that a slate was projected with, under the last day it saw; `fitted` holds its numbers as JSON."""

HITS: Final = ("n_single", "n_double", "n_triple", "n_home_run")
BATTER_COUNTS: Final[dict[str, pl.Expr]] = {
    "batter_hits": pl.sum_horizontal(HITS),
    "batter_total_bases": pl.sum_horizontal(pl.col(name) * bases for bases, name in enumerate(HITS, start=1)),
    "batter_home_runs": pl.col("n_home_run"),
    "batter_strikeouts": pl.col("n_strikeout"),
    "batter_walks": pl.col("n_walk"),
    "batter_singles": pl.col("n_single"),
    "batter_doubles": pl.col("n_double"),
}
STARTER_COUNTS: Final[dict[str, pl.Expr]] = {
    "pitcher_strikeouts": pl.col("n_strikeout"),
    "pitcher_walks": pl.col("n_walk"),
    "pitcher_outs": pl.col("outs_recorded"),
    "pitcher_hits_allowed": pl.sum_horizontal(HITS),
}


def observed(tallies: pl.DataFrame) -> pl.DataFrame:
    """Return what the starting batters and pitchers of past games did, one row per game, player and market.

    Args:
        tallies: `core_tallies`.

    Returns:
        `game_id`, `player_id` (text), `market`, `value`: markets that plate appearances settle.
    """
    roles = (
        (tallies.filter((pl.col("slot") > 0)), "batter_id_mlbam", BATTER_COUNTS),
        (tallies.filter("pitcher_started"), "pitcher_id_mlbam", STARTER_COUNTS),
    )
    parts = []
    for rows, player, counts in roles:
        totals = rows.group_by("game_pk", player).agg(
            pl.col("plate_appearances").sum(),
            **{market: count.sum().cast(pl.Int64) for market, count in counts.items()},
        )
        long = totals.filter(pl.col("plate_appearances") > 0).unpivot(
            list(counts), index=["game_pk", player], variable_name="market", value_name="value"
        )
        ids = (pl.col("game_pk").cast(pl.String).alias("game_id"), pl.col(player).cast(pl.String).alias("player_id"))
        parts.append(long.select(*ids, "market", "value"))
    return pl.concat(parts)


def refit(
    tallies: pl.DataFrame, first: dt.date, last: dt.date, *, version: str, parameters: Parameters | None = None
) -> Calibration:
    """Fit a calibration on the predictions of past days, each made from the days before it only.

    Args:
        tallies: `core_tallies` up to `last`.
        first: First day of the training window.
        last: Its last day.
        version: Name of the fit.
        parameters: Fitted numbers of the features.
    """
    nothing = Calibration(version="uncalibrated", trained_on="nothing", last_day=dt.date.min, markets={})
    predicted = backtest.run(tallies, first, last, lines={}, parameters=parameters, calibration=nothing)
    known = predicted.join(observed(tallies), on=["game_id", "player_id", "market"])
    judged = known.with_columns(outcome=pl.col("value") > pl.col("line"))
    return fit(judged, version=version, trained_on=f"lake, {first} to {last}", last_day=last)


def keep(lake: Lake, calibration: Calibration) -> None:
    """Keep a fit in the lake under the last day it saw; a fit of the same day replaces it.

    Raises:
        LakeError: the partition cannot be replaced.
    """
    rows = [
        {"market": market, "slope": platt.slope, "intercept": platt.intercept}
        for market, platt in sorted(calibration.markets.items())
    ]
    frame = pl.DataFrame(rows, schema={"market": pl.String, "slope": pl.Float64, "intercept": pl.Float64})
    stamped = frame.with_columns(
        version=pl.lit(calibration.version), trained_on=pl.lit(calibration.trained_on), game_date=calibration.last_day
    )
    lake.write(TABLE, calibration.last_day, stamped)


def latest(lake: Lake, day: dt.date) -> Calibration:
    """Return the fit to use on a day: the newest one that saw only earlier days, else the shipped one.

    Raises:
        LakeError: a partition cannot be read.
    """
    earlier = [kept for kept in lake.days(TABLE) if kept < day]
    if not earlier:
        return default().or_none(day)
    rows = lake.read(TABLE, max(earlier))
    markets = {row["market"]: Platt(slope=row["slope"], intercept=row["intercept"]) for row in rows.to_dicts()}
    first = rows.row(0, named=True)
    return Calibration(version=first["version"], trained_on=first["trained_on"], last_day=max(earlier), markets=markets)


def record(lake: Lake, parameters: Parameters, calibration: Calibration) -> None:
    """Keep the numbers behind a `model_version` with their training window; a version that is kept already stays.

    Raises:
        LakeError: a partition cannot be read or replaced.
    """
    fits: list[tuple[str, Parameters | Calibration]] = [("parameters", parameters), ("calibration", calibration)]
    for kind, fitted in fits:
        day = fitted.last_day
        if day == dt.date.min:
            continue
        kept = lake.read(MODELS, day) if day in lake.days(MODELS) else pl.DataFrame(schema=MODELS_SCHEMA)
        if kept.filter(kind=kind, version=fitted.version).is_empty():
            row = (day, kind, fitted.version, fitted.trained_on, fitted.model_dump_json())
            new = pl.DataFrame([row], schema=MODELS_SCHEMA, orient="row")
            lake.write(MODELS, day, pl.concat([kept, new]).sort("kind", "version"))
