"""What is asked of a frame: probes that share one `select`, and the answers made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from gx_polars.batch import PolarsBatchData


def row_number(schema: Mapping[str, Any]) -> str:
    """Return the name under which rows are numbered (0-based, of the whole frame); no column of the frame has it."""
    name = "__gx_polars_row__"
    while name in schema:
        name += "_"
    return name


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of the frame are asked about: all of them, or those that meet a row condition."""

    key: Hashable = None
    keep: pl.Expr | None = None

    def of(self, batch: PolarsBatchData) -> pl.LazyFrame:
        """Return the rows as a lazy frame, numbered under `row_number` when some are left out or the frame is lazy."""
        frame = batch.frame.lazy()
        if self.keep is None and batch.eager:
            return frame
        numbered = frame.with_row_index(row_number(batch.schema))
        return numbered if self.keep is None else numbered.filter(self.keep)


ALL_ROWS = Rows()


@dataclass(frozen=True, slots=True)
class Probe:
    """Expressions, each giving one value, that are computed once however many metrics want them.

    Attributes:
        key: Equal keys mean equal probes; the rows are part of the identity too.
        exprs: Each yields exactly one row; a list value reaches `read` as a `pl.Series`.
        read: Makes one answer of the values; it also gets the batch, so that plans can outlive batches.
        rows: The rows asked about.
    """

    key: Hashable
    exprs: tuple[pl.Expr, ...]
    read: Callable[[list[Any], PolarsBatchData], Any]
    rows: Rows = ALL_ROWS


@dataclass(frozen=True, slots=True)
class Ask:
    """A metric that is not computed yet: a probe and what to do with its answer.

    Attributes:
        probe: What the data are asked.
        then: Turns the probe's answer into the metric's value, or into a further `Ask`.
    """

    probe: Probe
    then: Callable[[Any], Any]

    def and_then(self, step: Callable[[Any], Any]) -> Ask:
        """Return an ask whose value is `step` of this one's value, however many probes it takes to get there."""

        def chained(answer: Any) -> Any:
            return follow(self.then(answer), step)

        return Ask(self.probe, chained)


def follow(value: Any, step: Callable[[Any], Any]) -> Any:
    """Apply `step` to a value, or to what an `Ask` will give."""
    return value.and_then(step) if isinstance(value, Ask) else step(value)


@dataclass(frozen=True, slots=True)
class Known:
    """A metric that the schema alone answers; the answer holds for every batch of that schema."""

    value: Any
