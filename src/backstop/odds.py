"""Odds formats. Decimal is what Backstop computes with; American and fractional are how people write.

decimal from American A: 1 + A/100 for A > 0, 1 + 100/|A| for A < 0
American from decimal d: 100 (d - 1) for d >= 2, -100 / (d - 1) below
"""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction
from typing import Final

import polars as pl


class Form(StrEnum):
    """How odds are written."""

    DECIMAL = "decimal"
    AMERICAN = "american"
    FRACTIONAL = "fractional"


EVEN: Final = 2.0
EVEN_AMERICAN: Final = 100
"""American odds are never between -100 and 100."""

LARGEST_DENOMINATOR: Final = 100
"""Books do not write finer fractions."""


def decimal_of(american: float) -> float | None:
    """Return decimal odds of one price; American odds between -100 and 100 do not exist and give `None`.

    >>> decimal_of(-110), decimal_of(150), decimal_of(50)
    (1.9090909090909092, 2.5, None)
    """
    if not math.isfinite(american) or abs(american) < EVEN_AMERICAN:
        return None
    return 1 + american / EVEN_AMERICAN if american > 0 else 1 + EVEN_AMERICAN / -american


def decimal_from_american(american: pl.Expr) -> pl.Expr:
    """Return decimal odds of a column of prices, null where there are none: see `decimal_of`.

    >>> pl.select(decimal_from_american(pl.lit(-110.0))).item()
    1.9090909090909092
    """
    price = pl.when(american > 0).then(1 + american / EVEN_AMERICAN).otherwise(1 + EVEN_AMERICAN / american.abs())
    return pl.when((american.abs() >= EVEN_AMERICAN) & american.is_finite()).then(price)


def american_from_decimal(decimal: pl.Expr) -> pl.Expr:
    """Return American odds, not rounded; decimal odds of 1 or less give null.

    >>> pl.select(american_from_decimal(pl.lit(2.5))).item()
    150.0
    """
    price = pl.when(decimal >= EVEN).then(EVEN_AMERICAN * (decimal - 1)).otherwise(-EVEN_AMERICAN / (decimal - 1))
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


def written(decimal: pl.Expr, form: Form) -> pl.Expr:
    """Return decimal odds as people write them, null for 1 or less: 2.50, +150, 3/2.

    >>> pl.select(written(pl.lit(1.5), form) for form in Form).row(0)
    ('1.50', '-200', '1/2')
    """
    if form is Form.FRACTIONAL:
        return fraction_from_decimal(decimal).alias(form)
    american = american_from_decimal(decimal).round().cast(pl.Int64)
    if form is Form.AMERICAN:
        return pl.format("{}{}", pl.when(american > 0).then(pl.lit("+")).otherwise(pl.lit("")), american).alias(form)
    price = pl.when((decimal > 1) & decimal.is_finite()).then(decimal)
    return price.map_elements("{:.2f}".format, return_dtype=pl.String).alias(form)


def implied(decimal: pl.Expr) -> pl.Expr:
    """Return the raw implied probability 1/d; null for odds of 1 or less."""
    return pl.when((decimal > 1) & decimal.is_finite()).then(1 / decimal)
