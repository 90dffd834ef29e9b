"""Takes the bookmaker's margin out of a two-way quote: a and b are the raw implied probabilities of its sides.

Near even chances the methods agree to 3e-5; on lopsided props they differ by points, so their range is reported as a
band. Two-way Shin equals the additive method (docs/model.md, checked to 2e-16). A result outside (0, 1) is NaN, and so
is that of a missing side. All functions take and return arrays of any shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from backstop.props.kernel import Floats
from backstop.props.normal import cdf, quantile

Method = Callable[[Floats, Floats], Floats]

STEPS: Final = 40
CONVERGED: Final = 1e-4
"""Halley's error is the cube of the last step's: three steps suffice for any margin a book has shown."""

SMALLEST: Final = 1e-12
"""Raw probabilities are kept this far from 0 and 1, where logarithms end."""


def multiplicative(a: Floats, b: Floats) -> Floats:
    """Return a / (a + b): gives the long shot too much."""
    return _proper(a / (a + b))


def additive(a: Floats, b: Floats) -> Floats:
    """Return a - V/2 with the overround V = a + b - 1; the same as Shin's method (1993) for two outcomes."""
    return _proper((a - b + 1) / 2)


def power(a: Floats, b: Floats) -> Floats:
    """Return a^k with a^k + b^k = 1, by Halley's method from k = 1, which converges cubically."""
    power_a, power_b = _inside(a), _inside(b)
    log_a, log_b = np.log(power_a), np.log(power_b)
    k = step = np.ones_like(power_a)
    for _ in range(STEPS):
        rise_a, rise_b = power_a * log_a, power_b * log_b
        miss, slope = power_a + power_b - 1, rise_a + rise_b
        step = miss / (slope - miss * (rise_a * log_a + rise_b * log_b) / (2 * slope))
        step = np.minimum(step, k / 2)
        k = k - step
        if not np.any(np.abs(step) > CONVERGED):
            break
        power_a, power_b = np.exp(k * log_a), np.exp(k * log_b)
    moved = step * log_a
    return _proper(power_a * (1 - moved + moved * moved / 2))


def logit(a: Floats, b: Floats) -> Floats:
    """Return the odds-ratio method's probability: both sides' log-odds are shifted alike; closed form for two."""
    safe_a, safe_b = _inside(a), _inside(b)
    return _proper(1 / (1 + np.sqrt((1 - safe_a) / safe_a * safe_b / (1 - safe_b))))


def probit(a: Floats, b: Floats) -> Floats:
    """Return the normal distribution at (z_a - z_b) / 2, z the normal quantiles of the raw probabilities."""
    return _proper(cdf((quantile(_inside(a)) - quantile(_inside(b))) / 2))


def shin(a: Floats, b: Floats) -> Floats:
    """Return Shin's probability, and the logit method's where Shin's leaves (0, 1)."""
    found = additive(a, b)
    lacking = np.isnan(found) & np.isfinite(a) & np.isfinite(b)
    return np.where(lacking, logit(a, b), found) if lacking.any() else found


METHODS: Final[dict[str, Method]] = {
    "multiplicative": multiplicative,
    "shin": shin,
    "power": power,
    "logit": logit,
    "probit": probit,
}
"""The methods whose range is the band; `shin` is the default."""


def every_method(a: Floats, b: Floats) -> list[Floats]:
    """Return the probabilities by every method, in the order of `METHODS`."""
    return [method(a, b) for method in METHODS.values()]


def _inside(p: Floats) -> Floats:
    return np.clip(p, SMALLEST, 1 - SMALLEST)


def _proper(p: Floats) -> Floats:
    return np.where((p > 0) & (p < 1), p, np.nan)
