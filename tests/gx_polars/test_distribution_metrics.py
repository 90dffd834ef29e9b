"""How values are distributed, as numpy, scipy and the pandas engine tell it of the same values."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import great_expectations.metrics as gxm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from great_expectations.validator.metric_configuration import MetricConfiguration
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.gx_polars.engines import foreign_warnings_ignored, pandas_validator, polars_validator, quiet_context

NAN = math.nan
VALUES = st.lists(st.none() | st.integers(-40, 40).map(lambda quarter: quarter / 4), max_size=12)
SOME = VALUES.filter(lambda values: any(value is not None for value in values))


def ours(values: list[Any], name: str, lazy: bool = False, dtype: Any = pl.Float64, **arguments: Any) -> Any:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    asked = MetricConfiguration(name, {"column": "x"}, arguments)
    return polars_validator(frame.lazy() if lazy else frame).get_metric(asked)


def theirs(values: list[Any], name: str, **arguments: Any) -> Any:
    frame = pd.DataFrame({"x": pd.Series([NAN if each is None else each for each in values], dtype="float64")})
    with foreign_warnings_ignored():
        return pandas_validator(frame).get_metric(MetricConfiguration(name, {"column": "x"}, arguments))


def there(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def same(one: Any, other: Any) -> bool:
    return np.allclose(np.asarray(one, float), np.asarray(other, float), rtol=1e-12, atol=1e-12, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(
    values=SOME,
    quantiles=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), min_size=1, max_size=4),
    how=st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest", False]),
    lazy=st.booleans(),
)
def test_quantiles_are_those_of_numpy_by_every_interpolation(
    values: list[Any], quantiles: list[float], how: Any, lazy: bool
) -> None:
    wanted = np.quantile(there(values), quantiles, method=how or "nearest")
    found = ours(values, "column.quantile_values", lazy, quantiles=tuple(quantiles), allow_relative_error=how)
    assert same(found, wanted)


@settings(max_examples=25, deadline=None)
@given(values=VALUES, bins=st.sampled_from(["uniform", "ntile", "auto"]), n_bins=st.integers(1, 5))
def test_edges_of_bins_are_those_of_the_pandas_engine(values: list[Any], bins: str, n_bins: int) -> None:
    asked = {"bins": bins, "n_bins": n_bins}
    if bins != "uniform" and not there(values):
        return  # numpy makes neither quantiles nor automatic bins of nothing
    assert same(ours(values, "column.partition", **asked), theirs(values, "column.partition", **asked))


@settings(max_examples=25, deadline=None)
@given(
    values=VALUES,
    edges=st.lists(st.integers(-12, 12), min_size=2, max_size=5, unique=True).map(sorted),
    lazy=st.booleans(),
)
def test_a_histogram_counts_each_value_between_two_edges_once(values: list[Any], edges: list[int], lazy: bool) -> None:
    pairs = list(itertools.pairwise(edges))
    wanted = [sum(low <= value < high or value == high == edges[-1] for value in there(values)) for low, high in pairs]
    assert ours(values, "column.histogram", lazy, bins=tuple(edges)) == wanted


@given(SOME)
@settings(max_examples=10, deadline=None)
def test_an_automatic_histogram_leaves_no_value_out(values: list[Any]) -> None:
    assert sum(ours(values, "column.histogram", bins="auto")) == len(there(values))


@settings(max_examples=20, deadline=None)
@given(values=VALUES, sort=st.sampled_from(["value", "count", "none"]), lazy=st.booleans())
def test_values_are_counted_in_the_order_that_is_asked_for(values: list[Any], sort: str, lazy: bool) -> None:
    counted = ours(values, "column.value_counts", lazy, sort=sort)
    assert (counted.name, counted.index.name) == ("count", "value")
    assert dict(zip(counted.index, counted, strict=True)) == Counter(there(values))
    if sort == "value":
        assert list(counted.index) == sorted(counted.index)
    if sort == "count":
        assert list(counted) == sorted(counted, reverse=True)  # as SQL, Spark and pandas give it


@pytest.mark.parametrize(
    ("arguments", "why"), [({"sort": "size"}, "sort is 'size'"), ({"collate": "utf8"}, "collate 'utf8'")]
)
def test_an_order_or_a_collation_that_there_is_not_is_refused(
    arguments: dict[str, str], why: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyError):  # how a bare validator says that a metric has no value
        ours([1.0], "column.value_counts", **arguments)
    assert why in caplog.text + "".join(capsys.readouterr())


@settings(max_examples=20, deadline=None)
@given(values=SOME, method=st.sampled_from(["iqr", "std"]))
def test_outliers_are_measured_as_numpy_measures(values: list[Any], method: str) -> None:
    found = ours(values, "column.outlier_statistics", method=method)
    present = there(values)
    if method == "iqr":
        low, high = np.quantile(present, [0.25, 0.75])
        assert same([found.lower_reference, found.upper_reference, found.spread], [low, high, high - low])
    else:
        assert same([found.lower_reference, found.upper_reference], [np.mean(present)] * 2)
        assert found.spread is None if len(present) == 1 else same(found.spread, np.std(present, ddof=1))


@pytest.mark.parametrize("params", [{"mean": 1.0, "std_dev": 2.0}, (1.0, 2.0)], ids=["by name", "by place"])
def test_a_kolmogorov_smirnov_test_is_scipys_and_leaves_its_parameters_as_they_were(params: Any) -> None:
    given_params = dict(params) if isinstance(params, dict) else params
    found = ours(
        [0.5, None, 1.5, 4.0],
        "column.parameterized_distribution_ks_test_p_value",
        distribution="norm",
        params=given_params,
        p_value=0.05,
    )
    wanted = stats.kstest([0.5, 1.5, 4.0], "norm", args=(1.0, 2.0))
    assert (found.statistic, found.pvalue) == (wanted.statistic, wanted.pvalue)
    assert given_params == params


@pytest.fixture
def metrics() -> Any:
    """Compute a metric as users do, of a batch of one column."""
    source = quiet_context().data_sources.add_or_update_polars("distribution")
    definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")

    def compute(values: list[Any], metric: Any) -> Any:
        frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)})
        return definition.get_batch({"dataframe": frame}).compute_metrics(metric).value

    return compute


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, 2.0, None, 4.0], (1.0, 4.0, 7 / 3, math.sqrt(7 / 3))),
        ([3.0, None], (3.0, 3.0, 3.0, NAN)),
        ([None, NAN], (NAN, NAN, NAN, NAN)),
        ([], (NAN, NAN, NAN, NAN)),
    ],
)
def test_what_too_few_values_have_not_is_nan_as_with_pandas(
    metrics: Any, values: list[Any], told: tuple[float, ...]
) -> None:
    found = metrics(values, gxm.ColumnDescriptiveStats(column="x"))
    assert same([found.min, found.max, found.mean, found.standard_deviation], told)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_of_no_values_every_measure_is_an_answer_and_no_error(values: list[Any]) -> None:
    assert same(ours(values, "column.partition", bins="uniform", n_bins=2), [NAN] * 3)
    assert same(ours(values, "column.quantile_values", quantiles=(0.5,)), [NAN])
    assert ours(values, "column.histogram", bins=(0, 1, 2)) == [0, 0]
    assert ours(values, "column.most_common_value") == []
    assert ours(values, "column.outlier_statistics", method="iqr").spread is None
    assert ours(values, "column.value_counts").empty


@settings(max_examples=20, deadline=None)
@given(st.lists(st.none() | st.sampled_from(["a", "b", "é", ""]), max_size=8), st.booleans())
def test_the_most_common_values_are_all_that_tie_in_order(values: list[Any], lazy: bool) -> None:
    counted = Counter(there(values))
    most = max(counted.values(), default=0)
    wanted = sorted(value for value, count in counted.items() if count == most)
    assert ours(values, "column.most_common_value", lazy, pl.String) == wanted
    assert ours(values, "column_values.null.count", lazy, pl.String) == values.count(None)
    assert ours(values, "column_values.nonnull.count", lazy, pl.String) == len(there(values))
    for threshold in (len(counted), len(counted) + 1):
        few = ours(values, "column.distinct_values.count.under_threshold", lazy, pl.String, threshold=threshold)
        assert few is (len(counted) < threshold)
