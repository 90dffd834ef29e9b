"""The batters' lines as Polars expressions: for frames of any length, in parallel and in pieces that fit the cache.

The same numbers as `props.kernel` before calibration. Sums and products suffice because the number of plate
appearances is independent of what happens in them:

    P(X >= j) = sum over k of P(N >= k) * P(the j-th success comes in plate appearance k)
"""

from __future__ import annotations

import itertools
from typing import Final

import polars as pl

HITS: Final = ("single", "double", "triple", "home_run")
COUNTED: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "batter_hits": (HITS, 3),
    "batter_home_runs": (("home_run",), 2),
    "batter_strikeouts": (("strikeout",), 3),
    "batter_walks": (("walk",), 2),
    "batter_singles": (("single",), 1),
}
"""Outcomes that a market counts, and how many lines from 0.5 on are asked."""

BASES: Final = 4
BASE_LINES: Final = (2, 3, 4)
"""Total bases over 1.5, 2.5 and 3.5."""

PROPS_PER_BATTER: Final = sum(lines for _, lines in COUNTED.values()) + len(BASE_LINES)


def over_lines(turns: pl.LazyFrame, most: int) -> pl.LazyFrame:
    """Return P(over) of the batters' lines, one column `market:line` each, one row per row of `turns`.

    Args:
        turns: `reach_k` = P(plate appearances >= k) and `{outcome}_k`, the outcome probabilities of plate appearance
            k = 1..most; no nulls.
        most: Plate appearances that are followed.
    """
    frame = turns.with_columns(_start())
    for k in range(1, most + 1):
        frame = frame.with_columns(_chances(k)).with_columns(_step(k))
    return frame.select(
        *(
            pl.col(f"{market}#{j}").alias(f"{market}:{j - 0.5}")
            for market, (_, m) in COUNTED.items()
            for j in _up_to(m)
        ),
        *(pl.col(f"bases#{j}").alias(f"batter_total_bases:{j - 0.5}") for j in BASE_LINES),
    )


def _up_to(lines: int) -> range:
    return range(1, lines + 1)


def _start() -> list[pl.Expr]:
    """Nothing counted yet: state 0 has all the probability, no line is reached."""
    one, zero = pl.lit(1.0), pl.lit(0.0)
    columns = []
    for market, (_, lines) in COUNTED.items():
        columns += [(one if s == 0 else zero).alias(f"{market}@{s}") for s in range(lines)]
        columns += [zero.alias(f"{market}#{j}") for j in _up_to(lines)]
    columns += [(one if s == 0 else zero).alias(f"bases@{s}") for s in range(BASES)]
    return columns + [zero.alias(f"bases#{j}") for j in BASE_LINES]


def _chances(k: int) -> list[pl.Expr]:
    """Return the chances of plate appearance k that several columns need."""
    single, double, triple, homer = (pl.col(f"{name}_{k}") for name in HITS)
    return [
        (triple + homer).alias("at_least_3"),
        (double + triple + homer).alias("at_least_2"),
        (single + double + triple + homer).alias("at_least_1"),
    ]


def _step(k: int) -> list[pl.Expr]:
    reach = pl.col(f"reach_{k}")
    columns = []
    for market, (outcomes, lines) in COUNTED.items():
        q = pl.col("at_least_1") if outcomes == HITS else pl.col(f"{outcomes[0]}_{k}")
        states = [pl.col(f"{market}@{s}") for s in range(lines)]
        columns += [(pl.col(f"{market}#{j}") + reach * q * states[j - 1]).alias(f"{market}#{j}") for j in _up_to(lines)]
        columns.append((states[0] * (1 - q)).alias(f"{market}@0"))
        columns += [
            (s + (before - s) * q).alias(f"{market}@{n}")
            for n, (before, s) in enumerate(itertools.pairwise(states), start=1)
        ]
    return columns + _base_steps(k, reach)


def _base_steps(k: int, reach: pl.Expr) -> list[pl.Expr]:
    """Total bases: the states are 0 to 3 bases so far; a line is reached from any state that one hit lifts over it."""
    state = [pl.col(f"bases@{s}") for s in range(BASES)]
    at_least = [pl.col("at_least_1"), pl.col("at_least_2"), pl.col("at_least_3"), pl.col(f"home_run_{k}")]
    worth = [1 - pl.col("at_least_1"), *(pl.col(f"{name}_{k}") for name in HITS)]
    reached = [
        (
            pl.col(f"bases#{j}")
            + reach * pl.sum_horizontal(state[s] * at_least[j - s - 1] for s in range(j) if j - s <= BASES)
        ).alias(f"bases#{j}")
        for j in BASE_LINES
    ]
    moved = [pl.sum_horizontal(state[s] * worth[n - s] for s in range(n + 1)).alias(f"bases@{n}") for n in range(BASES)]
    return reached + moved
