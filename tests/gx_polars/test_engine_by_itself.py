"""The engine and its assets as Great Expectations calls them: batches, domains, filters, and what each refuses in a sentence."""

from __future__ import annotations

from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest
from great_expectations.core.batch_spec import PandasBatchSpec, RuntimeDataBatchSpec
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.exceptions import BatchSpecError, GreatExpectationsError, ValidationError
from great_expectations.exceptions.exceptions import BuildBatchRequestError
from great_expectations.expectations.row_conditions import Column
from great_expectations.validator.metric_configuration import MetricConfiguration

import gx_polars
from gx_polars.batch import PolarsBatchData
from tests.gx_polars.comparison import messages
from tests.gx_polars.engines import quiet_context

FRAME = pl.DataFrame({"n": [1, 2, None, 4], "t": ["a", "b", "c", None]})
FORMS = pytest.mark.parametrize("frame", [FRAME, FRAME.lazy()], ids=["eager", "lazy"])


@pytest.fixture
def engine() -> gx_polars.PolarsExecutionEngine:
    made = gx_polars.PolarsExecutionEngine()
    made.load_batch_data("one", FRAME)
    return made


# Batches


def test_data_of_another_library_are_refused_by_their_type(engine: gx_polars.PolarsExecutionEngine) -> None:
    for data in (pd.DataFrame(), [1], None):
        with pytest.raises(GreatExpectationsError, match=f"are a {type(data).__name__}; .* takes pl.DataFrame or"):
            engine.load_batch_data("two", data)


def test_only_a_spec_that_holds_a_frame_is_taken(engine: gx_polars.PolarsExecutionEngine) -> None:
    with pytest.raises(BatchSpecError, match="a PandasBatchSpec; this engine takes RuntimeDataBatchSpec"):
        engine.get_batch_data_and_markers(PandasBatchSpec())
    spec = RuntimeDataBatchSpec(batch_data=FRAME)
    data, markers = engine.get_batch_data_and_markers(spec)
    assert data.dataframe is FRAME
    assert spec.batch_data == "PolarsDataFrame"
    assert pd.Timestamp(markers["ge_load_time"]).tzinfo is not None


def test_a_batch_that_is_not_loaded_is_named(engine: gx_polars.PolarsExecutionEngine) -> None:
    with pytest.raises(ValidationError, match="batch_id absent"):
        engine.batch("absent")
    with pytest.raises(ValidationError, match="batch_id None"):
        gx_polars.PolarsExecutionEngine().batch(None)
    assert engine.batch(None) is engine.batch("one")


def test_new_data_under_a_known_id_are_computed_anew_and_the_same_data_are_not(
    engine: gx_polars.PolarsExecutionEngine,
) -> None:
    rows = MetricConfiguration("table.row_count", {"batch_id": "one"}, {})
    assert engine.resolve_metrics([rows]) == {rows.id: 4}
    batch = engine.batch("one")
    engine.load_batch_data("one", batch)
    assert engine.batch("one") is batch
    engine.load_batch_data("one", FRAME.head(1))
    assert engine.resolve_metrics([rows]) == {rows.id: 1}


def test_a_metric_that_failed_fails_again_without_being_computed_and_hinders_no_other(
    engine: gx_polars.PolarsExecutionEngine,
) -> None:
    good = MetricConfiguration("table.row_count", {"batch_id": "one"}, {})
    bad = MetricConfiguration("column.max", {"batch_id": "one", "column": "absent"}, {})
    for _ in range(2):
        with pytest.raises(GreatExpectationsError, match='"absent" in BatchData does not exist') as refused:
            engine.resolve_metrics([bad, good])
        assert [metric.id for metric in refused.value.failed_metrics] == [bad.id]
    assert engine.resolve_metrics([good]) == {good.id: 4}


def test_nothing_is_left_to_bundle(engine: gx_polars.PolarsExecutionEngine) -> None:
    assert engine.resolve_metric_bundle([object()]) == {}


# Domains and filters


@FORMS
def test_the_rows_of_a_domain_are_those_that_meet_its_condition(frame: Any) -> None:
    engine = gx_polars.PolarsExecutionEngine()
    engine.load_batch_data("one", frame)
    assert engine.get_domain_records({}).collect().equals(FRAME)
    asked = {"batch_id": "one", "column": "n", "row_condition": 'n > 1 or t == "c"', "condition_parser": "pandas"}
    assert engine.get_domain_records(asked).collect()["t"].to_list() == ["b", "c", None]
    rows, compute, accessor = engine.get_compute_domain(asked, MetricDomainTypes.COLUMN)
    assert rows.collect().height == 3
    assert accessor == {"column": "n"}
    assert set(compute) == {"batch_id", "row_condition", "condition_parser"}


CONDITIONS = {
    "a comparison": (Column("n") >= 2, [1, 3]),
    "nullity": (Column("t").is_null(), [3]),
    "both": ((Column("n") >= 2) & (Column("t") == "b"), [1]),
    "either": ((Column("n") == 1) | Column("t").is_null(), [0, 3]),
    "membership": (Column("t").is_in(["a", "c"]), [0, 2]),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_an_expression_that_filters_frames(engine: gx_polars.PolarsExecutionEngine, name: str) -> None:
    condition, rows = CONDITIONS[name]
    assert FRAME.with_row_index("row").filter(engine.condition_to_filter_clause(condition))["row"].to_list() == rows


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("_comparison_condition_to_filter_clause", "a comparison"),
        ("_nullity_condition_to_filter_clause", "nullity"),
        ("_and_condition_to_filter_clause", "both"),
        ("_or_condition_to_filter_clause", "either"),
    ],
)
def test_each_hook_of_great_expectations_gives_the_same_filter(
    engine: gx_polars.PolarsExecutionEngine, method: str, name: str
) -> None:
    condition, rows = CONDITIONS[name]
    assert FRAME.with_row_index("row").filter(getattr(engine, method)(condition))["row"].to_list() == rows


def test_an_engine_tells_how_it_was_made() -> None:
    engine = gx_polars.PolarsExecutionEngine(nan_is_missing=False, streaming=False)
    assert (engine.config["nan_is_missing"], engine.config["streaming"]) == (False, False)
    assert engine.collect_engine == "auto"


# What a validator says of columns and rows that are not as asked


@pytest.mark.parametrize(
    ("expectation", "sentence"),
    [
        (gxe.ExpectColumnValuesToBeBetween(column="n", min_value=2, max_value=1), "min_value cannot be greater"),
        (gxe.ExpectColumnValuesToBeBetween(column="t", min_value=1), "must either be None or of the same type"),
        (
            gxe.ExpectColumnValueZScoresToBeLessThan(column="t", threshold=1, double_sided=True),
            "non-numerical column: 't'",
        ),
    ],
    ids=lambda each: getattr(each, "expectation_type", ""),
)
@FORMS
def test_what_an_expectation_cannot_mean_is_told_and_is_no_verdict(frame: Any, expectation: Any, sentence: str) -> None:
    suite = gx.ExpectationSuite("s", expectations=[expectation])
    (result,) = gx_polars.validate(frame, suite).results
    assert not result.success
    assert sentence in messages(result)


@pytest.mark.parametrize(
    ("metric", "columns", "expected"),
    [
        (
            "column_pair_values.equal.unexpected_count",
            {"column_A": "n", "column_B": "t"},
            "both_values_are_missing, either_value_is_missing or neither",
        ),
        (
            "compound_columns.unique.unexpected_count",
            {"column_list": ["n", "t"]},
            "all_values_are_missing, any_value_is_missing or never",
        ),
    ],
)
def test_a_rule_for_missing_values_that_there_is_not_is_refused_with_those_that_there_are(
    engine: gx_polars.PolarsExecutionEngine, metric: str, columns: dict[str, Any], expected: str
) -> None:
    asked = MetricConfiguration(metric, {"batch_id": "one", "ignore_row_if": "sometimes", **columns}, {})
    with pytest.raises(GreatExpectationsError) as refused:
        engine.resolve_metrics([asked])
    assert f'Unrecognized value of ignore_row_if ("sometimes"): expected {expected}.' in str(refused.value)


# Assets


@pytest.fixture
def asset() -> Any:
    source = quiet_context().data_sources.add_or_update_polars("by itself")
    return source.add_dataframe_asset("frame")


@pytest.mark.parametrize("part", ["batch_slice", "partitioner"])
def test_a_slice_or_a_partitioner_is_refused_by_its_name(asset: Any, part: str) -> None:
    with pytest.raises(BuildBatchRequestError, match=f"{part} is not supported for PolarsDataFrameAsset: leave it out"):
        asset.build_batch_request({"dataframe": FRAME}, **{part: object()})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (None, r"exactly 1 key, 'dataframe'; there are \[\]"),
        ({"frame": FRAME}, r"there are \['frame'\]"),
        ({"dataframe": FRAME, "day": 1}, r"there are \['dataframe', 'day'\]"),
        ({"dataframe": pd.DataFrame()}, "'dataframe' is a DataFrame; a pl.DataFrame or pl.LazyFrame is expected"),
    ],
)
def test_parameters_that_are_no_frame_are_refused_with_what_is_expected(
    asset: Any, options: Any, sentence: str
) -> None:
    with pytest.raises(BuildBatchRequestError, match=sentence):
        asset.build_batch_request(options)


def test_an_asset_names_its_parameter_and_gives_one_batch_for_a_request(asset: Any) -> None:
    assert asset.get_batch_parameters_keys() == ("dataframe",)
    assert asset.test_connection() is None
    request = asset.build_batch_request({"dataframe": FRAME})
    assert asset.get_batch_identifiers_list(request) == [{"dataframe": FRAME}]
    batch = asset.get_batch(request)
    assert isinstance(batch.data, PolarsBatchData)
    assert batch.head(1).rows() == [(1, "a")]


def test_a_source_tests_its_assets_only_when_asked(tmp_path: Any) -> None:
    source = quiet_context().data_sources.add_or_update_polars("tested")
    FRAME.write_parquet(tmp_path / "a.parquet")
    source.add_parquet_asset("a", tmp_path / "a.parquet")
    source.test_connection()
    (tmp_path / "a.parquet").unlink()
    source.test_connection(test_assets=False)
    with pytest.raises(Exception, match=r"a\.parquet"):
        source.test_connection()
