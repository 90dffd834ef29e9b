"""The data of a batch: a Polars frame, eager or lazy, and what is known of it without reading it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl
from great_expectations.core.batch import BatchData

from gx_polars.errors import MetricFailed

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine

SOURCE_LENGTH = 300
_SCAN = re.compile(r"(?P<kind>\w+) SCAN \[(?P<paths>.*)\]", re.IGNORECASE)
_FRAME = re.compile(r"DF \[(?P<columns>[^\]]*)\]")


class PolarsBatchData(BatchData):
    """A frame as Great Expectations carries it; nothing is copied and a lazy frame stays lazy."""

    def __init__(self, execution_engine: ExecutionEngine[Any] | None, frame: pl.DataFrame | pl.LazyFrame) -> None:
        super().__init__(execution_engine=execution_engine)
        self.frame = frame
        self.eager = isinstance(frame, pl.DataFrame)

    @property
    def dataframe(self) -> pl.DataFrame | pl.LazyFrame:
        """The frame, under the name that Great Expectations' own batch data use."""
        return self.frame

    @cached_property
    def schema(self) -> pl.Schema:
        """Column names and types. A lazy frame resolves its plan for it, without reading rows.

        Raises:
            MetricFailed: The plan has no schema: a file is not there, a column is unknown.
        """
        try:
            return self.frame.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise MetricFailed.of(error, self) from error

    @cached_property
    def row_numbers(self) -> pl.Series:
        """The numbers of a data frame's rows, 0-based; made when rows fail and used for every failing condition."""
        height = self.frame.height if isinstance(self.frame, pl.DataFrame) else 0
        return pl.int_range(height, dtype=pl.UInt32, eager=True)

    @cached_property
    def source(self) -> str:
        """Where the rows come from, for error messages: the leaf of a lazy plan, or the shape of a frame."""
        if isinstance(self.frame, pl.DataFrame):
            return f"a data frame of {self.frame.height} rows and {self.frame.width} columns"
        try:
            plan = [line.strip() for line in self.frame.explain(optimized=False).splitlines()]
        except (pl.exceptions.PolarsError, OSError):
            return "a lazy frame"  # its plan cannot be resolved; the error that led here says why
        leaves = [place for line in plan if (place := _place(line))]
        return leaves[-1][:SOURCE_LENGTH] if leaves else "a lazy frame"


def _place(line: str) -> str | None:
    """Return what a line of a plan reads from, None if it reads from no source."""
    if scan := _SCAN.match(line):
        return f"the lazy frame over {scan['paths']} ({scan['kind']})"
    if frame := _FRAME.match(line):
        return f"the lazy frame over a data frame with the columns {frame['columns']}"
    return None
