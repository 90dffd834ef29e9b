"""Generalised linear models by Newton's method (McCullagh and Nelder, 1989), steadied towards given coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from backstop.props.kernel import Floats

STEPS: Final = 100
CONVERGED: Final = 1e-9
HALVINGS: Final = 30
LARGEST: Final = 30.0
"""Log-odds and log-rates beyond it are held there: one observation may not break the fit."""


def logistic(x: Floats, y: Floats, weight: Floats, towards: Floats, steady: float) -> Floats:
    """Return the coefficients of log-odds.

    Args:
        x: Terms, (rows, coefficients).
        y: Outcomes between 0 and 1.
        weight: How often each row counts.
        towards: Coefficients that are assumed without data.
        steady: Information that they are worth.
    """

    def look(b: Floats) -> tuple[float, Floats, Floats]:
        eta = x @ b
        p = 1.0 / (1.0 + np.exp(-np.clip(eta, -LARGEST, LARGEST)))
        return float(weight @ (np.logaddexp(0.0, eta) - y * eta)), weight * (y - p), weight * p * (1 - p)

    return _newton(x, look, np.asarray(towards, dtype=np.float64), steady)


def poisson(x: Floats, y: Floats, offset: Floats, towards: Floats, steady: float) -> Floats:
    """Return the coefficients of the logarithm of counts' means beyond the offset; arguments as in `logistic`."""

    def look(b: Floats) -> tuple[float, Floats, Floats]:
        eta = np.clip(x @ b + offset, -LARGEST, LARGEST)
        mean = np.exp(eta)
        return float((mean - y * eta).sum()), y - mean, mean

    return _newton(x, look, np.asarray(towards, dtype=np.float64), steady)


def least_squares(x: Floats, y: Floats, towards: Floats, steady: float) -> Floats:
    """Return the coefficients of a mean; `steady` rows of size one in every term speak for `towards`."""
    return np.asarray(towards + _step(x, y - x @ towards, np.ones(len(y)), np.zeros(len(towards)), steady))


def _newton(
    x: Floats, look: Callable[[Floats], tuple[float, Floats, Floats]], towards: Floats, steady: float
) -> Floats:
    """Climb from `towards`; a step that makes the loss greater is halved until it does not."""
    b = towards.copy()
    loss, residual, information = look(b)
    for _ in range(STEPS):
        step = _step(x, residual, information, b - towards, steady)
        for _ in range(HALVINGS):
            moved = look(b + step)
            further = moved[0] + steady / 2 * float(((b + step - towards) ** 2).sum())
            if further <= loss + steady / 2 * float(((b - towards) ** 2).sum()) + CONVERGED:
                break
            step = step / 2
        b, (loss, residual, information) = b + step, moved
        if np.abs(step).max() < CONVERGED:
            break
    return b


def _step(x: Floats, residual: Floats, information: Floats, away: Floats, steady: float) -> Floats:
    curvature = x.T @ (x * information[:, None]) + steady * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(curvature, x.T @ residual - steady * away))
