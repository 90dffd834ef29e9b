"""Keeps every fit of the model in the lake with its training window, and fits a calibration alone.

A slate uses the latest fit that saw nothing of its day or later; without one it uses the shipped fit.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
from collections.abc import Callable, Iterable
from typing import Final

import polars as pl

from backstop.features.parameters import Parameters
from backstop.lake.tables import Lake
from backstop.props import backtest
from backstop.props.calibration import Calibration, fit
from backstop.props.fitted import Fitted
from backstop.props.ladder import Ladders
from backstop.props.project import ALLOWED, COUNTED, HITS, TOTAL_BASES

TABLE: Final = "core_fits"
"""Fits that were kept to be used, under the last day that each saw; columns as in `MODELS_SCHEMA`."""

MODELS: Final = "core_models"
MODELS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_date": pl.Date(),
    "kind": pl.String(),
    "version": pl.String(),
    "trained_on": pl.String(),
    "fitted": pl.String(),
}
"""Every fit that a slate was projected with, under the last day it saw; `fitted` holds its numbers as JSON."""


def _times(outcomes: Iterable[str]) -> pl.Expr:
    """Return how often one of the outcomes happened."""
    return pl.sum_horizontal(f"n_{outcome}" for outcome in outcomes)


BATTER_COUNTS: Final[dict[str, pl.Expr]] = {
    **{market: _times(outcomes) for market, outcomes in COUNTED.items()},
    TOTAL_BASES: pl.sum_horizontal(pl.col(f"n_{hit}") * bases for bases, hit in enumerate(HITS, start=1)),
}
STARTER_COUNTS: Final[dict[str, pl.Expr]] = {
    **{market: _times(outcomes) for market, (_, outcomes) in ALLOWED.items()},
    "pitcher_outs": pl.col("outs_recorded"),
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


def calibrate(tallies: pl.DataFrame, first: dt.date, last: dt.date, *, version: str, in_use: Fitted) -> Fitted:
    """Fit the calibration alone on the predictions of past days, each made from the days before it only.

    Args:
        tallies: `core_tallies` up to `last`.
        first: First day of the training window.
        last: Its last day.
        version: Name of the fit.
        in_use: Parameters and ladders, which stay.
    """
    predicted = backtest.run(tallies, first, last, lines={}, fitted=in_use.uncalibrated())
    known = predicted.join(observed(tallies), on=["game_id", "player_id", "market"])
    judged = known.with_columns(outcome=pl.col("value") > pl.col("line"))
    platt = fit(judged, version=version, trained_on=f"lake, {first} to {last}", last_day=last)
    return Fitted(in_use.parameters, in_use.ladders, platt)


def keep(lake: Lake, fitted: Fitted) -> None:
    """Keep a fit in the lake under the last day its calibration saw; a fit of the same day replaces it.

    Raises:
        LakeError: the partition cannot be replaced.
    """
    day = fitted.calibration.last_day
    lake.write(TABLE, day, _rows(day, fitted))


def latest(lake: Lake, day: dt.date) -> Fitted:
    """Return the fit to use on a day: the newest one that saw only earlier days, else the shipped one.

    Raises:
        LakeError: a partition cannot be read.
    """
    return by_day(lake)(day)


def by_day(lake: Lake) -> Callable[[dt.date], Fitted]:
    """Return `latest` of many days: the lake is listed once, and each fit is read once.

    Raises:
        LakeError: a partition cannot be read, now or when it is asked for.
    """
    kept = sorted(lake.days(TABLE))
    read = functools.cache(functools.partial(_read, lake))

    def of(day: dt.date) -> Fitted:
        earlier = bisect.bisect_left(kept, day)
        return read(kept[earlier - 1]) if earlier else Fitted.shipped().judging(day)

    return of


def _read(lake: Lake, last_day: dt.date) -> Fitted:
    numbers = dict(lake.read(TABLE, last_day).select("kind", "fitted").iter_rows())
    return Fitted(
        Parameters.model_validate_json(numbers["parameters"]),
        Ladders.model_validate_json(numbers["ladders"]),
        Calibration.model_validate_json(numbers["calibration"]),
    )


def record(lake: Lake, fitted: Fitted) -> None:
    """Keep the numbers behind a `model_version` with their training window; a version that is kept already stays.

    Raises:
        LakeError: a partition cannot be read or replaced.
    """
    parts = (fitted.parameters, fitted.ladders, fitted.calibration)
    for day in sorted({part.last_day for part in parts} - {dt.date.min}):
        kept = lake.read(MODELS, day) if day in lake.days(MODELS) else pl.DataFrame(schema=MODELS_SCHEMA)
        mine = _rows(day, fitted).filter(pl.col("kind").is_in(_kinds(day, fitted)))
        new = mine.join(kept, on=["kind", "version"], how="anti")
        if len(new):
            lake.write(MODELS, day, pl.concat([kept, new]).sort("kind", "version"))


def _rows(day: dt.date, fitted: Fitted) -> pl.DataFrame:
    parts: list[tuple[str, Parameters | Ladders | Calibration]] = [
        ("parameters", fitted.parameters), ("ladders", fitted.ladders), ("calibration", fitted.calibration)
    ]  # fmt: skip
    rows = [(day, kind, part.version, part.trained_on, part.model_dump_json()) for kind, part in parts]
    return pl.DataFrame(rows, schema=MODELS_SCHEMA, orient="row").sort("kind")


def _kinds(day: dt.date, fitted: Fitted) -> list[str]:
    return [kind for kind in ("parameters", "ladders", "calibration") if getattr(fitted, kind).last_day == day]
