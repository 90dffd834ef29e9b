"""Core expectations that a user has customised by subclassing them, which is Great Expectations' own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.registry import _registered_expectations
from great_expectations.expectations.row_conditions import Column

import gx_polars
from tests.gx_polars.comparison import messages
from tests.gx_polars.engines import pandas_validator, polars_validator

RANGES = {"quantiles": [0.0, 1.0], "value_ranges": [[30, 35], [40, 40]]}
PARTITION = {"values": ["a", "b"], "weights": [0.6, 0.4]}
FRAME = pl.DataFrame({"age": [34, 40, None], "team": ["a", "b", "a"], "kept": [1, 0, 1]})


class ExpectAgeToBeWhole(gxe.ExpectColumnValuesToBeOfType):
    column: str = "age"
    type_: Any = "int"


class ExpectAgeToBeOfAType(gxe.ExpectColumnTypeToBe):
    column: str = "age"
    type_: Any = "Int64"


class ExpectAgeToBeANumber(gxe.ExpectColumnValuesToBeInTypeList):
    column: str = "age"
    type_list: Any = ("Float64", "Int64")


class ExpectAgesInRanges(gxe.ExpectColumnQuantileValuesToBeBetween):
    description: str = "The **ages** are in their ranges."


class ExpectTeamsAsUsual(gxe.ExpectColumnKLDivergenceToBeLessThan):
    description: str = "The **teams** are as usual."


class ExpectKnownPairs(gxe.ExpectColumnPairValuesToBeInSet):
    description: str = "The **pairs** are known."


class ExpectPlausibleAges(gxe.ExpectColumnValuesToBeBetween):
    column: str = "age"
    min_value: Any = 0
    max_value: Any = 120


# Great Expectations asks the configuration for some arguments, where those of a class are not.
CUSTOMISED: list[tuple[type[gxe.Expectation], dict[str, Any]]] = [
    (ExpectAgeToBeWhole, {}),
    (ExpectAgeToBeOfAType, {}),
    (ExpectAgeToBeANumber, {}),
    (ExpectAgesInRanges, {"column": "age", "quantile_ranges": RANGES}),
    (ExpectTeamsAsUsual, {"column": "team", "partition_object": PARTITION, "threshold": 0.1}),
    (ExpectPlausibleAges, {}),
]
PAIRED = {"column_A": "team", "column_B": "kept", "value_pairs_set": [("a", 1)]}


# Out of the registry, which other tests go through, but for the time of a test.
OWN = {
    kind.expectation_type: _registered_expectations.pop(kind.expectation_type)
    for kind in (ExpectKnownPairs, *(kind for kind, _ in CUSTOMISED))
}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    before = dict(_registered_expectations)
    _registered_expectations.update(OWN)
    yield
    _registered_expectations.clear()
    _registered_expectations.update(before)


def long_way(frame: Any, suite: gx.ExpectationSuite) -> ExpectationValidationResult:
    return polars_validator(frame).validate(suite, result_format="COMPLETE").results[0]


def short_way(frame: Any, suite: gx.ExpectationSuite) -> ExpectationValidationResult:
    return gx_polars.validate(frame, suite, "COMPLETE").results[0]


def suite_of(kind: type[gxe.Expectation], **given: Any) -> gx.ExpectationSuite:
    return gx.ExpectationSuite("own", expectations=[kind(**given)])


@pytest.mark.parametrize("way", [long_way, short_way])
@pytest.mark.parametrize(("kind", "given"), CUSTOMISED, ids=lambda each: getattr(each, "__name__", ""))
def test_a_customised_expectation_is_judged_as_the_core_one(
    kind: type[gxe.Expectation], given: dict[str, Any], way: Any
) -> None:
    result = way(FRAME, suite_of(kind, **given))
    assert result.success is True, messages(result)
    assert result.expectation_config.type == kind.expectation_type


@pytest.mark.parametrize("way", [long_way, short_way])
def test_an_expectation_customised_twice_is_one_of_its_kind(way: Any) -> None:
    class ExpectTeamToBeWhole(ExpectAgeToBeWhole):
        column: str = "team"

    result = way(FRAME, suite_of(ExpectTeamToBeWhole))
    assert (result.success, result.result) == (False, {"observed_value": "String"})


@pytest.mark.parametrize("way", [long_way, short_way])
def test_a_judgement_of_its_own_is_the_one_that_counts(way: Any) -> None:
    class ExpectAgeToBeWhatever(gxe.ExpectColumnValuesToBeOfType):
        column: str = "age"
        type_: Any = "String"

        def _validate(self, metrics: Any, *_: Any, **__: Any) -> Any:
            return {"success": len(metrics["table.column_types"]) == FRAME.width, "result": {"observed_value": "any"}}

    result = way(FRAME, suite_of(ExpectAgeToBeWhatever))
    assert (result.success, result.result) == (True, {"observed_value": "any"})


@pytest.mark.parametrize("way", [long_way, short_way])
def test_a_customised_pair_heeds_its_row_condition(way: Any) -> None:
    assert not way(FRAME, suite_of(ExpectKnownPairs, **PAIRED)).success
    assert way(FRAME, suite_of(ExpectKnownPairs, row_condition=Column("kept") == 1, **PAIRED)).success


@pytest.mark.parametrize("way", [long_way, short_way])
def test_a_customised_pair_heeds_the_row_condition_of_its_class(way: Any) -> None:
    class ExpectKnownPairsOfTheKept(gxe.ExpectColumnPairValuesToBeInSet):
        row_condition: Any = Column("kept") == 1

    result = way(FRAME, suite_of(ExpectKnownPairsOfTheKept, **PAIRED))
    assert (result.success, result.result["element_count"]) == (True, 2)


def test_with_another_engine_it_stays_what_it_was() -> None:
    long_way(FRAME, suite_of(ExpectAgeToBeWhole))
    frame, suite = pd.DataFrame({"years": [34, 40]}), suite_of(ExpectAgeToBeWhole, column="years", type_="int64")
    (result,) = pandas_validator(frame).validate(suite).results
    assert (result.success, result.result["observed_value"]) == (True, "int64")


def test_rows_that_break_it_are_named_by_the_columns_of_its_class() -> None:
    frame = pl.DataFrame({"age": [34, -1]})
    assert gx_polars.row_mask(frame, suite_of(ExpectPlausibleAges)).to_list() == [[], ["expect_plausible_ages(age)"]]
