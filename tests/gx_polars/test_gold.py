"""Each supported expectation passes where it should and fails where it should, on a frame and on a lazy frame."""

from __future__ import annotations

import json
from typing import Any

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.registry import list_registered_expectation_implementations

import gx_polars
from tests.gx_polars.comparison import differences, messages, outcome, raised
from tests.gx_polars.engines import polars_validator
from tests.gx_polars.gold import PAIRS_OF_ALL, TABLE, Pair

FRAMES = {"eager": TABLE, "lazy": TABLE.lazy()}

# They compare the batch with a second data source, which an engine on one frame does not have.
NEEDS_A_SECOND_SOURCE = {"expect_query_results_to_match_comparison", "expect_table_row_count_to_equal_other_table"}


@pytest.fixture(params=FRAMES, scope="module")
def frame(request: pytest.FixtureRequest) -> pl.DataFrame | pl.LazyFrame:
    return FRAMES[request.param]


def _suite(*expectations: gx.expectations.Expectation) -> gx.ExpectationSuite:
    return gx.ExpectationSuite("gold", expectations=list(expectations))


@pytest.mark.parametrize(
    "pair", PAIRS_OF_ALL, ids=lambda pair: f"{pair.expectation.__name__}-{next(iter(pair.passes))}"
)
def test_an_expectation_passes_and_fails_where_it_should(pair: Pair, frame: pl.DataFrame | pl.LazyFrame) -> None:
    result = gx_polars.validate(frame, _suite(pair.passing(), pair.failing()), result_format="COMPLETE")
    passed, failed = result.results
    assert not raised(passed), messages(passed)
    assert not raised(failed), messages(failed)
    assert passed.success is True
    assert failed.success is False
    assert json.dumps(result.to_json_dict())


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_a_compiled_suite_gives_what_an_ordinary_validation_gives(result_format: str) -> None:
    expectations = [expectation for pair in PAIRS_OF_ALL for expectation in (pair.passing(), pair.failing())]
    compiled = gx_polars.validate(TABLE, _suite(*expectations), result_format=result_format)
    ordinary = polars_validator(TABLE).validate(_suite(*expectations), result_format=result_format)
    assert len(compiled.results) == 2 * len(PAIRS_OF_ALL)
    assert compiled.statistics == ordinary.statistics
    for ours, other in zip(compiled.results, ordinary.results, strict=True):
        assert _asked(ours) == _asked(other)
        assert differences(outcome(ours), outcome(other)) == [], ours.expectation_config


def _asked(result: ExpectationValidationResult) -> dict[str, Any]:
    """What a result is the answer to; each way of validating has its own batch id."""
    asked = result.expectation_config.to_json_dict()
    asked["kwargs"].pop("batch_id", None)
    return asked


def test_every_registered_expectation_is_in_the_table() -> None:
    tested = {pair.expectation.expectation_type for pair in PAIRS_OF_ALL}
    assert set(list_registered_expectation_implementations()) - tested == NEEDS_A_SECOND_SOURCE
