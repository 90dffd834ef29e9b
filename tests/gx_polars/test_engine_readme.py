"""The package's README: its code runs, its table is fresh, its promises of an extension point hold."""

from __future__ import annotations

import re
from pathlib import Path

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from great_expectations.expectations.registry import _registered_expectations

import gx_polars
from gx_polars import Column, polars_aggregate
from scripts import gx_polars_table

README = gx_polars_table.PAGE.read_text(encoding="utf-8")


@pytest.fixture
def _no_leftovers() -> None:
    """Take expectations that a test defines out of the registry again."""
    before = set(_registered_expectations)
    yield
    for name in set(_registered_expectations) - before:
        del _registered_expectations[name]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("_no_leftovers")
def test_the_code_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - that is what is tested

    assert "expect_column_values_to_be_between(age)" in capsys.readouterr().out
    assert not names["result"].success
    even = names["ExpectColumnValuesToBeEven"](column="age")
    checked = gx_polars.validate(pl.DataFrame({"age": [2, 3]}), gx.ExpectationSuite("s", expectations=[even]))
    assert checked.results[0].result["partial_unexpected_list"] == [3]


def test_the_table_of_expectations_is_fresh() -> None:
    assert gx_polars_table.page(README) == README, "run python -m scripts.gx_polars_table"


def test_every_core_expectation_is_supported() -> None:
    assert not gx_polars_table.UNSUPPORTED
    assert "59 of the 59 core expectations" in README


@pytest.mark.usefixtures("_no_leftovers")
def test_an_aggregate_of_ones_own_takes_its_arguments_by_keyword() -> None:
    @polars_aggregate("column.share_above")
    def share_above(column: Column, *, level: float = 0.0) -> pl.Expr:
        return (column.expr > level).mean()

    class ExpectColumnShareAboveToBeLarge(ColumnAggregateExpectation):
        level: float = 0.0
        metric_dependencies = ("column.share_above",)
        success_keys = ("level",)

        def _validate(self, metrics, runtime_configuration=None, execution_engine=None):  # noqa: ARG002 - their names are given
            share = metrics["column.share_above"]
            return {"success": share >= 0.5, "result": {"observed_value": share}}

    suite = gx.ExpectationSuite("s", expectations=[ExpectColumnShareAboveToBeLarge(column="x", level=2)])

    for frame in (pl.DataFrame({"x": [1, 2, 3, 4]}), pl.LazyFrame({"x": [1, 2, 3, 4]})):
        (result,) = gx_polars.validate(frame, suite).results
        assert result.result["observed_value"] == 0.5


def test_the_readme_lies_beside_the_code() -> None:
    assert Path(gx_polars.__file__).parent == gx_polars_table.PAGE.parent
