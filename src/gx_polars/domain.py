"""What a metric sees of a batch: columns by name with their types, and the rows that it is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
from great_expectations.exceptions import InvalidMetricAccessorDomainKwargsKeyError

from gx_polars.ask import ALL_ROWS, Rows
from gx_polars.errors import NotSupported
from gx_polars.row_condition import row_filter
from gx_polars.values import is_text

if TYPE_CHECKING:
    from gx_polars.engine import PolarsExecutionEngine


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the batch as a metric's function gets it.

    Attributes:
        name: The name of the column.
        dtype: Its Polars type.
        expr: The column; in a float column NaN is null when the engine counts NaN as missing (the default).
    """

    name: str
    dtype: pl.DataType
    expr: pl.Expr

    @property
    def text(self) -> pl.Expr:
        """The column as text: as it is if it is a string, cast otherwise; a truth as Python writes it."""
        if self.dtype == pl.String:
            return self.expr
        text = self.expr.cast(pl.String)
        return text.str.to_titlecase() if self.dtype == pl.Boolean else text

    @property
    def compared(self) -> pl.Expr:
        """The column as it compares with literals: categories as text, all else as it is."""
        return self.text if is_text(self.dtype) else self.expr

    @property
    def present(self) -> pl.Expr:
        """Whether the row has a value."""
        return self.expr.is_not_null()


class Domain:
    """The columns and rows that the domain of one metric names.

    It knows the schema of the batch and never the batch, so that what is made with it outlives the batch.

    Args:
        schema: Columns of the batch.
        kwargs: Great Expectations' domain keyword arguments.
        eager: Whether the batch is a data frame rather than a lazy frame.
        nan_is_missing: Whether NaN counts as a missing value.
    """

    def __init__(self, schema: pl.Schema, kwargs: Mapping[str, Any], *, eager: bool, nan_is_missing: bool) -> None:
        if kwargs.get("table"):
            msg = (
                f"The metric is asked of another table, {kwargs['table']!r}; of other tables this engine counts rows "
                "and answers SQL, nothing else."
            )
            raise NotSupported(msg)
        self.schema = schema
        self.kwargs = kwargs
        self.eager = eager
        self.nan_is_missing = nan_is_missing
        self.rows = self._rows(kwargs.get("row_condition"))

    @classmethod
    def of(cls, engine: PolarsExecutionEngine, kwargs: Mapping[str, Any]) -> Domain:
        """Return the domain of an engine's batch."""
        batch = engine.batch(kwargs.get("batch_id"))
        return cls(batch.schema, kwargs, eager=batch.eager, nan_is_missing=engine.nan_is_missing)

    def _rows(self, condition: Any) -> Rows:
        if not condition:
            return ALL_ROWS
        content = condition.dict() if hasattr(condition, "dict") else condition
        return Rows(key=repr(content), keep=row_filter(condition, self.column))

    def column(self, name: str) -> Column:
        """Return a column by its exact name.

        Raises:
            InvalidMetricAccessorDomainKwargsKeyError: The batch has no such column.
        """
        if name not in self.schema:
            raise InvalidMetricAccessorDomainKwargsKeyError(f'Error: The column "{name}" in BatchData does not exist.')
        dtype = self.schema[name]
        expr = exactly(name)
        if self.nan_is_missing and dtype.is_float():
            expr = expr.fill_nan(None)
        return Column(name, dtype, expr)


def exactly(name: str) -> pl.Expr:
    """Return the column of exactly this name, even where `pl.col` would read a pattern or a wildcard."""
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return cs.by_name(name).as_expr()
    return pl.col(name)
