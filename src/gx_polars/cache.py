"""Expressions by schema: what one batch has taught is not worked out again for the next of the same columns."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl

from gx_polars.recent import Recent

SCHEMAS_KEPT = 128
METRICS_KEPT = 4096  # of one schema; beyond it (value sets that change with every call) the schema starts afresh

_plans: Recent[dict[Any, Any]] = Recent(SCHEMAS_KEPT)
_lock = threading.Lock()
_generation = 0


def plans_for(schema: pl.Schema, *, eager: bool, nan_is_missing: bool) -> dict[Any, Any]:
    """Return the asks that are known for frames of a schema, by metric id; write new ones into it.

    An ask holds expressions only and never a frame, so threads share it: at worst two threads make the same ask twice.
    """
    key = (eager, nan_is_missing, tuple(schema.items()))
    plans = _plans.get(key)
    if plans is None or len(plans) > METRICS_KEPT:
        plans = _plans.put(key, {})
    return plans


def forget() -> None:
    """Forget all asks: a metric was registered, perhaps in place of another."""
    global _generation  # noqa: PLW0603 - one registry for each process, as in Great Expectations
    with _lock:
        _plans.clear()
        _generation += 1


def generation() -> int:
    """Return a number that changes when a metric is registered; what was compiled before it is out of date."""
    return _generation
