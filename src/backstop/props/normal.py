"""The normal distribution on arrays, in one and two dimensions, without SciPy."""

from __future__ import annotations

from typing import Final

import numpy as np

from backstop.props.kernel import Floats


def cdf(z: Floats) -> Floats:
    """Return the standard normal distribution function (Hart, 1968, in West's form, 2005), to 1e-14."""
    x = np.abs(z)
    density = np.exp(-x * x / 2)
    top = _polynomial(_HART_TOP, x)
    bottom = _polynomial(_HART_BOTTOM, x)
    tail = density * top / bottom
    far = x > FAR
    if far.any():
        y = x[far]
        continued = y + 1 / (y + 2 / (y + 3 / (y + 4 / (y + 0.65))))
        tail[far] = density[far] / (continued * np.sqrt(2 * np.pi))
    return np.where(z > 0, 1 - tail, tail)


def quantile(p: Floats) -> Floats:
    """Return the standard normal quantile (Acklam, 2003): relative error below 1.2e-9."""
    s = p - 0.5
    r = s * s
    inner = s * _polynomial(_A, r) / (_polynomial(_B, r) * r + 1)
    nearer = np.minimum(p, 1 - p)
    outer = nearer < TAIL
    if outer.any():
        q = np.sqrt(-2 * np.log(nearer[outer]))
        far = _polynomial(_C, q) / (_polynomial(_D, q) * q + 1)
        inner[outer] = np.where(s[outer] < 0, far, -far)
    return np.asarray(inner)


def both_below(x: Floats, y: Floats, correlation: Floats) -> Floats:
    """Return P(X <= x, Y <= y) of the standard bivariate normal distribution.

    Plackett's identity (1954): the derivative by the correlation is the density, integrated from independence on with
    twenty Gauss-Legendre points; below |r| = 0.9 the error is under 1e-9.
    """
    x, y, r = np.broadcast_arrays(x, y, correlation)
    half = np.arcsin(r) / 2
    angle = half[..., None] * (1 + _NODES)
    sine, cosine = np.sin(angle), np.cos(angle)
    square = (x * x + y * y)[..., None] - 2 * (x * y)[..., None] * sine
    density = np.exp(-square / (2 * cosine * cosine))
    return np.asarray(cdf(x) * cdf(y) + half / (2 * np.pi) * (density @ _WEIGHTS))


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    """Evaluate a polynomial, highest power first (Horner)."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


FAR: Final = 7.07106781186547
TAIL: Final = 0.02425
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_HART_TOP: Final = (
    3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
    220.206867912376,
)  # fmt: skip
_HART_BOTTOM: Final = (
    8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
    793.826512519948, 440.413735824752,
)  # fmt: skip
_A: Final = (
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239,
)  # fmt: skip
_B: Final = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572)
_C: Final = (
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
)  # fmt: skip
_D: Final = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)
