"""Validators over one table, for each engine, with one ephemeral context between them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl
from great_expectations.core.batch import Batch, LegacyBatchDefinition
from great_expectations.data_context import AbstractDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
from great_expectations.self_check.util import get_test_validator_with_data
from great_expectations.validator.validator import Validator

import gx_polars


@functools.cache
def quiet_context() -> AbstractDataContext:
    """An ephemeral context without progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@contextmanager
def foreign_warnings_ignored() -> Iterator[None]:
    """The pandas and SQL engines of GX warn about pandas 3; only our own engine is held to run without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def case_warnings_ignored() -> Iterator[None]:
    """GX warns of arguments that its own cases are written with."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`result_format` configured at the")
        warnings.filterwarnings("ignore", message="The condition_parser parameter is deprecated")
        warnings.filterwarnings("ignore", message="Passing a string to the row_condition parameter is deprecated")
        yield


def validator(engine: ExecutionEngine[Any], data: Any) -> Validator:
    """A bare validator of GX over one batch."""
    definition = LegacyBatchDefinition(
        datasource_name="source",
        data_connector_name="connector",
        data_asset_name="asset",
        batch_identifiers=make_batch_identifier({}),
        batch_spec_passthrough=None,
    )
    batch = Batch(data=data, batch_definition=definition)
    return Validator(execution_engine=engine, batches=[batch], data_context=quiet_context())


def polars_validator(frame: pl.DataFrame | pl.LazyFrame) -> Validator:
    return validator(gx_polars.PolarsExecutionEngine(), frame)


def pandas_validator(frame: pd.DataFrame) -> Validator:
    return validator(PandasExecutionEngine(), frame)


def case_validator(backend: str, data: dict[str, Any], schemas: dict[str, Any] | None, *, row_key: bool) -> Validator:
    """The validator that GX's own harness builds from the data and dtype hints of a JSON case."""
    built = get_test_validator_with_data(
        backend, data, schemas=schemas, table_name="gx_case", context=quiet_context(), pk_column=row_key
    )
    assert built is not None
    return built


def pandas_frame_of(built: Validator) -> pd.DataFrame:
    """The frame inside a pandas validator."""
    return built.active_batch_data.dataframe
