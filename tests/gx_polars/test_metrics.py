"""What `Batch.compute_metrics`, `Batch.head` and `Validator.head` answer."""

from __future__ import annotations

from typing import Any

import great_expectations.metrics as gxm
import pandas as pd
import polars as pl
import pytest
from great_expectations.metrics.batch.sample_values import SampleValues
from great_expectations.metrics.column.sample_values import ColumnSampleValues
from great_expectations.metrics.column.values_match_regex_count import ColumnValuesMatchRegexCount
from great_expectations.metrics.column.values_match_regex_values import ColumnValuesMatchRegexValues
from great_expectations.metrics.column.values_non_null import ColumnValuesNonNull, ColumnValuesNonNullCount
from great_expectations.metrics.column.values_not_match_regex_count import ColumnValuesNotMatchRegexCount
from great_expectations.metrics.column.values_not_match_regex_values import ColumnValuesNotMatchRegexValues
from great_expectations.metrics.metric_results import MetricErrorResult
from great_expectations.validator.metric_configuration import MetricConfiguration
from scipy import stats

from tests.gx_polars.engines import polars_validator, quiet_context

FRAME = pl.DataFrame({"code": ["x1", "y", None, "x2"], "share": [0.5, float("nan"), None, 1.0]})


@pytest.fixture(params=["eager", "lazy"])
def batch(request: pytest.FixtureRequest) -> Any:
    source = quiet_context().data_sources.add_or_update_polars("metrics")
    definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    return definition.get_batch({"dataframe": FRAME if request.param == "eager" else FRAME.lazy()})


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (ColumnSampleValues(column="code", count=3), ["x1", "y", None]),
        (ColumnValuesMatchRegexValues(column="code", regex="^x", limit=1), ["x1"]),
        (ColumnValuesNotMatchRegexValues(column="code", regex="^x"), ["y"]),
        (ColumnValuesMatchRegexCount(column="code", regex="^x"), 2),
        (ColumnValuesNotMatchRegexCount(column="code", regex="^x"), 1),
        (ColumnValuesNonNullCount(column="share"), 2),
        (gxm.ColumnNullCount(column="share"), 2),
        (gxm.BatchRowCount(), 4),
    ],
    ids=lambda each: type(each).__name__ if hasattr(each, "name") else "",
)
def test_a_metric_is_computed_by_itself(batch: Any, metric: Any, value: Any) -> None:
    assert batch.compute_metrics(metric).value == value


def test_a_condition_is_no_object_of_another_engine_and_says_what_to_ask_instead(batch: Any) -> None:
    answer = batch.compute_metrics(ColumnValuesNonNull(column="code"))
    assert isinstance(answer, MetricErrorResult)
    assert "ColumnValuesNonNullCount" in answer.value.exception_message


def test_sample_rows_have_the_type_that_the_metric_declares(batch: Any) -> None:
    rows = batch.compute_metrics(SampleValues(n_rows=2)).value
    assert isinstance(rows, pd.DataFrame)
    assert rows["code"].to_list() == ["x1", "y"]


def test_the_first_rows_of_a_batch_stay_a_polars_frame(batch: Any) -> None:
    assert batch.head(2).equals(FRAME.head(2))
    assert batch.head(-1).equals(FRAME.head(3))
    assert batch.head(fetch_all=True).equals(FRAME)


@pytest.mark.parametrize("frame", [FRAME, FRAME.lazy()], ids=["eager", "lazy"])
def test_a_bare_validator_shows_its_first_rows(frame: Any) -> None:
    validator = polars_validator(frame)
    assert list(validator.head(n_rows=1)["code"]) == ["x1"]
    assert len(validator.head(fetch_all=True)) == 4


def test_metrics_that_no_core_expectation_asks_for() -> None:
    validator = polars_validator(pl.DataFrame({"code": ["a", None], "x": [1.0, 3.0]}))

    def ask(name: str, column: str, **arguments: Any) -> Any:
        return validator.get_metric(MetricConfiguration(name, {"column": column}, arguments))

    assert ask("column_values.of_type.unexpected_count", "code", type_="str") == 0
    assert ask("column_values.of_type.unexpected_count", "code", type_="int") == 1
    assert ask("column_values.in_type_list.unexpected_count", "code", type_list=["int", "float"]) == 1
    normal = {"distribution": "norm", "params": {"mean": 2, "std_dev": 1}, "p_value": 0.05}
    found = ask("column.parameterized_distribution_ks_test_p_value", "x", **normal)
    assert found.pvalue == stats.kstest([1.0, 3.0], "norm", args=(2, 1)).pvalue
