"""Columns that hold a value on some rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def worded(vocabulary: Sequence[str], index: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> pl.Series:
    """Return words by their index, null where a mask does not hold."""
    words = pl.Series(list(vocabulary), dtype=pl.String()).gather(index)
    return words if mask is None else words.zip_with(pl.Series(mask), pl.Series([None], dtype=pl.String()))


def shown(mask: NDArray[np.bool_], values: NDArray[Any], name: str) -> pl.Series:
    """Return a column that is null where a mask does not hold."""
    series = pl.Series(name, values)
    return series.zip_with(pl.Series(mask), pl.Series(name, [None]).cast(series.dtype))
