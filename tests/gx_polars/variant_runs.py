"""Puts random variants of Great Expectations' own cases to our engine and to the one that the case is written for.

python -m tests.gx_polars.variant_runs --seed 1 --count 2000      # every variant whose whole result differs, with its data
"""

from __future__ import annotations

import argparse
import copy
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import great_expectations as gx
from great_expectations.core import ExpectationValidationResult
from great_expectations.validator.validator import Validator

from tests.conftest import SHARED
from tests.gx_polars.cases import Case, read_cases
from tests.gx_polars.comparison import NAMES_A_DTYPE, RAISED, differences, messages, outcome
from tests.gx_polars.corpus import ROW_NUMBERS
from tests.gx_polars.engines import case_validator, foreign_warnings_ignored, pandas_validator, polars_validator
from tests.gx_polars.frames import is_missing, mixed_columns, polars_frame
from tests.gx_polars.variants import Changes, Variant, base

COMPARES_TYPED = (
    "text compares with text only",
    "has the time zone",
    "give a value with a zone",
    "give a date, datetime or text",
)


def run(validator: Validator, variant: Variant) -> ExpectationValidationResult | Exception:
    try:
        expectation = variant.configuration().to_domain_obj()
        suite = gx.ExpectationSuite("v", expectations=[expectation])
        judged: Any = validator.validate(suite, result_format=copy.deepcopy(variant.result_format))
        return cast("ExpectationValidationResult", judged.results[0])
    except Exception as error:  # noqa: BLE001 - whatever is raised is what the engine makes of it
        return error


def _outcome(result: ExpectationValidationResult | Exception) -> dict[str, Any]:
    return RAISED if isinstance(result, Exception) else outcome(result)


def _comparable(fields: dict[str, Any], variant: Variant) -> dict[str, Any]:
    """The outcome without row numbers where the reference is a database, whose rows have none."""
    return {key: item for key, item in fields.items() if variant.case.backend == "pandas" or key not in ROW_NUMBERS}


def reason(result: ExpectationValidationResult | Exception) -> str:
    return f"{type(result).__name__}: {result}" if isinstance(result, Exception) else messages(result)


def compared(variant: Variant) -> tuple[list[str], str]:
    """Return one line for each difference from the reference engine's result, and why it is meant if it is."""
    with foreign_warnings_ignored():
        ours = run(polars_validator(polars_frame(variant.frame)), variant)
        theirs = run(_reference(variant), variant)
    if isinstance(ours, Exception) and isinstance(theirs, Exception):
        return [], ""
    fields = [_comparable(_outcome(each), variant) for each in (ours, theirs)]
    found = differences(*fields)
    if found and RAISED in fields:
        found.append(f"ours: {reason(ours)[:300]}; theirs: {reason(theirs)[:300]}")
    return found, meant(reason(ours), fields, variant, found)


def _reference(variant: Variant) -> Validator:
    if variant.case.backend == "pandas":
        return pandas_validator(variant.frame)
    columns = [name for name in variant.frame if name != "pk_index"]
    data = {name: [None if is_missing(v) else v for v in variant.frame[name].astype(object)] for name in columns}
    return case_validator("sqlite", data, variant.case.schemas, row_key=variant.row_key)


def meant(our_reason: str, fields: list[dict[str, Any]], variant: Variant, found: list[str]) -> str:
    """Why a difference is meant, as the README of the package says; empty if it is not."""
    ours, theirs = (each == RAISED for each in fields)
    arguments, case = variant.arguments, variant.case
    reasons = {
        "answered where the reference engine raises": theirs and not ours,
        "a comparison of text with numbers is refused": ours and any(words in our_reason for words in COMPARES_TYPED),
        "of a column paired with itself pandas lists each value four times": (
            "column_A" in arguments and arguments["column_A"] == arguments["column_B"]
        ),
        "pandas lists missing values one by one and cuts the list": (
            case.expectation == "expect_column_values_to_not_be_null"
            and all(line.startswith("partial_unexpected_counts") for line in found)
        ),
        "a Float32 column holds 1.1 as it holds it: pandas says so of == and not of isin": (
            "float32" in {str(dtype) for dtype in variant.frame.dtypes} and "value_set" in arguments
        ),
        "LIKE heeds case, as in PostgreSQL; SQLite's does not": (
            case.backend == "sqlite" and "like_pattern" in case.expectation and _has_capitals(variant)
        ),
        "SQL drops the rows whose condition is unknown, and counts nothing of no rows": (
            case.backend == "sqlite" and (variant.frame.empty or arguments.get("row_condition") is not None)
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _has_capitals(variant: Variant) -> bool:
    values = variant.frame.get(variant.arguments.get("column"), [])
    return any(isinstance(value, str) and value != value.lower() for value in values)


def variants(cases: list[Case], seed: int) -> Iterator[tuple[int, Variant]]:
    """Variants without end, each with the seed that makes it again; those that no typed frame can hold are left out."""
    # the reference judges an `object` column value by value and knows types by pandas' names: nothing to compare
    usable = [case for case in cases if case.expectation not in NAMES_A_DTYPE and isinstance(case.arguments, dict)]
    dice = random.Random(seed)
    while True:
        own_seed = dice.randrange(2**32)
        own = random.Random(own_seed)
        variant = base(own.choice(usable))
        Changes(own, variant).some()
        if not mixed_columns(variant.frame):
            yield own_seed, variant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, default=SHARED / "gx_cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=500)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, outcomes = time.monotonic(), Counter[str]()
    cases = [case for case in read_cases(asked.cases) if asked.only in case.name]
    for at, (seed, variant) in enumerate(variants(cases, asked.seed)):
        if at == asked.count or time.monotonic() - began > asked.seconds:
            break
        found, why = compared(variant)
        outcomes[(why or "DIFFERENT") if found else "identical"] += 1
        if found and not why:
            sys.stdout.write("\n    ".join([f"seed {seed} {variant.told()}", *found]) + "\n")
    sys.stdout.write(f"{dict(outcomes)}\n")
    return outcomes["DIFFERENT"]


if __name__ == "__main__":
    sys.exit(main())
