"""Expectations that Great Expectations 1.24 answers wrongly, or only for the engines it knows.

Each is the core expectation under the same name, registered in its place; with any other engine it behaves as before.
`graph_validate` makes every expectation anew through the registry, so plain `gxe` objects in a suite come here too.
"""

from __future__ import annotations

from typing import Any, ClassVar

import great_expectations.expectations.core as gxe
import numpy as np
import polars as pl
from great_expectations.exceptions import InvalidMetricAccessorDomainKwargsKeyError
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from gx_polars.adoption import BEFORE, replacing
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.type_names import is_type


def _type_of(metrics: dict[str, Any], column: str) -> pl.DataType:
    types: list[pl.DataType] = [each["type"] for each in metrics["table.column_types"] if each["name"] == column]
    if not types:
        msg = f'Error: The column "{column}" in BatchData does not exist.'
        raise InvalidMetricAccessorDomainKwargsKeyError(msg)
    return types[0]


class OfPolarsTypes:
    """What is put before an expectation about a column's type: Polars types, when the engine is Polars.

    Attributes:
        field: Which field of the expectation names the type or the types.
    """

    field: ClassVar[str] = "type_"

    def _validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if not isinstance(execution_engine, PolarsExecutionEngine):
            return super()._validate(metrics, runtime_configuration, execution_engine)  # type: ignore[misc]
        dtype = _type_of(metrics, self.column)
        asked = getattr(self, self.field)
        names = [asked] if isinstance(asked, str) else asked
        success = names is None or any(is_type(dtype, name) for name in names)
        return {"success": success, "result": {"observed_value": str(dtype)}}


class OfPolarsTypeLists(OfPolarsTypes):
    """The same where the expectation names several types."""

    field: ClassVar[str] = "type_list"


class HeedsRowCondition:
    """What is put before pairs in a set: its row condition, when the engine is Polars.

    In 1.24 the domain of this metric has no row condition, so that the rows are counted under it and the unexpected
    ones without it.
    """

    def get_validation_dependencies(
        self: Any, execution_engine: Any = None, runtime_configuration: Any = None
    ) -> ValidationDependencies:
        """Return the dependencies, all of them on the same rows."""
        needed: ValidationDependencies = super().get_validation_dependencies(  # type: ignore[misc]
            execution_engine, runtime_configuration
        )
        if not (self.row_condition and isinstance(execution_engine, PolarsExecutionEngine)):
            return needed
        # as the core asks for its domain: the configuration does not tell what a customised class says by default
        condition = self.configuration.kwargs.get("row_condition", self.row_condition)
        for name, metric in list(needed.metric_configurations.items()):
            domain = {**metric.metric_domain_kwargs, "row_condition": condition}
            anew = MetricConfiguration(metric.metric_name, domain, dict(metric.metric_value_kwargs))
            needed.set_metric_configuration(name, anew)
        return needed


class OwnQuantiles:
    """What is put before quantiles: an id of the metric that knows them, and a success that JSON knows.

    In 1.24 the quantiles are added to the metric after its id is frozen, so two expectations on one column share
    one answer; and the success is `numpy.bool`, on which storing the result fails with marshmallow 4.
    """

    def get_validation_dependencies(
        self: Any, execution_engine: Any = None, runtime_configuration: Any = None
    ) -> ValidationDependencies:
        """Return the dependencies, the quantile metric among them with its right id."""
        needed: ValidationDependencies = super().get_validation_dependencies(  # type: ignore[misc]
            execution_engine, runtime_configuration
        )
        name = "column.quantile_values"
        metric = needed.get_metric_configuration(name)
        if metric is not None:
            anew = MetricConfiguration(name, metric.metric_domain_kwargs, dict(metric.metric_value_kwargs))
            needed.set_metric_configuration(name, anew)
        return needed

    def _validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        answer = super()._validate(metrics, runtime_configuration, execution_engine)  # type: ignore[misc]
        answer["success"] = bool(answer["success"])
        return answer


class OwnPartition:
    """What is put before the Kullback-Leibler divergence: a success that JSON knows rather than `numpy.bool`.

    Without a partition of its own the core expectation computes one from the data while it collects its
    dependencies; with Polars the histogram asks for the automatic partition itself, in the shared pass.
    """

    def get_validation_dependencies(
        self: Any, execution_engine: Any = None, runtime_configuration: Any = None
    ) -> ValidationDependencies:
        """Return the dependencies; none of them is computed yet."""
        needed: ValidationDependencies
        bucketized = self.partition_object is None and self.bucketize_data
        if not (bucketized and isinstance(execution_engine, PolarsExecutionEngine)):
            needed = super().get_validation_dependencies(execution_engine, runtime_configuration)  # type: ignore[misc]
            return needed
        base = ColumnAggregateExpectation.get_validation_dependencies
        needed = base(self, execution_engine, runtime_configuration)
        domain = self.configuration.get_domain_kwargs()
        for name, arguments in (
            ("column.partition", {"bins": "auto"}),
            ("column.histogram", {"bins": "auto"}),
            ("column_values.nonnull.count", {}),
        ):
            needed.set_metric_configuration(name, MetricConfiguration(name, domain, arguments))
        return needed

    def _validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        present = metrics.get("column_values.nonnull.count")
        if isinstance(execution_engine, PolarsExecutionEngine) and present is not None:
            # the automatic partition reaches from the least value to the greatest: no value is outside
            metrics = {"below_partition": 0, "above_partition": 0, **metrics}
            metrics["column_values.nonnull.count"] = np.int64(present)  # shares of no values are NaN
        with np.errstate(divide="ignore", invalid="ignore"):
            answer = super()._validate(metrics, runtime_configuration, execution_engine)  # type: ignore[misc]
        answer["success"] = bool(answer["success"])
        return answer


with replacing():

    class ExpectColumnValuesToBeOfType(OfPolarsTypes, gxe.ExpectColumnValuesToBeOfType):
        """The core expectation, with Polars types when the engine is Polars."""

    class ExpectColumnValuesToBeInTypeList(OfPolarsTypeLists, gxe.ExpectColumnValuesToBeInTypeList):
        """The core expectation, with Polars types when the engine is Polars."""

    class ExpectColumnTypeToBe(OfPolarsTypes, gxe.ExpectColumnTypeToBe):
        """The core expectation, with Polars types when the engine is Polars."""

    class ExpectColumnPairValuesToBeInSet(HeedsRowCondition, gxe.ExpectColumnPairValuesToBeInSet):
        """The core expectation, with its row condition when the engine is Polars."""

    class ExpectColumnQuantileValuesToBeBetween(OwnQuantiles, gxe.ExpectColumnQuantileValuesToBeBetween):
        """The core expectation, with an id of the metric that knows the quantiles, and a success that JSON knows."""

    class ExpectColumnKLDivergenceToBeLessThan(OwnPartition, gxe.ExpectColumnKLDivergenceToBeLessThan):
        """The core expectation, with a success that JSON knows rather than `numpy.bool`."""


BEFORE.update(
    {
        gxe.ExpectColumnValuesToBeOfType: OfPolarsTypes,
        gxe.ExpectColumnValuesToBeInTypeList: OfPolarsTypeLists,
        gxe.ExpectColumnTypeToBe: OfPolarsTypes,
        gxe.ExpectColumnPairValuesToBeInSet: HeedsRowCondition,
        gxe.ExpectColumnQuantileValuesToBeBetween: OwnQuantiles,
        gxe.ExpectColumnKLDivergenceToBeLessThan: OwnPartition,
    }
)
