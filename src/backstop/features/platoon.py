"""Side batted against hand thrown: how much a cell differs from what both are used to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.rates import SEASON_WEIGHTS, Floats

HANDS: Final = ("L", "R")
EXPONENTS: Final = (0.7, 1.1, 0.0, 0.2, 0.8, 0.8, 1.1, 0.0)
"""How far a cell's ratio carries over to one match-up, per outcome, fitted on 2016."""


@dataclass(frozen=True, slots=True)
class Cells:
    """League rates by side batted and hand thrown, relative to the league.

    Attributes:
        ratio: Array (side, hand, outcome); side and hand in the order L, R.
        share: Plate appearances by (side, hand), summing to one.
    """

    ratio: Floats
    share: Floats


def cells(batting: pl.DataFrame, season: int) -> Cells:
    """Count the four platoon cells over the seasons that matter (`Sums.batting`)."""
    counts = np.zeros((2, 2, len(OUTCOMES)))
    grouped = batting.group_by("season", "stand", "p_throws").agg(pl.col(count_columns()).sum())
    for year, stand, throws, *row in grouped.sort("season", "stand", "p_throws").iter_rows():
        age = season - year
        if stand in HANDS and throws in HANDS and 0 <= age < len(SEASON_WEIGHTS):
            counts[HANDS.index(stand), HANDS.index(throws)] += SEASON_WEIGHTS[age] * np.asarray(row, dtype=np.float64)
    plate_appearances = counts.sum(axis=2)
    total = plate_appearances.sum()
    league = counts.sum(axis=(0, 1)) / total
    rate = np.divide(counts, plate_appearances[:, :, None], out=np.tile(league, (2, 2, 1)), where=counts > 0)
    ratio = np.divide(rate, league, out=np.ones_like(rate), where=league > 0)
    return Cells(ratio=ratio, share=plate_appearances / total)


def sides(batting: pl.DataFrame) -> pl.DataFrame:
    """Return the side each batter takes against either hand: the one he took most often.

    Returns:
        One row per `batter_id_mlbam` with `side_vs_l`, `side_vs_r`; a hand he never met takes the side of the other.
    """
    met = batting.group_by("batter_id_mlbam", "p_throws", "stand").agg(pl.col("plate_appearances").sum())
    met = met.sort("batter_id_mlbam", "p_throws", "plate_appearances", "stand")
    side = met.group_by("batter_id_mlbam").agg(
        pl.col("stand").filter(pl.col("p_throws") == "L").last().alias("l"),
        pl.col("stand").filter(pl.col("p_throws") == "R").last().alias("r"),
    )
    return side.select(
        "batter_id_mlbam",
        side_vs_l=pl.coalesce("l", "r"),
        side_vs_r=pl.coalesce("r", "l"),
    ).sort("batter_id_mlbam")


def hands(pitching: pl.DataFrame) -> pl.DataFrame:
    """Return the hand each pitcher throws with most: one row per `pitcher_id_mlbam` with `throws`."""
    met = pitching.group_by("pitcher_id_mlbam", "p_throws").agg(pl.col("plate_appearances").sum())
    met = met.sort("pitcher_id_mlbam", "plate_appearances", "p_throws")
    return met.group_by("pitcher_id_mlbam").agg(pl.col("p_throws").last().alias("throws")).sort("pitcher_id_mlbam")


def factors(table: Cells, side_vs_l: pl.Series, side_vs_r: pl.Series, throws: pl.Series) -> Floats:
    """Return the platoon factor per match-up and outcome.

    The cell's ratio is divided by what the batter meets on average and by what the pitcher meets on average, because
    both their rates hold that mixture already. An unknown side or hand has factor one.
    """
    vs_l, vs_r = _index(side_vs_l), _index(side_vs_r)
    hand = _index(throws)
    known = (vs_l >= 0) & (vs_r >= 0) & (hand >= 0)
    a, b, h = np.maximum(vs_l, 0), np.maximum(vs_r, 0), np.maximum(hand, 0)
    left = np.where(a == b, table.share[a, 0] / table.share[a].sum(axis=1), table.share[:, 0].sum())[:, None]
    batter_usual = left * table.ratio[a, 0] + (1 - left) * table.ratio[b, 1]
    by_hand = table.share / table.share.sum(axis=0)
    pitcher_usual = np.einsum("sh,shi->hi", by_hand, table.ratio)[h]
    side = np.where(h == 0, a, b)
    ratio = (table.ratio[side, h] / (batter_usual * pitcher_usual)) ** np.asarray(EXPONENTS)
    return np.where(known[:, None], ratio, 1.0)


def _index(hand: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return 0 for L, 1 for R, -1 for anything else."""
    return hand.replace_strict({"L": 0, "R": 1}, default=-1, return_dtype=pl.Int64).to_numpy()
