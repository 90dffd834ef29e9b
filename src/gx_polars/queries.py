"""SQL over the batch, for which the pandas engine has nothing; importing registers the queries.

They run on their own, outside the shared pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from great_expectations.constants import MAX_RESULT_RECORDS
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.registry import _registered_metrics, register_metric

from gx_polars.engine import PolarsExecutionEngine
from gx_polars.errors import MetricFailed
from gx_polars.failing import shown
from gx_polars.registry import DOMAIN_KEYS, register_provider

TABLE = "batch"


def query_of(text: str, parameters: Mapping[str, Any]) -> str:
    """Return a query with `{batch}` and its own parameters filled in, as Great Expectations fills them.

    Raises:
        UnsubstitutableQueryBraceError: The query has a brace that names nothing.
    """
    filled: str = QueryMetricProvider._format_query(text, batch=TABLE, **parameters)  # noqa: SLF001
    return filled


def _parameters(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: kwargs[key] for key in ("column", "column_A", "column_B") if kwargs.get(key)}
    given.update({f"col_{i}": name for i, name in enumerate(kwargs.get("columns") or (), 1)})
    given.update(kwargs.get("template_dict") or {})
    return given


def _provider(argument: str, finish: Callable[[pl.LazyFrame, Mapping[str, Any]], Any]) -> Callable[..., Any]:
    def provider(
        *,
        execution_engine: PolarsExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> Any:
        text = metric_value_kwargs[argument]
        query = query_of(text, _parameters(metric_value_kwargs))
        rows = execution_engine.get_domain_records(metric_domain_kwargs)
        try:
            others = {name: execution_engine.tables[name] for name in execution_engine.tables if name in query}
            with pl.SQLContext({**others, TABLE: rows}, eager=False) as context:
                answer = context.execute(query)
            return finish(answer, {**metric_value_kwargs, "engine": execution_engine.collect_engine})
        except Exception as error:  # the plan of a lazy frame may hold a user's function
            batch = execution_engine.batch(metric_domain_kwargs.get("batch_id"))
            raise MetricFailed.of(error, batch, f"the query {text!r}: ") from error

    return provider


def _table(answer: pl.LazyFrame, kwargs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an answer as dictionaries: the first 200, or all with `fetch_all`."""
    wanted = answer if kwargs.get("fetch_all") else answer.head(MAX_RESULT_RECORDS)
    rows = wanted.collect(engine=kwargs["engine"])
    return [dict(zip(rows.columns, row, strict=True)) for row in zip(*map(shown, rows.get_columns()), strict=True)]


def _row_count(answer: pl.LazyFrame, kwargs: Mapping[str, Any]) -> int:
    return int(answer.select(pl.len()).collect(engine=kwargs["engine"]).item())


for _name, _argument, _finish in (
    ("query.table", "query", _table),
    ("query.row_count", "query", _row_count),
    ("query.column", "query", _table),
    ("query.column_pair", "query", _table),
    ("query.multiple_columns", "query", _table),
    ("query.template_values", "query", _table),
    ("base_query.table", "base_query", _table),
    ("unexpected_rows_query.table", "unexpected_rows_query", _table),
    ("unexpected_rows_query.row_count", "unexpected_rows_query", _row_count),
):
    register_provider(_name, _provider(_argument, _finish), DOMAIN_KEYS["table"], (_argument,))


def _register_comparisons() -> None:
    """Register the queries of another data source, which run on that data source's engine whatever this one is."""
    for name in ("query.data_source_table", "comparison_query.data_source_table"):
        known = _registered_metrics[name]
        metric_class, provider = known["providers"][SqlAlchemyExecutionEngine.__name__]
        register_metric(
            name,
            tuple(known["metric_domain_keys"]),
            tuple(known["metric_value_keys"]),
            PolarsExecutionEngine,
            metric_class,
            provider,
        )


_register_comparisons()
