"""Great Expectations' own JSON test cases, one test per case (not part of the repository, skipped where they are absent).

`GX_CASES=FOLDER pytest tests/gx_polars/test_corpus.py` takes another folder of files in the same form.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.gx_polars.cases import Case, read_cases
from tests.gx_polars.corpus import Prepared, objections, prepare
from tests.gx_polars.left_out import LEFT_OUT
from tests.gx_polars.variant_runs import compared, variants

OTHER = os.environ.get("GX_CASES")
FOLDER = Path(OTHER) if OTHER else SHARED / "gx_cases"


@pytest.fixture
def gx_cases() -> Path:
    if not CASES:
        pytest.skip(f"no cases in {FOLDER.name} beside the checkout: they belong to Great Expectations")
    return FOLDER


CASES = read_cases(FOLDER) if FOLDER.is_dir() else []


def _against(prepared: Prepared) -> list[str]:
    return [f"[{name} frame] {line}" for name, frame in prepared.frames.items() for line in objections(prepared, frame)]


@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case.name if case else "absent")
def test_a_case_of_great_expectations_comes_out_as_it_says(case: Case, gx_cases: Path) -> None:
    prepared = prepare(case)
    against = _against(prepared)
    if case.name in LEFT_OUT:
        assert against or prepared.is_altered, "the case holds now: take it off the list of those left out"
        pytest.skip(f"left out: {case.name}: {LEFT_OUT[case.name]}")
    assert not against, "\n".join(against)
    assert not prepared.is_altered, (
        f"{sorted(prepared.retyped)} as a typed column makes it another case: left out in truth"
    )


@pytest.mark.skipif(OTHER is not None, reason="the list is about the cases beside the repository")
def test_at_most_25_cases_are_left_out_and_each_exists(gx_cases: Path) -> None:
    assert len(LEFT_OUT) <= 25
    assert LEFT_OUT.keys() <= {case.name for case in CASES}


@pytest.mark.skipif(OTHER is not None, reason="the number is that of the cases beside the repository")
def test_most_cases_are_there(gx_cases: Path) -> None:
    """A reader of the files that finds nothing would make every other test here pass."""
    assert len(CASES) >= 400
    assert {case.backend for case in CASES} == {"pandas", "sqlite"}


def test_variants_of_the_cases_come_out_as_with_the_reference_engine(gx_cases: Path) -> None:
    """A few, the same in every run; `python -m tests.gx_polars.variant_runs` draws as many as one likes."""
    for seed, variant in itertools.islice(variants(CASES, seed=2025), 25):
        found, why = compared(variant)
        assert not found or why, "\n".join([f"seed {seed} {variant.told()}", *found])
