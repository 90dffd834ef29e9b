"""Finds out what a pass failed for, so that one fault does not take the other answers with it.

A lazy frame may fail by itself: a file is gone, a field cannot be read, a function of the user breaks off. That is
looked for first, in a few passes however many probes there are, since each pass executes the frame's plan anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from gx_polars.ask import Probe, Rows
from gx_polars.batch import PolarsBatchData
from gx_polars.domain import exactly
from gx_polars.errors import MetricFailed

Where: TypeAlias = tuple[Rows, Probe]
Answers: TypeAlias = dict[tuple[Hashable, Hashable], Any]
Attempt: TypeAlias = Callable[[Sequence[Where]], Answers]
Compute: TypeAlias = Callable[[pl.LazyFrame], object]


@dataclass(frozen=True, slots=True)
class BrokenSource:
    """What of a lazy frame cannot be computed.

    Attributes:
        columns: Names of columns; None when it is the frame as a whole.
        error: Why.
    """

    columns: frozenset[str] | None
    error: Exception

    def spoils(self, where: Where) -> bool:
        """Return whether a probe reads what is broken."""
        return self.columns is None or not self.columns.isdisjoint(columns_read(where))


def columns_read(where: Where) -> set[str]:
    """Return the names of the columns that a probe and its row condition read."""
    rows, probe = where
    exprs = probe.exprs if rows.keep is None else (*probe.exprs, rows.keep)
    return {name for expr in exprs for name in expr.meta.root_names()}


def answers_apart(
    wheres: Sequence[Where], batch: PolarsBatchData, attempt: Attempt, compute: Compute, error: Exception
) -> Answers:
    """Return the answers that can be had after a pass for all of them failed, and errors in place of the others.

    Args:
        wheres: The probes of the pass.
        batch: The data.
        attempt: Computes probes in one pass, or raises.
        compute: Collects a lazy frame.
        error: What the pass raised.
    """
    broken = None if batch.eager else broken_source(batch, wheres, compute)
    if broken is None:
        return _by_halves(wheres, batch, attempt, error)
    failed = MetricFailed.of(broken.error, batch)
    answers: Answers = {_key(where): failed for where in wheres if broken.spoils(where)}
    sound = [where for where in wheres if _key(where) not in answers]
    return answers | _as_many(sound, batch, attempt)


def _key(where: Where) -> tuple[Hashable, Hashable]:
    return where[0].key, where[1].key


def _as_many(wheres: Sequence[Where], batch: PolarsBatchData, attempt: Attempt) -> Answers:
    if not wheres:
        return {}
    try:
        return attempt(wheres)
    except Exception as error:  # noqa: BLE001 - a user's function inside the plan may raise anything
        return _by_halves(wheres, batch, attempt, error)


def _by_halves(wheres: Sequence[Where], batch: PolarsBatchData, attempt: Attempt, error: Exception) -> Answers:
    if len(wheres) == 1:
        return {_key(wheres[0]): MetricFailed.of(error, batch)}
    middle = len(wheres) // 2
    return _as_many(wheres[:middle], batch, attempt) | _as_many(wheres[middle:], batch, attempt)


def broken_source(batch: PolarsBatchData, wheres: Sequence[Where], compute: Compute) -> BrokenSource | None:
    """Return what is broken in the lazy frame of a batch itself; None if all columns that are read can be computed."""
    read = set().union(*map(columns_read, wheres))
    names = [name for name in batch.schema if name in read]
    error = _failure(batch, names, compute)
    return None if error is None else _broken(batch, names, compute, error)


def _broken(batch: PolarsBatchData, names: Sequence[str], compute: Compute, error: Exception) -> BrokenSource:
    """Return which of several columns that failed together are broken; if all fail alike, it is the frame."""
    if len(names) <= 1:
        alone = _failure(batch, [], compute) is None
        return BrokenSource(frozenset(names) if names and alone else None, error)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    failures = [(half, _failure(batch, half, compute)) for half in halves]
    if all(str(failure) == str(error) for _, failure in failures):
        return BrokenSource(None, error)
    parts = [_broken(batch, half, compute, failure) for half, failure in failures if failure is not None]
    if not parts or any(part.columns is None for part in parts):
        return BrokenSource(None, error)
    return BrokenSource(frozenset().union(*(part.columns or () for part in parts)), parts[0].error)


def _failure(batch: PolarsBatchData, names: Sequence[str], compute: Compute) -> Exception | None:
    counts = [exactly(name).null_count().alias(str(at)) for at, name in enumerate(names)]
    try:
        compute(batch.frame.lazy().select(pl.len().alias("rows"), *counts))
    except Exception as error:  # noqa: BLE001 - a user's function inside the plan may raise anything
        return error
    return None
