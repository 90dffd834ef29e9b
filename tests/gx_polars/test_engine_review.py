"""Rare data and arguments: one value for many rows, failing functions, units of time, decimals, durations."""

from __future__ import annotations

from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest

import gx_polars
from gx_polars.ask import Ask, Probe
from gx_polars.batch import PolarsBatchData
from gx_polars.plan import Plan


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
