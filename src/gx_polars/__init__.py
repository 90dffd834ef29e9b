"""Great Expectations on Polars: ordinary suites on `pl.DataFrame` and `pl.LazyFrame`, without a pandas copy.

Importing the package registers the engine, its metrics and its data source with Great Expectations.
"""

from gx_polars import aggregates, conditions, distribution, overrides, queries, remembered, samples, tables
from gx_polars.batch import PolarsBatchData
from gx_polars.datasource import PolarsDatasource
from gx_polars.domain import Column, Domain
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.errors import MetricFailed, NotSupported
from gx_polars.face import prepared, row_mask, row_rules, validate
from gx_polars.prepared import PreparedSuite
from gx_polars.reduction import Reduction
from gx_polars.registry import polars_aggregate, polars_condition
from gx_polars.rows import RowRule

__all__ = [
    "Column",
    "Domain",
    "MetricFailed",
    "NotSupported",
    "PolarsBatchData",
    "PolarsDatasource",
    "PolarsExecutionEngine",
    "PreparedSuite",
    "Reduction",
    "RowRule",
    "polars_aggregate",
    "polars_condition",
    "prepared",
    "row_mask",
    "row_rules",
    "validate",
]
