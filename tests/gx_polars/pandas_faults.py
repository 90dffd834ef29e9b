"""Where the pandas engine of Great Expectations is wrong, and how its wrong answers are told from ours.

Each fault has its smallest example in `test_pandas_faults.py`.
"""

from __future__ import annotations

from typing import Any

from tests.gx_polars.comparison import RAISED


def is_pair_set_without_rows(expectation: str, ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """`expect_column_pair_values_to_be_in_set` with no row to judge: pandas makes an `object` series of nothing and fails."""
    return (
        expectation == "expect_column_pair_values_to_be_in_set"
        and theirs == RAISED
        and ours.get("success") is True
        and ours.get("element_count", 0.0) == ours.get("missing_count", 0.0)
    )


FAULTS = [is_pair_set_without_rows]


def is_known(expectation: str, ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether a difference from pandas is one of pandas' own faults."""
    return any(fault(expectation, ours, theirs) for fault in FAULTS)
