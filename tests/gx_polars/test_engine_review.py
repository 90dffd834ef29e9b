"""Rare data and arguments: one value for many rows, failing functions, units of time, decimals, durations."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.exceptions.exceptions import BuildBatchRequestError

import gx_polars
from gx_polars.ask import Ask, Probe
from gx_polars.batch import PolarsBatchData
from gx_polars.domain import Column
from gx_polars.patterns import rust_pattern
from gx_polars.plan import Plan
from gx_polars.row_condition import compare
from tests.gx_polars.engines import quiet_context


def validated(frame: pl.DataFrame | pl.LazyFrame, *expectations: Any, result_format: Any = "COMPLETE") -> list[Any]:
    suite = gx.ExpectationSuite(name="suite", expectations=list(expectations))
    return gx_polars.validate(frame, suite, result_format=result_format).results


@pytest.mark.parametrize("lazy", [False, True])
def test_a_condition_of_one_value_is_counted_for_every_row(lazy: bool) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [1, 2, None]})
    [result] = validated(
        frame.lazy() if lazy else frame,
        gxe.ExpectColumnPairValuesToBeInSet(
            column_A="a", column_B="b", value_pairs_set=[], ignore_row_if="neither", mostly=0.6
        ),
    )

    assert not result.success
    assert result.result["unexpected_count"] == 3
    assert result.result["unexpected_index_list"] == [0, 1, 2]


@pytest.mark.parametrize("lazy", [False, True])
def test_an_index_column_that_is_not_there_fails_one_expectation_and_names_it(lazy: bool) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3]})
    broken, sound = validated(
        frame.lazy() if lazy else frame,
        gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[1]),
        gxe.ExpectTableRowCountToEqual(value=3),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["zz"]},
    )

    assert not broken.success
    assert "zz" in str(broken.exception_info)
    assert sound.success


def _without_attribute(*_: Any) -> Any:
    return object().wanted  # type: ignore[attr-defined]


def test_a_function_that_raises_anything_fails_its_own_metric_only() -> None:
    def kept(value: Any, *_: Any) -> Any:
        return value

    height = (pl.len(),)
    asks = {
        "reads": Ask(Probe("reads", height, _without_attribute), kept),
        "follows": Ask(Probe("follows", height, kept), _without_attribute),
        "sound": Ask(Probe("sound", height, kept), kept),
    }

    outcome = Plan(asks).run(PolarsBatchData(None, pl.DataFrame({"a": [1, 2]})))

    assert outcome.values == {"sound": [2]}
    assert set(outcome.failures) == {"reads", "follows"}
    assert all("wanted" in str(error) for error in outcome.failures.values())


def unexpected(frame: pl.DataFrame, expectation: Any) -> int:
    [result] = validated(frame, expectation)
    assert "unexpected_count" in result.result, result.exception_info
    return int(result.result["unexpected_count"])


def test_a_member_of_a_set_is_not_rounded_to_the_scale_of_a_decimal() -> None:
    frame = pl.DataFrame({"a": pl.Series(["1.2", "1.3"]).cast(pl.Decimal(10, 1))})

    assert unexpected(frame, gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[1.25])) == 2
    assert unexpected(frame, gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[1.2, 1.30])) == 0


def test_a_member_of_a_set_is_not_truncated_to_the_unit_of_a_datetime() -> None:
    moment = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - a column without a zone
    frame = pl.DataFrame({"a": pl.Series([moment], dtype=pl.Datetime("ms"))})
    later = moment + dt.timedelta(microseconds=500)

    assert unexpected(frame, gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[later])) == 1
    assert unexpected(frame, gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[moment])) == 0


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_instants_are_compared_in_the_finer_unit(zone: str | None) -> None:
    start = dt.datetime(2020, 1, 1, tzinfo=None if zone is None else ZoneInfo(zone))
    half = start + dt.timedelta(microseconds=500)
    coarse = pl.DataFrame({"a": pl.Series([start], dtype=pl.Datetime("ms", zone))})
    fine = pl.DataFrame({"a": pl.Series([start], dtype=pl.Datetime("ns", zone)).dt.offset_by("1ns")})

    assert unexpected(coarse, gxe.ExpectColumnValuesToBeBetween(column="a", min_value=half)) == 1
    assert unexpected(coarse, gxe.ExpectColumnValuesToBeBetween(column="a", max_value=half)) == 0
    assert unexpected(fine, gxe.ExpectColumnValuesToBeBetween(column="a", max_value=start)) == 1
    assert unexpected(fine, gxe.ExpectColumnValuesToBeBetween(column="a", min_value=start, strict_min=True)) == 0
    assert unexpected(fine, gxe.ExpectColumnValuesToBeBetween(column="a", max_value=start.replace(year=9999))) == 0


@pytest.mark.parametrize(("sign", "kept"), [("==", 0), ("!=", 1), (">", 1), ("<=", 0)])
def test_a_row_condition_compares_in_the_finer_unit(sign: str, kept: int) -> None:
    start = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - a column without a zone
    series = pl.Series("a", [start], dtype=pl.Datetime("ns")).dt.offset_by("1ns")
    column = Column("a", series.dtype, pl.col("a"))

    assert series.to_frame().filter(compare(column, sign, start)).height == kept


def test_a_row_condition_compares_durations_in_the_finer_unit() -> None:
    second = dt.timedelta(seconds=1)
    frame = pl.DataFrame({"a": pl.Series([second], dtype=pl.Duration("ms"))})
    column = Column("a", frame.schema["a"], pl.col("a"))

    assert frame.filter(compare(column, ">=", second + dt.timedelta(microseconds=1))).height == 0
    assert frame.filter(compare(column, ">=", second)).height == 1


@pytest.mark.parametrize("lazy", [False, True])
def test_unexpected_durations_are_shown_as_text(lazy: bool) -> None:
    frame = pl.DataFrame({"a": [dt.timedelta(seconds=1), None]})
    [result] = validated(frame.lazy() if lazy else frame, gxe.ExpectColumnValuesToBeNull(column="a"))

    assert result.result["unexpected_list"] == ["0:00:01"]
    assert "0:00:01" in json.dumps(result.to_json_dict())


def test_the_year_0_is_left_to_dateutil() -> None:
    frame = pl.DataFrame({"a": ["0000-01-01", "2020-01-01"]})

    assert unexpected(frame, gxe.ExpectColumnValuesToBeDateutilParseable(column="a")) == 1


def test_a_partition_that_the_files_have_not_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_csv(tmp_path / "part.csv")
    source = quiet_context().data_sources.add_polars("partitioned")
    asset = source.add_csv_asset("games", str(tmp_path / "**" / "*.csv"), partitions=["day"])

    with pytest.raises(BuildBatchRequestError, match=r"'games' has the partition 'day'.*'a': Int64"):
        asset.add_batch_definition_whole_scan("all").get_batch({"day": "2020-01-01"})


@pytest.mark.parametrize(("text", "in_rust", "in_python"), [("a\u0301", False, True), ("a²", True, False)])
def test_word_boundaries_differ_as_the_pattern_docs_say(text: str, in_rust: bool, in_python: bool) -> None:
    pattern = r"a\b"
    assert pl.Series([text]).str.contains(str(rust_pattern(pattern))).item() == in_rust
    assert (re.search(pattern, text) is not None) == in_python


@pytest.mark.parametrize("dtype", [pl.Decimal(10, 1), pl.Int64, pl.Float64])
def test_a_member_that_the_type_cannot_hold_is_missing_from_the_column(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"a": pl.Series([1, 2]).cast(dtype)})
    [wrong, right] = validated(
        frame,
        gxe.ExpectColumnDistinctValuesToContainSet(column="a", value_set=[1, 1.25]),
        gxe.ExpectColumnDistinctValuesToContainSet(column="a", value_set=[1, 2.0]),
    )

    assert not wrong.success
    assert right.success
