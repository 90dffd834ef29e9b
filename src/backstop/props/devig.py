"""Takes the bookmaker's margin out of a two-way quote: a and b are the raw implied probabilities of its sides.

Near even chances the methods agree to 3e-5; on lopsided props they differ by points, so their range is reported as a
band. Two-way Shin equals the additive method (MODELS.md 1.6, checked to 2e-16). A result outside (0, 1) is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Callable[[pl.Expr, pl.Expr], pl.Expr]

NEWTON_STEPS: Final = 12
"""Six to eight suffice for any quote seen; the rest costs microseconds."""


def multiplicative(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return a / (a + b): gives the long shot too much."""
    return _proper(a / (a + b))


def additive(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return a - V/2 with the overround V = a + b - 1; the same as Shin's method (1993) for two outcomes."""
    return _proper((a - b + 1) / 2)


def power(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return a^k with a^k + b^k = 1, by Newton's method."""
    return _proper(pl.map_batches([a, b], _power, return_dtype=pl.Float64))


def logit(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return the odds-ratio method's probability: both sides' log-odds are shifted alike; closed form for two."""
    return _proper(1 / (1 + ((1 - a) / a * b / (1 - b)).sqrt()))


def probit(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return the normal distribution at (z_a - z_b) / 2, z the normal quantiles of the raw probabilities."""
    return _proper(pl.map_batches([a, b], _probit, return_dtype=pl.Float64))


def shin(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return Shin's probability, and the logit method's where Shin's leaves (0, 1)."""
    return pl.coalesce(additive(a, b), logit(a, b))


METHODS: Final[dict[str, Method]] = {
    "multiplicative": multiplicative,
    "shin": shin,
    "power": power,
    "logit": logit,
    "probit": probit,
}
"""The methods whose range is the band; `shin` is the default."""


def _proper(p: pl.Expr) -> pl.Expr:
    return pl.when((p > 0) & (p < 1)).then(p)


def _power(sides: Sequence[pl.Series]) -> pl.Series:
    a, b = (np.clip(side.fill_null(0.5).to_numpy(), 1e-12, 1 - 1e-12) for side in sides)
    log_a, log_b = np.log(a), np.log(b)
    k = np.ones_like(a)
    for _ in range(NEWTON_STEPS):
        power_a, power_b = np.exp(k * log_a), np.exp(k * log_b)
        k = np.maximum(k - (power_a + power_b - 1) / (power_a * log_a + power_b * log_b), 1e-3)
    known = (sides[0].is_not_null() & sides[1].is_not_null()).to_numpy()
    return pl.Series(np.where(known, np.exp(k * log_a), np.nan)).fill_nan(None)


def _probit(sides: Sequence[pl.Series]) -> pl.Series:
    a, b = (np.clip(side.fill_null(0.5).to_numpy(), 1e-12, 1 - 1e-12) for side in sides)
    known = (sides[0].is_not_null() & sides[1].is_not_null()).to_numpy()
    p = normal_cdf((normal_quantile(a) - normal_quantile(b)) / 2)
    return pl.Series(np.where(known, p, np.nan)).fill_nan(None)


def normal_cdf(z: Floats) -> Floats:
    """Return the standard normal distribution function (to the precision of the error function)."""
    return np.asarray(0.5 * np.vectorize(math.erfc, otypes=[np.float64])(-z / math.sqrt(2.0)))


def normal_quantile(p: Floats) -> Floats:
    """Return the standard normal quantile (Acklam, 2003, relative error 1.2e-9)."""
    low = 0.02425
    tail = np.minimum(p, 1 - p)
    q = np.sqrt(-2 * np.log(tail))
    outer = (((((_C[0] * q + _C[1]) * q + _C[2]) * q + _C[3]) * q + _C[4]) * q + _C[5]) / (
        (((_D[0] * q + _D[1]) * q + _D[2]) * q + _D[3]) * q + 1
    )
    s = p - 0.5
    r = s * s
    inner = (((((_A[0] * r + _A[1]) * r + _A[2]) * r + _A[3]) * r + _A[4]) * r + _A[5]) * s
    inner /= ((((_B[0] * r + _B[1]) * r + _B[2]) * r + _B[3]) * r + _B[4]) * r + 1
    return np.where(tail < low, np.where(p < 0.5, outer, -outer), inner)  # noqa: PLR2004 -- the median


_A: Final = (
    -39.69683028665376,
    220.9460984245205,
    -275.9285104469687,
    138.3577518672690,
    -30.66479806614716,
    2.506628277459239,
)
_B: Final = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572)
_C: Final = (
    -0.007784894002430293,
    -0.3223964580411365,
    -2.400758277161838,
    -2.549732539343734,
    4.374664141464968,
    2.938163982698783,
)
_D: Final = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)
