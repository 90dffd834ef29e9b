"""Random tables and random expectations: the pandas engine of the installed release against ours.

The examples are the same in every run, so that a red run means changed code. Where pandas itself is wrong,
`test_pandas_faults.py` has the smallest table that shows it, and the strategies leave it out.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.core import ExpectationSuiteValidationResult
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import gx_polars
from tests.gx_polars.comparison import COUNTS, differences, messages, outcome, raised
from tests.gx_polars.engines import foreign_warnings_ignored, pandas_validator
from tests.gx_polars.random_suites import (
    RESULT_FORMATS,
    Table,
    about_columns,
    about_several_columns,
    about_tables,
    about_values,
    expectations,
    tables,
)
from tests.gx_polars.typed_suites import TypedTable, about_typed_columns, typed_tables

THOROUGH = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failure is reported as it was found: to shrink one takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)

# Whose verdict is about the order of the rows.
ABOUT_ORDER = {"expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"}


def suite_of(*expectations: gxe.Expectation) -> gx.ExpectationSuite:
    """A suite of fresh copies: a suite takes its expectations over and gives them ids."""
    copies = [
        type(each)(**{k: v for k, v in each.dict(exclude_unset=True).items() if k != "id"}) for each in expectations
    ]
    return gx.ExpectationSuite("random", expectations=copies)


def by_pandas(
    table: Table | TypedTable, suite: gx.ExpectationSuite, result_format: str
) -> ExpectationSuiteValidationResult:
    with foreign_warnings_ignored():
        return pandas_validator(table.pandas()).validate(suite, result_format=result_format)


def _zoneless(fields: dict[str, Any]) -> dict[str, Any]:
    """The outcome with instants of UTC as numpy has them: pandas takes pairs out of it, and their zone is lost."""
    made: dict[str, Any] = json.loads(json.dumps(fields).replace("+00:00", ""))
    return made


def against_pandas(table: Table | TypedTable, asked: list[gxe.Expectation], result_format: str) -> None:
    ours = gx_polars.validate(table.polars(), suite_of(*asked), result_format=result_format)
    theirs = by_pandas(table, suite_of(*asked), result_format)
    for our, their in zip(ours.results, theirs.results, strict=True):
        assert our.expectation_config.type == their.expectation_config.type
        assert differences(_zoneless(outcome(our)), _zoneless(outcome(their))) == [], our.expectation_config


# threads of the libraries draw random numbers of their own while a strategy draws; it takes that for the strategy's doing
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@THOROUGH
@given(tables(), st.lists(about_values(), min_size=3, max_size=5), RESULT_FORMATS)
def test_expectations_about_values_agree_with_pandas(table: Table, asked: list[gxe.Expectation], form: str) -> None:
    against_pandas(table, asked, form)


@THOROUGH
@given(tables(), st.lists(about_several_columns(), min_size=3, max_size=5), RESULT_FORMATS)
def test_expectations_about_several_columns_agree_with_pandas(
    table: Table, asked: list[gxe.Expectation], form: str
) -> None:
    against_pandas(table, asked, form)


@THOROUGH
@given(tables(), st.lists(st.one_of(about_columns(), about_tables()), min_size=3, max_size=5), RESULT_FORMATS)
def test_expectations_about_columns_and_tables_agree_with_pandas(
    table: Table, asked: list[gxe.Expectation], form: str
) -> None:
    against_pandas(table, asked, form)


def _in_chunks(frame: pl.DataFrame, cuts: list[int]) -> pl.DataFrame:
    edges = sorted({0, frame.height, *(min(cut, frame.height) for cut in cuts)})
    parts = [frame[start:stop] for start, stop in itertools.pairwise(edges)]
    return pl.concat(parts, rechunk=False) if parts else frame


@THOROUGH
@given(
    tables(), st.lists(expectations(), min_size=4, max_size=8), RESULT_FORMATS, st.lists(st.integers(1, 8), max_size=4)
)
def test_no_result_depends_on_chunks_or_on_being_lazy(
    table: Table, asked: list[gxe.Expectation], form: str, cuts: list[int]
) -> None:
    frame, suite = table.polars(), suite_of(*asked)
    whole = gx_polars.validate(frame, suite, result_format=form)
    for other in (_in_chunks(frame, cuts), frame.lazy(), _in_chunks(frame, cuts).lazy()):
        result = gx_polars.validate(other, suite, result_format=form)
        for one, two in zip(whole.results, result.results, strict=True):
            assert differences(outcome(two), outcome(one)) == [], one.expectation_config


def _whatever_the_order(result: gx.core.ExpectationValidationResult) -> dict[str, object]:
    """The outcome with its lists as bags; the partial lists are the first of the rows and so about order."""
    fields = {k: v for k, v in outcome(result).items() if not k.startswith("partial_") and "index" not in k}
    return {k: sorted(v, key=repr) if isinstance(v, list) and k not in COUNTS else v for k, v in fields.items()}


@THOROUGH
@given(tables(), st.lists(expectations(), min_size=4, max_size=8), st.randoms(use_true_random=False))
def test_no_result_depends_on_the_order_of_rows(table: Table, asked: list[gxe.Expectation], random: object) -> None:
    frame = table.polars()
    order = list(range(frame.height))
    random.shuffle(order)
    suite = suite_of(*(each for each in asked if each.expectation_type not in ABOUT_ORDER))
    for one, two in zip(
        gx_polars.validate(frame, suite, result_format="COMPLETE").results,
        gx_polars.validate(frame[order], suite, result_format="COMPLETE").results,
        strict=True,
    ):
        assert differences(_whatever_the_order(two), _whatever_the_order(one)) == [], one.expectation_config


@THOROUGH
@given(tables(), st.lists(st.one_of(about_values(), about_several_columns()), min_size=2, max_size=6))
def test_the_rows_named_are_the_rows_counted(table: Table, asked: list[gxe.Expectation]) -> None:
    frame = table.polars()
    named = [type(each)(**each.dict(exclude_unset=True) | {"meta": {"rule": str(at)}}) for at, each in enumerate(asked)]
    broken = gx_polars.row_mask(frame, suite_of(*named))
    assert len(broken) == frame.height
    results = gx_polars.validate(frame, suite_of(*named), result_format="COMPLETE").results
    for result in results:
        rule = result.expectation_config.meta["rule"]
        rows = [at for at, rules in enumerate(broken) if rule in rules]
        assert not raised(result), (messages(result), result.expectation_config)
        assert rows == result.result["unexpected_index_list"], result.expectation_config
        assert len(rows) == result.result["unexpected_count"]


@settings(THOROUGH, max_examples=12)
@given(typed_tables(), st.lists(about_typed_columns(), min_size=4, max_size=6), RESULT_FORMATS)
def test_expectations_about_narrow_and_rare_types_agree_with_pandas(
    table: TypedTable, asked: list[gxe.Expectation], form: str
) -> None:
    against_pandas(table, asked, form)
