"""What is said, and how often a source is run, when something cannot be computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest

import gx_polars
from tests.gx_polars.comparison import messages, raised


def _validate(frame: pl.DataFrame | pl.LazyFrame, *asked: gxe.Expectation) -> list:
    return gx_polars.validate(frame, gx.ExpectationSuite("s", expectations=list(asked))).results


def _about_every_column(columns: str) -> list[gxe.Expectation]:
    kinds: list[Callable[..., gxe.Expectation]] = [
        gxe.ExpectColumnValuesToNotBeNull,
        gxe.ExpectColumnValuesToBeUnique,
        gxe.ExpectColumnMaxToBeBetween,
        gxe.ExpectColumnValuesToBeIncreasing,
    ]
    return [kind(column=column) for column in columns for kind in kinds]


def test_a_source_that_breaks_off_is_run_a_few_times_however_much_is_asked() -> None:
    runs = []

    def broken(_: pl.DataFrame) -> pl.DataFrame:
        runs.append(1)
        raise RuntimeError("the feed broke off")

    columns = "abcdefgh"
    source = pl.LazyFrame({name: [1, 2] for name in columns})
    results = _validate(source.map_batches(broken, schema=source.collect_schema()), *_about_every_column(columns))
    assert len(results) == 32
    assert not any(result.success for result in results)
    assert all("the feed broke off" in messages(result) for result in results)
    assert len(runs) <= 5


def test_one_broken_column_spoils_only_what_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ages.csv"
    path.write_text("a,b,c,d\n" + "1,1,1,1\n" * 9 + "1,1,unknown,1\n")
    source = pl.scan_csv(path, schema=dict.fromkeys("abcd", pl.Int64))
    results = _validate(source, *[gxe.ExpectColumnMaxToBeBetween(column=name, max_value=1) for name in "abcd"])
    assert {each.expectation_config.kwargs["column"] for each in results if not each.success} == {"c"}


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_one_broken_expression_spoils_no_other(lazy: bool) -> None:
    frame = pl.DataFrame({"a": ["x"] * 3, "b": [1, 2, 3]})
    results = _validate(
        frame.lazy() if lazy else frame,
        gxe.ExpectColumnValuesToMatchJsonSchema(column="a", json_schema={}),
        *_about_every_column("b"),
    )
    assert [each.expectation_config.kwargs["column"] for each in results if raised(each)] == ["a"]


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_a_missing_column_is_told_once_by_the_expectation_that_misses_it(lazy: bool) -> None:
    frame = pl.DataFrame({"a": [1]})
    (result,) = _validate(
        frame.lazy() if lazy else frame, gxe.ExpectColumnValuesToBeBetween(column="nope", min_value=0)
    )
    assert messages(result) == (
        "expect_column_values_to_be_between on 'nope': Error: The column \"nope\" in BatchData does not exist."
    )


def test_a_missing_column_of_a_type_expectation_is_told_likewise() -> None:
    (result,) = _validate(pl.DataFrame({"a": [1]}), gxe.ExpectColumnValuesToBeOfType(column="nope", type_="Int64"))
    assert messages(result).startswith("expect_column_values_to_be_of_type on 'nope': Error: The column")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * FROM {batch} WHERE nope > 1", "nope"),
        ("SELEC * FROM {batch}", "SELEC"),
        ("SELECT no_such_function(a) FROM {batch}", "no_such_function"),
    ],
)
def test_a_query_that_fails_names_the_expectation_the_query_and_the_source(query: str, reason: str) -> None:
    asked = gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)
    (result,) = _validate(pl.DataFrame({"a": [1]}), asked)
    said = messages(result)
    assert said.startswith("unexpected_rows_expectation could not be computed on a data frame of 1 rows")
    assert query in said
    assert reason in said


def test_a_row_mask_of_a_broken_source_says_that_rows_cannot_be_found() -> None:
    def broken(_: pl.Series) -> pl.Series:
        raise RuntimeError("the feed broke off")

    source = pl.LazyFrame({"a": [1]}).map_batches(broken, schema={"a": pl.Int64})
    suite = gx.ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToNotBeNull(column="a")])
    with pytest.raises(gx_polars.MetricFailed, match=r"^The rows cannot be found: .*the feed broke off$"):
        gx_polars.row_mask(source, suite)
