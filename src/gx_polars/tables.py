"""Other tables beside the batch, by name: `ExpectTableRowCountToEqualOtherTable` counts them, SQL may join them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

from gx_polars.aggregates import row_count
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.errors import MetricFailed, NotSupported
from gx_polars.reduction import aggregate_provider
from gx_polars.registry import DOMAIN_KEYS, register_provider


class LazyTables(Mapping[str, pl.LazyFrame]):
    """Frames by name, made when they are asked for.

    Args:
        makers: Make the frame of each name.
    """

    def __init__(self, makers: Mapping[str, Callable[[], pl.LazyFrame]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> pl.LazyFrame:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


_count_of_batch = aggregate_provider("table.row_count", row_count, "table")


def _row_count(*, execution_engine: PolarsExecutionEngine, metric_domain_kwargs: dict[str, Any], **given: Any) -> Any:
    """Return the number of rows of the batch as an ask, of another table as a number.

    Raises:
        NotSupported: The engine knows no such table.
        MetricFailed: The other table cannot be read.
    """
    name = metric_domain_kwargs.get("table")
    if not name:
        return _count_of_batch(execution_engine=execution_engine, metric_domain_kwargs=metric_domain_kwargs, **given)
    if name not in execution_engine.tables:
        known = ", ".join(map(repr, execution_engine.tables)) or "none"
        msg = (
            f"There is no table {name!r} beside the batch (known: {known}). Give its frame to gx_polars.validate or "
            f"PolarsExecutionEngine as tables={{{name!r}: frame}}, or add an asset of files of this name to the source."
        )
        raise NotSupported(msg)
    try:
        counted = execution_engine.tables[name].lazy().select(pl.len()).collect(engine=execution_engine.collect_engine)
    except Exception as error:  # the plan of a lazy frame may hold a user's function
        batch = execution_engine.batch(metric_domain_kwargs.get("batch_id"))
        raise MetricFailed.of(error, batch, f"the other table {name!r}: ") from error
    return int(counted.item())


register_provider("table.row_count", _row_count, DOMAIN_KEYS["table"], ())
