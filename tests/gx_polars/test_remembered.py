"""What core expectations remember between ordinary runs, and what they must not."""

from __future__ import annotations

import pickle

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest
from great_expectations.expectations.registry import get_expectation_impl

from gx_polars.remembered import Remembers
from tests.gx_polars.engines import foreign_warnings_ignored, pandas_validator, polars_validator, quiet_context

FRAME = pl.DataFrame({"a": [1, 2, 30]})


def _definition(name: str, expectation: gxe.Expectation) -> gx.ValidationDefinition:
    context = quiet_context()
    source = context.data_sources.add_or_update_polars("remembered")
    batches = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
    suite = context.suites.add_or_update(gx.ExpectationSuite(name, expectations=[expectation]))
    return context.validation_definitions.add_or_update(gx.ValidationDefinition(name=name, data=batches, suite=suite))


def test_an_expectation_that_was_changed_is_asked_anew() -> None:
    definition = _definition("changed", gxe.ExpectColumnValuesToBeBetween(column="a", min_value=0, max_value=10))
    first = definition.run(batch_parameters={"dataframe": FRAME})
    definition.suite.expectations[0].max_value = 100
    definition.suite.save()
    second = definition.run(batch_parameters={"dataframe": FRAME})
    assert (first.success, second.success) == (False, True)
    assert second.results[0].expectation_config.kwargs["max_value"] == 100


def test_what_is_done_to_the_result_of_a_run_does_not_reach_the_next() -> None:
    definition = _definition("mutated", gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[1, 2]))
    first = definition.run(batch_parameters={"dataframe": FRAME}).results[0]
    first.expectation_config.kwargs.clear()
    first.result.clear()
    second = definition.run(batch_parameters={"dataframe": FRAME}).results[0]
    assert second.expectation_config.kwargs["value_set"] == [1, 2]
    assert second.result["unexpected_count"] == 1


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_the_result_format_is_part_of_what_is_remembered(result_format: str) -> None:
    definition = _definition("formats", gxe.ExpectColumnValuesToBeInSet(column="a", value_set=[1, 2]))
    result = definition.run(batch_parameters={"dataframe": FRAME}, result_format=result_format).results[0]
    assert ("unexpected_index_list" in result.result) == (result_format == "COMPLETE")
    assert ("partial_unexpected_list" in result.result) == (result_format != "BOOLEAN_ONLY")


def test_another_engine_is_asked_as_ever() -> None:
    expectation = gxe.ExpectColumnMaxToBeBetween(column="a", max_value=10)
    with foreign_warnings_ignored():
        result = pandas_validator(pd.DataFrame({"a": [1, 5]})).graph_validate([expectation.configuration])[0]
    ours = polars_validator(FRAME).graph_validate([expectation.configuration])[0]
    assert (result.success, result.result["observed_value"]) == (True, 5)
    assert (ours.success, ours.result["observed_value"]) == (False, 30)


def test_every_core_expectation_remembers_under_its_own_name() -> None:
    for name in ("expect_column_values_to_be_between", "expect_column_quantile_values_to_be_between"):
        kind = get_expectation_impl(name)
        assert issubclass(kind, Remembers)
        assert kind.__name__ == "".join(word.capitalize() for word in name.split("_"))


def test_a_suite_that_a_context_read_goes_to_another_process() -> None:
    expectation = gxe.ExpectColumnValuesToBeBetween(column="a", max_value=10).configuration.to_domain_obj()
    sent = pickle.loads(pickle.dumps(expectation))  # noqa: S301 - written a moment ago
    assert sent == expectation
    assert isinstance(sent, gxe.ExpectColumnValuesToBeBetween)
    assert polars_validator(FRAME).graph_validate([sent.configuration])[0].success is False
