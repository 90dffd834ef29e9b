"""The suites of this repository run through the engine, and nothing on the way becomes pandas or rows of Python."""

from __future__ import annotations

import re
from pathlib import Path

import great_expectations as gx
import polars as pl
import pytest

import gx_polars
from tests.expectations.cases import SUITES
from tests.gx_polars.comparison import outcome
from tests.gx_polars.engines import quiet_context

ROOT = Path(__file__).resolve().parents[2]
CONVERSIONS = ("to_pandas", "to_arrow", "to_numpy", "to_dicts", "to_dict", "rows", "rows_by_key", "iter_rows")


@pytest.fixture
def no_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way out of Polars raises; taking the values that a result shows out of a column does not."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the frame was converted")

    for owner in (pl.DataFrame, pl.Series):
        for name in CONVERSIONS:
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, refuse)


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
@pytest.mark.parametrize("name", SUITES)
@pytest.mark.usefixtures("no_conversion")
def test_sound_rows_pass_a_suite_without_leaving_polars(name: str, lazy: bool) -> None:
    frame = SUITES[name].sound(pl.DataFrame())
    result = gx_polars.validate(frame.lazy() if lazy else frame, SUITES[name].suite, result_format="COMPLETE")
    assert result.success, [each.expectation_config.meta for each in result.results if not each.success]
    assert len(result.results) == len(SUITES[name].suite.expectations)


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
@pytest.mark.parametrize("name", SUITES)
@pytest.mark.usefixtures("no_conversion")
def test_rows_that_break_a_suite_are_found_without_leaving_polars(name: str, lazy: bool) -> None:
    suite = SUITES[name]
    sound = suite.sound(pl.DataFrame())
    for broken in suite.broken:
        frame = broken.change(sound)
        given = frame.lazy() if lazy else frame
        result = gx_polars.validate(given, suite.suite, result_format="COMPLETE")
        found = [each for each in result.results if not each.success or each.result.get("unexpected_count")]
        assert broken.rule in {each.expectation_config.meta["rule"] for each in found}
        if frame.columns == sound.columns:
            assert len(gx_polars.row_mask(given, suite.suite)) == frame.height


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_gives_the_same_through_a_validation_definition(name: str) -> None:
    suite = SUITES[name]
    frame = suite.broken[0].change(suite.sound(pl.DataFrame()))
    context = quiet_context()
    source = context.data_sources.add_or_update_polars(f"project {name}")
    batches = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("whole")
    # without the ids that another context may have given them
    rules = [rule.copy(update={"id": None}) for rule in suite.suite.expectations]
    copied = gx.ExpectationSuite(f"project {name}", expectations=rules)
    definition = gx.ValidationDefinition(name=f"project {name}", data=batches, suite=context.suites.add(copied))
    ordinary = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format="COMPLETE"
    )
    short = gx_polars.validate(frame, suite.suite, result_format="COMPLETE")
    ours = {each.expectation_config.meta["rule"]: outcome(each) for each in short.results}
    theirs = {each.expectation_config.meta["rule"]: outcome(each) for each in ordinary.results}
    assert ours == theirs


def test_nothing_in_the_project_converts_to_pandas() -> None:
    code = [
        path
        for folder in ("src/backstop", "flows", "tasks", "expectations", "deployments")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(code) > 100
    converts = re.compile(r"\bto_pandas\(|\bfrom_pandas\(|^\s*(?:import|from) pandas\b", re.MULTILINE)
    assert [path.name for path in code if converts.search(path.read_text(encoding="utf-8"))] == []
