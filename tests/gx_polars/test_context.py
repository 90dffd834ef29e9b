"""The engine inside a context: definitions, checkpoints with actions, Data Docs, a context read back from disk, scans."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.checkpoint import UpdateDataDocsAction
from great_expectations.checkpoint.actions import ActionContext, ValidationAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.core.freshness_diagnostics import FreshnessDiagnostics
from great_expectations.data_context import AbstractDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig

import gx_polars
from tests.gx_polars.comparison import differences, outcome
from tests.gx_polars.gold import PAIRS_OF_ALL, TABLE

PEOPLE = pl.DataFrame({"name": ["Ann", "Bob", "Eve"], "age": [34, -7, 51], "team": ["a", "b", "a"]})


def people_suite() -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        "people",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="age", min_value=0, max_value=120, severity="warning"),
            gxe.ExpectColumnValuesToBeUnique(column="name"),
            gxe.ExpectColumnDistinctValuesToBeInSet(column="team", value_set=["a", "b"]),
        ],
    )


class CountFailures(ValidationAction):
    """An action of a user: it sees the result of every definition."""

    type: Literal["count_failures"] = "count_failures"

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        del action_context
        results = [each for run in checkpoint_result.run_results.values() for each in run.results]
        return {"failed": sum(not each.success for each in results)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "project"


def _context(folder: Path) -> AbstractDataContext:
    context = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _checkpoint(context: AbstractDataContext, *actions: ValidationAction) -> gx.Checkpoint:
    source = context.data_sources.add_polars("frames")
    batch = source.add_dataframe_asset("people").add_batch_definition_whole_dataframe("whole")
    suite = context.suites.add(people_suite())
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="people", data=batch, suite=suite))
    made = gx.Checkpoint(
        name="people", validation_definitions=[definition], actions=list(actions), result_format="COMPLETE"
    )
    return context.checkpoints.add(made)


def test_a_checkpoint_runs_its_actions_and_builds_data_docs(folder: Path) -> None:
    context = _context(folder)
    checkpoint = _checkpoint(context, UpdateDataDocsAction(name="docs"), CountFailures(name="failures"))
    result = checkpoint.run(batch_parameters={"dataframe": PEOPLE})
    assert not result.success
    (site,) = context.get_docs_sites_urls()
    assert site["site_url"].endswith("index.html")
    pages = [page for page in folder.rglob("*.html") if "validations" in page.parts]
    assert len(pages) == 1
    text = re.sub("<[^>]+>", " ", pages[0].read_text(encoding="utf-8"))
    assert "-7" in text
    assert re.search(r"1\s+unexpected", text)
    assert "Expr" not in text  # no repr of an engine's object in the page


def test_a_context_read_back_from_disk_validates_as_before(folder: Path) -> None:
    first = _checkpoint(_context(folder)).run(batch_parameters={"dataframe": PEOPLE})
    again = _context(folder).checkpoints.get("people").run(batch_parameters={"dataframe": PEOPLE.lazy()})
    (before,), (after,) = first.run_results.values(), again.run_results.values()
    assert before.statistics == after.statistics
    for one, two in zip(before.results, after.results, strict=True):
        assert differences(outcome(two), outcome(one)) == []
    assert "type: polars" in (folder / "gx" / "great_expectations.yml").read_text(encoding="utf-8")


def test_all_expectations_give_the_same_through_a_definition_and_render(folder: Path) -> None:
    context = _context(folder)
    batch = context.data_sources.add_polars("gold").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")

    def asked() -> list[gxe.Expectation]:
        return [expectation for pair in PAIRS_OF_ALL for expectation in (pair.passing(), pair.failing())]

    suite = context.suites.add(gx.ExpectationSuite("gold", expectations=asked()))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="gold", data=batch, suite=suite))
    stored = definition.run(batch_parameters={"dataframe": TABLE}, result_format="COMPLETE")
    compiled = gx_polars.validate(TABLE, gx.ExpectationSuite("gold", expectations=asked()), result_format="COMPLETE")
    assert stored.statistics == compiled.statistics
    for one, two in zip(compiled.results, stored.results, strict=True):
        assert one.expectation_config.type == two.expectation_config.type
        assert differences(outcome(one), outcome(two)) == []
    context.build_data_docs()
    (page,) = [page for page in folder.rglob("*.html") if "validations" in page.parts]
    assert page.read_text(encoding="utf-8").count("cooltip") > 0
    assert json.dumps(stored.to_json_dict())


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_scan_asset_validates_files_that_are_never_loaded_whole(tmp_path: Path, kind: str) -> None:
    for team in ("a", "b"):
        part = PEOPLE.filter(team=team)
        (part.write_parquet if kind == "parquet" else part.write_csv)(tmp_path / f"{team}.{kind}")
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_polars("files")
    add = source.add_parquet_asset if kind == "parquet" else source.add_csv_asset
    batch = add("people", str(tmp_path / f"*.{kind}")).add_batch_definition_whole_scan("all")
    suite = context.suites.add(people_suite())
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="files", data=batch, suite=suite))
    result = definition.run(result_format="COMPLETE")
    by_type = {each.expectation_config.type: each for each in result.results}
    assert by_type["expect_column_values_to_be_between"].result["unexpected_list"] == [-7]
    assert by_type["expect_column_values_to_be_unique"].success


def test_a_partition_is_chosen_by_batch_parameters(tmp_path: Path) -> None:
    for team in ("a", "b"):
        part = tmp_path / "hive" / f"team={team}" / "part.parquet"
        part.parent.mkdir(parents=True)
        PEOPLE.filter(team=team).drop("team").write_parquet(part)
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_polars("lake").add_parquet_asset(
        "people", str(tmp_path / "hive" / "**" / "*.parquet"), partitions=["team"]
    )
    batch = asset.add_batch_definition_whole_scan("team")
    suite = context.suites.add(
        gx.ExpectationSuite("rows", expectations=[gxe.ExpectTableRowCountToEqual(value=2)]),
    )
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="lake", data=batch, suite=suite))
    assert definition.run(batch_parameters={"team": "a"}).success
    assert not definition.run(batch_parameters={"team": "b"}).success


def test_importing_the_package_is_all_the_set_up_there_is() -> None:
    assert gx_polars.PolarsExecutionEngine.__name__ == "PolarsExecutionEngine"
    assert hasattr(gx.get_context(mode="ephemeral").data_sources, "add_polars")


def test_freshness_of_a_definition_is_not_in_the_way_of_a_run(folder: Path) -> None:
    context = _context(folder)
    _checkpoint(context)
    definition = context.validation_definitions.get("people")
    freshness = definition.is_fresh()
    assert isinstance(freshness, FreshnessDiagnostics)
    assert freshness.success
