"""Runs one JSON case of Great Expectations through the Polars engine and judges what comes out.

The judge, in this order:

1. Success, counts, unexpected values, row keys and observed values must equal what the reference engine of the installed
   release gives on the same data: the pandas engine, or SQLite for the cases that only SQL engines run.
2. Where the reference meets the case, so must we: GX's own checker is asked about errors and names of dtypes, which 1
   cannot compare. Where the reference itself fails the case, the case has drifted from the release and 1 alone counts.

A column of mixed Python types cannot exist in Polars. Both engines are then given that column as text, or in the version
which the dataset holds for typed backends (`data_alt`), whichever leaves the case's expected outcome true.
"""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.self_check.util import evaluate_json_test_v3_api
from great_expectations.validator.validator import Validator

from tests.gx_polars.cases import Case
from tests.gx_polars.comparison import NAMES_A_DTYPE, RAISED, differences, messages, outcome
from tests.gx_polars.engines import (
    case_validator,
    case_warnings_ignored,
    foreign_warnings_ignored,
    pandas_frame_of,
    polars_validator,
)
from tests.gx_polars.frames import as_written, mixed_columns, polars_frame, with_declared_instants

ROW_NUMBERS = {"partial_unexpected_index_list", "unexpected_index_list"}
ROW_LEVEL = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)


@dataclass(frozen=True)
class Ran:
    """What one engine made of a case: its result, and what GX's checker has against it (None if nothing)."""

    result: ExpectationValidationResult | None
    complaint: str | None

    @property
    def outcome(self) -> dict[str, Any]:
        return RAISED if self.result is None else outcome(self.result)


@dataclass(frozen=True)
class Prepared:
    """A case with its data in the form that every engine can hold, and what the reference engine makes of it."""

    case: Case
    frames: dict[str, pl.DataFrame | pl.LazyFrame]
    reference: Ran
    retyped: frozenset[str]

    @property
    def is_altered(self) -> bool:
        """Whether the case's outcome was true of its own data and is not of the data with one type per column."""
        if not self.retyped or self.reference.complaint is None:
            return False
        return run_reference(self.case, self.case.data).complaint is None


def has_row_key(case: Case) -> bool:
    """GX's harness adds a column `pk_index` to the data of row-level expectations."""
    return issubclass(get_expectation_impl(case.expectation), ROW_LEVEL)


def reads(arguments: Any, column: str) -> bool:
    """Whether a column is named anywhere in the arguments."""
    if isinstance(arguments, dict):
        return any(reads(value, column) for value in arguments.values())
    if isinstance(arguments, list):
        return any(reads(value, column) for value in arguments)
    return isinstance(arguments, str) and column in arguments


def prepare(case: Case) -> Prepared:
    """Builds the frames of a case and runs the reference on the same data."""
    mixed = mixed_columns(_pandas_frame(case, case.data))
    retyped = frozenset(name for name in mixed if reads(case.arguments, name))
    choices = [case.data | stand_in for stand_in in _stand_ins(case, mixed)] if mixed else [case.data]
    references = [run_reference(case, data) for data in choices]
    held = next((at for at, reference in enumerate(references) if reference.complaint is None), -1)
    return Prepared(case, _frames(case, choices[held]), references[held], retyped)


def _frames(case: Case, data: dict[str, list[Any]]) -> dict[str, pl.DataFrame | pl.LazyFrame]:
    """The case's table as a frame, as a lazy frame, and with whole numbers beside missing values kept whole."""
    hints = _hints(case)
    pandas_frame = _pandas_frame(case, data)
    if case.backend == "sqlite":
        pandas_frame = with_declared_instants(pandas_frame, hints)
    frame = polars_frame(pandas_frame)
    frames: dict[str, pl.DataFrame | pl.LazyFrame] = {"eager": frame, "lazy": frame.lazy()}
    if not hints:
        written = as_written(data | ({"pk_index": frame["pk_index"].to_list()} if has_row_key(case) else {}))
        if written.columns == frame.columns and written.schema != frame.schema:
            frames["as written"] = written
    return frames


def _hints(case: Case) -> dict[str, str]:
    schemas = case.schemas or {}
    return (
        schemas.get("pandas", {}) if case.backend == "pandas" else schemas.get("sqlite") or schemas.get("spark") or {}
    )


def _pandas_frame(case: Case, data: dict[str, list[Any]]) -> pd.DataFrame:
    with foreign_warnings_ignored():
        built = case_validator("pandas", copy.deepcopy(data), case.schemas, row_key=has_row_key(case))
    return pandas_frame_of(built)


def _stand_ins(case: Case, mixed: set[str]) -> Iterator[dict[str, list[Any]]]:
    """The columns of mixed types as text, and in the dataset's own version for typed columns, if that has as many rows."""
    columns = case.data
    yield {name: [None if value is None else str(value) for value in columns[name]] for name in mixed}
    typed = {name: values for name, values in (case.data_for_typed_columns or {}).items() if name in mixed}
    same_rows = all(len(values) == len(columns[name]) for name, values in typed.items())
    if typed.keys() == mixed and same_rows and not mixed_columns(pd.DataFrame(typed)):
        yield typed


def run(case: Case, validator: Validator) -> Ran:
    """Evaluates the case with GX's own evaluator."""
    test = copy.deepcopy(case.test)
    with contextlib.redirect_stdout(io.StringIO()), case_warnings_ignored():
        try:
            result, complaint, _ = evaluate_json_test_v3_api(
                validator, case.expectation, test, raise_exception=False, pk_column=has_row_key(case)
            )
        except Exception as error:  # noqa: BLE001 - whatever the engine throws is what it makes of the case
            return Ran(None, f"{type(error).__name__}: {error}")
    return Ran(result, complaint)


def run_reference(case: Case, data: dict[str, list[Any]]) -> Ran:
    """The pandas engine, or SQLite where pandas has no such expectation."""
    with foreign_warnings_ignored():
        built = case_validator(case.backend, copy.deepcopy(data), case.schemas, row_key=has_row_key(case))
        return run(case, built)


def objections(prepared: Prepared, frame: pl.DataFrame | pl.LazyFrame) -> list[str]:
    """What speaks against our outcome, one sentence each; nothing if the case holds."""
    case, reference = prepared.case, prepared.reference
    ours = run(case, polars_validator(frame))
    unlike = differences(
        _comparable(ours.outcome, reference) if case.backend == "sqlite" else ours.outcome, reference.outcome
    )
    found = [f"differs from the reference engine in {line}" for line in unlike]
    raises = ours.outcome == RAISED
    judged_by_checker = raises or found or case.expectation in NAMES_A_DTYPE
    if judged_by_checker and ours.complaint is not None and reference.complaint is None:
        found.append(f"the case does not hold: {_short(ours.complaint)}")
    if raises and reference.outcome != RAISED:
        found.append(f"raised: {_short(messages(ours.result) if ours.result else str(ours.complaint))}")
    return found


def _comparable(ours: dict[str, Any], reference: Ran) -> dict[str, Any]:
    """Our outcome without row numbers where the reference has none: tables of a database are not numbered."""
    return {key: item for key, item in ours.items() if key not in ROW_NUMBERS or key in reference.outcome}


def _short(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else text[:limit] + " ..."
