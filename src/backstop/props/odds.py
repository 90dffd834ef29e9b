"""Odds formats. Decimal is what Backstop computes with; American and fractional are how people write.

decimal from American A: 1 + A/100 for A > 0, 1 + 100/|A| for A < 0
American from decimal d: 100 (d - 1) for d >= 2, -100 / (d - 1) below
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import polars as pl

EVEN: Final = 2.0
LARGEST_DENOMINATOR: Final = 100
"""Books do not write finer fractions."""


def decimal_from_american(american: pl.Expr) -> pl.Expr:
    """Return decimal odds; American odds between -100 and 100 do not exist and give null.

    >>> pl.select(decimal_from_american(pl.lit(-110.0))).item()
    1.9090909090909092
    """
    price = pl.when(american > 0).then(1 + american / 100).otherwise(1 + 100 / american.abs())
    return pl.when((american.abs() >= 100) & american.is_finite()).then(price)  # noqa: PLR2004 -- the scale of the format


def american_from_decimal(decimal: pl.Expr) -> pl.Expr:
    """Return American odds, not rounded; decimal odds of 1 or less give null.

    >>> pl.select(american_from_decimal(pl.lit(2.5))).item()
    150.0
    """
    price = pl.when(decimal >= EVEN).then(100 * (decimal - 1)).otherwise(-100 / (decimal - 1))
    return pl.when((decimal > 1) & decimal.is_finite()).then(price)


def decimal_from_fraction(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Return decimal odds of `numerator/denominator`; null unless both are positive."""
    return pl.when((numerator > 0) & (denominator > 0)).then(1 + numerator / denominator)


def fraction_from_decimal(decimal: pl.Expr) -> pl.Expr:
    """Return fractional odds as text, the nearest fraction with a denominator up to 100; null for 1 or less.

    >>> pl.select(fraction_from_decimal(pl.lit(2.5))).item()
    '3/2'
    """
    return pl.when((decimal > 1) & decimal.is_finite()).then(decimal).map_elements(_fraction, return_dtype=pl.String)


def _fraction(decimal: float) -> str:
    part = Fraction(decimal - 1).limit_denominator(LARGEST_DENOMINATOR)
    return f"{part.numerator}/{part.denominator}"


def implied(decimal: pl.Expr) -> pl.Expr:
    """Return the raw implied probability 1/d; null for odds of 1 or less."""
    return pl.when((decimal > 1) & decimal.is_finite()).then(1 / decimal)
