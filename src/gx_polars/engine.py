"""The execution engine: every metric of a validation in one `select`, on a data frame or a lazy frame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
from great_expectations.core.batch import BatchMarkers
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.exceptions import BatchSpecError, GreatExpectationsError, MetricResolutionError, ValidationError
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.registry import _registered_expectations, get_metric_provider

from gx_polars.adoption import adopt
from gx_polars.ask import Ask, Known
from gx_polars.batch import PolarsBatchData
from gx_polars.cache import plans_for
from gx_polars.domain import Domain
from gx_polars.errors import MetricFailed
from gx_polars.plan import CollectEngine, Plan
from gx_polars.row_condition import row_filter

if TYPE_CHECKING:
    from great_expectations.expectations.row_conditions import Condition
    from great_expectations.validator.metric_configuration import MetricConfiguration

BATCH_DATA_STAND_IN = "PolarsDataFrame"
_OF_MANY = {"column_values.nonnull.unexpected_count", "table.row_count", "table.columns", "table.column_types"}


class PolarsExecutionEngine(ExecutionEngine[pl.Expr]):
    """Runs Great Expectations' metrics on Polars frames.

    One engine belongs to one thread at a time; engines are cheap, and what is worth keeping (expressions by schema)
    is shared by all of them.

    Args:
        nan_is_missing: Count NaN in float columns as a missing value, as the pandas engine does.
        streaming: Collect lazy frames with the streaming engine, so that a scan need not fit into memory.
        tables: Other frames by name, for expectations that name another table and for SQL.
        **kwargs: What every `ExecutionEngine` accepts: name, caching, batch_spec_defaults, batch_data_dict, validator.
    """

    def __init__(
        self,
        *,
        nan_is_missing: bool = True,
        streaming: bool = True,
        tables: Mapping[str, pl.DataFrame | pl.LazyFrame] | None = None,
        **kwargs: Any,
    ) -> None:
        adopt()
        self.nan_is_missing = nan_is_missing
        self.tables = tables or {}
        self.collect_engine: CollectEngine = "streaming" if streaming else "auto"
        self._resolved: dict[Any, Any] = {}
        self._failed: dict[Any, Exception] = {}
        super().__init__(**kwargs)
        self._config.update(nan_is_missing=nan_is_missing, streaming=streaming)

    # -- batches

    def load_batch_data(self, batch_id: str, batch_data: Any) -> None:
        """Take up the data of a batch; new data under a known id replace the old and all that was computed of them.

        Raises:
            GreatExpectationsError: The data are not a Polars frame.
        """
        batch_data = self._as_batch_data(batch_data)
        if self.batch_manager.batch_data_cache.get(batch_id) is not batch_data:
            self._resolved.clear()
            self._failed.clear()
        super().load_batch_data(batch_id=batch_id, batch_data=batch_data)

    def get_batch_data_and_markers(self, batch_spec: Any) -> tuple[PolarsBatchData, BatchMarkers]:
        """Return the frame of a batch spec, and when it was taken up; the spec lets go of the frame.

        Raises:
            BatchSpecError: The spec is not one that holds a frame.
        """
        if not isinstance(batch_spec, RuntimeDataBatchSpec):
            msg = (
                f"The batch spec is a {type(batch_spec).__name__}; this engine takes RuntimeDataBatchSpec with a frame."
            )
            raise BatchSpecError(msg)
        batch_data = self._as_batch_data(batch_spec.batch_data)
        batch_spec.batch_data = BATCH_DATA_STAND_IN  # specs are serialised into results
        load_time = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return batch_data, BatchMarkers({"ge_load_time": load_time})

    def _as_batch_data(self, data: Any) -> PolarsBatchData:
        if isinstance(data, PolarsBatchData):
            return data
        if isinstance(data, pl.DataFrame | pl.LazyFrame):
            return PolarsBatchData(self, data)
        msg = f"The batch data are a {type(data).__name__}; the Polars engine takes pl.DataFrame or pl.LazyFrame."
        raise GreatExpectationsError(msg)

    def batch(self, batch_id: str | None) -> PolarsBatchData:
        """Return the data of a batch, by default of the one loaded last.

        Raises:
            ValidationError: No batch of this id is loaded, or none at all.
        """
        data = self.batch_manager.batch_data_cache.get(batch_id) if batch_id else self.batch_manager.active_batch_data
        if not isinstance(data, PolarsBatchData):
            raise ValidationError(f"Unable to find batch with batch_id {batch_id}")
        return data

    # -- domains

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pl.LazyFrame:
        """Return the rows of a domain as a lazy frame: all of the batch, or those that meet the row condition."""
        frame = self.batch(domain_kwargs.get("batch_id")).frame.lazy()
        keep = Domain.of(self, domain_kwargs).rows.keep
        return frame if keep is None else frame.filter(keep)

    def get_compute_domain(
        self, domain_kwargs: dict[str, Any], domain_type: Any, accessor_keys: Iterable[str] | None = None
    ) -> tuple[pl.LazyFrame, dict[str, Any], dict[str, Any]]:
        """Return the rows of a domain, and its keyword arguments split into those that choose rows and columns."""
        parts = self._partition_domain_kwargs(domain_kwargs, domain_type, accessor_keys)
        return self.get_domain_records(domain_kwargs), parts.compute, parts.accessor

    def condition_to_filter_clause(self, condition: Condition) -> pl.Expr:
        """Return a `Condition` as an expression over the active batch."""
        return row_filter(condition, Domain.of(self, {}).column)

    def _comparison_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        return self.condition_to_filter_clause(condition)

    def _nullity_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        return self.condition_to_filter_clause(condition)

    def _and_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        return self.condition_to_filter_clause(condition)

    def _or_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        return self.condition_to_filter_clause(condition)

    # -- metrics

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Compute metrics together: one `select` for all of them, one more where something has to be looked at closer.

        Raises:
            MetricResolutionError: Some could not be computed. The others are kept for the next call, which Great
                Expectations makes after an error.
        """
        resolved: dict[Any, Any] = {}
        failed: list[tuple[MetricConfiguration, Exception]] = []
        asks: dict[str | None, dict[MetricConfiguration, Ask]] = {}
        for metric in metrics_to_resolve:
            if metric.id in self._resolved:
                resolved[metric.id] = self._resolved[metric.id]
            elif metric.id in self._failed:
                failed.append((metric, self._failed[metric.id]))
            else:
                self._begin(metric, metrics or {}, runtime_configuration, asks, resolved, failed)
        for batch_id, of_batch in asks.items():
            by_id: dict[Any, MetricConfiguration] = {metric.id: metric for metric in of_batch}
            plan = Plan({metric.id: ask for metric, ask in of_batch.items()})
            outcome = plan.run(self.batch(batch_id), self.collect_engine)
            resolved.update(outcome.values)
            failed += [(by_id[name], error) for name, error in outcome.failures.items()]
        self._resolved.update(resolved)
        if failed:
            self._failed.update({metric.id: error for metric, error in failed})
            raise _first_of(failed)
        return resolved

    def _begin(
        self,
        metric: MetricConfiguration,
        known: dict[Any, Any],
        runtime_configuration: dict[str, Any] | None,
        asks: dict[str | None, dict[MetricConfiguration, Ask]],
        resolved: dict[Any, Any],
        failed: list[tuple[MetricConfiguration, Exception]],
    ) -> None:
        try:
            answer = self.ask(metric, known, runtime_configuration)
        except Exception as error:  # noqa: BLE001 - a registered metric of a user may raise anything
            failed.append((metric, error))
            return
        if isinstance(answer, Ask):
            asks.setdefault(metric.metric_domain_kwargs.get("batch_id"), {})[metric] = answer
        else:
            resolved[metric.id] = answer.value if isinstance(answer, Known) else answer

    def ask(
        self,
        metric: MetricConfiguration,
        known: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Any:
        """Return what a metric's provider makes of a metric.

        Returns:
            An `Ask` for the shared select, a `Known` where the schema answers, or a value computed from this batch.
        """
        batch = self.batch(metric.metric_domain_kwargs.get("batch_id"))
        plans = plans_for(batch.schema, eager=batch.eager, nan_is_missing=self.nan_is_missing)
        if (planned := plans.get(metric.id)) is not None:
            return planned
        metric_class, provider = get_metric_provider(metric.metric_name, self)
        answer = provider(
            cls=metric_class,
            execution_engine=self,
            metric_domain_kwargs=metric.metric_domain_kwargs,
            metric_value_kwargs=metric.metric_value_kwargs,
            metrics={name: (known or {}).get(needed.id) for name, needed in metric.metric_dependencies.items()},
            runtime_configuration=runtime_configuration,
        )
        if isinstance(answer, Ask | Known):
            plans[metric.id] = answer
        return answer

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> dict[Any, Any]:
        """Return nothing: `resolve_metrics` has bundled everything already."""
        del metric_fn_bundle
        return {}


def _first_of(failed: list[tuple[MetricConfiguration, Exception]]) -> MetricResolutionError:
    """Return the error for the first failed metric and those that failed in the same words.

    Great Expectations gives one message to all metrics of an error, and asks again for the others.
    """
    metric, cause = failed[0]
    message = describe(metric, cause)
    alike = [metric for metric, error in failed if describe(metric, error) == message]
    error = MetricResolutionError(message=message, failed_metrics=alike)
    error.__cause__ = cause
    return error


def describe(metric: MetricConfiguration, error: Exception) -> str:
    """Return a sentence that names the expectation that a metric belongs to, its columns and what went wrong."""
    return sentence(expectation_of(metric.metric_name), metric.metric_domain_kwargs, error)


def sentence(asked_by: str, kwargs: Mapping[str, Any], error: Exception) -> str:
    """Return a sentence that names an expectation, its columns and what went wrong.

    Args:
        asked_by: The type of the expectation.
        kwargs: Its arguments, of which the columns are named.
        error: What went wrong.
    """
    names = [kwargs[key] for key in ("column", "column_A", "column_B") if kwargs.get(key)] or kwargs.get("column_list")
    where = f" on {', '.join(map(repr, names))}" if names else ""
    return f"{asked_by}{where}{' ' if isinstance(error, MetricFailed) else ': '}{error}"


def expectation_of(metric_name: str) -> str:
    """Return the type of the expectation that a metric is computed for, or the metric itself if it is not one's own."""
    if metric_name in _OF_MANY:
        return f"the metric {metric_name}"
    for expectation_type, expectation in _registered_expectations.items():
        map_metric = getattr(expectation, "map_metric", None)
        dependencies = getattr(expectation, "metric_dependencies", ())
        if (map_metric and metric_name.startswith(f"{map_metric}.")) or metric_name in dependencies:
            return str(expectation_type)
    return f"the metric {metric_name}"
