"""Stolen bases per plate appearance, from the box scores that the lake holds; the pitches do not tell them.

A runner's steals are Poisson with his own rate; the rates of a league are Gamma distributed (Greenwood and Yule, 1920),
so after x steals in n plate appearances his rate is Gamma with shape x + k m and rate n + k:

    m = steals / plate appearances of the league,   k = m / (variance of the rates), by the method of moments
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from backstop.features import asof

LEAST_PA: Final = 5_000
"""Plate appearances in box scores below which no rate is given: a week of a league's games, about a hundred steals."""

LEAST_VARIANCE_SHARE: Final = 0.05
"""Of the squared mean rate: runners differ at least by this much, whatever few games happen to show."""

SCHEMA: Final[dict[str, pl.DataType]] = {
    "player_id_mlbam": pl.Int64(),
    "steals_shape": pl.Float64(),
    "steals_pa": pl.Float64(),
}


def rates(box: pl.LazyFrame | pl.DataFrame, cutoff: dt.date) -> pl.DataFrame:
    """Return each runner's rate as of the cutoff: a Gamma distribution of steals per plate appearance.

    Args:
        box: BOX rows of any days; those from the cutoff on are not looked at, nor those whose feed tells no steals.
        cutoff: The slate's day.

    Returns:
        `SCHEMA`, one row per player, and one with a null player: what is assumed of one without box scores. Without
        rows while the box scores hold fewer than `LEAST_PA` plate appearances.
    """
    known = asof.history(box.lazy(), cutoff).drop_nulls(["stolen_bases", "plate_appearances"])
    people = (
        known.group_by("player_id_mlbam")
        .agg(steals=pl.col("stolen_bases").cast(pl.Int64).sum(), pa=pl.col("plate_appearances").cast(pl.Int64).sum())
        .filter(pl.col("pa") > 0)
        .sort("player_id_mlbam")
        .collect()
    )
    turns, steals = int(people["pa"].sum()), int(people["steals"].sum())
    if turns < LEAST_PA or not steals:
        return pl.DataFrame(schema=SCHEMA)
    mean = steals / turns
    k = mean / _variance(people, mean)
    nobody = pl.DataFrame({"player_id_mlbam": None, "steals": 0, "pa": 0}, schema=people.schema)
    everybody = pl.concat([people, nobody])
    return everybody.select(
        "player_id_mlbam", steals_shape=pl.col("steals") + k * mean, steals_pa=pl.col("pa") + k
    ).cast(dict(SCHEMA))  # type: ignore[arg-type]


def _variance(people: pl.DataFrame, mean: float) -> float:
    """Return the variance of the true rates: of x beyond Poisson, E[(x - m n)^2 - m n] = v n^2 summed over players."""
    turns, steals = people["pa"].to_numpy().astype(float), people["steals"].to_numpy().astype(float)
    beyond = float(((steals - mean * turns) ** 2 - mean * turns).sum() / (turns**2).sum())
    return max(beyond, LEAST_VARIANCE_SHARE * mean**2)
