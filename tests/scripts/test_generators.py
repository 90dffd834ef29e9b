"""Generators of pages: what they read off the code, and that `--check` tells a stale page from a fresh one."""

from __future__ import annotations

import ast
import sys

import pytest

from deployments.catalog import Deployment, Schedule
from scripts import api_pages, flow_pages, gx_polars_table, keys, pages


@pytest.fixture
def command(monkeypatch):
    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
        return module.main()

    return run


def test_pages_are_written_once_and_those_that_are_old_or_absent_are_named(command, monkeypatch, tmp_path, capsys):
    made = {"a.md": lambda: iter(["# A", "", "Text π.", ""]), "b.md": lambda: iter(["# B"])}
    monkeypatch.setattr(pages, "REFERENCE", tmp_path / "docs" / "reference")
    monkeypatch.setattr(pages, "PAGES", made)
    assert command(pages, "--check") == 1
    assert capsys.readouterr().err == "not up to date: a.md, b.md; run python -m scripts.pages\n"
    assert command(pages) == 0
    assert (pages.REFERENCE / "a.md").read_text(encoding="utf-8") == "# A\n\nText π.\n"
    assert command(pages, "--check") == 0
    (pages.REFERENCE / "b.md").write_text("# B", encoding="utf-8")
    assert command(pages, "--check") == 1
    assert capsys.readouterr().err.startswith("not up to date: b.md;")


def test_the_page_of_keys_is_checked_and_renewed(command, monkeypatch, tmp_path):
    monkeypatch.setattr(keys, "PAGE", tmp_path / "keys.md")
    keys.PAGE.write_text("old")
    assert command(keys, "--check") == 1
    assert command(keys) == 0
    assert command(keys, "--check") == 0
    assert "{day}" in keys.PAGE.read_text()
    assert "{{" not in keys.PAGE.read_text()


def test_the_table_of_expectations_is_put_between_its_marks_and_nothing_else_is_touched(
    command, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(gx_polars_table, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(gx_polars_table, "table", lambda: "| a table |")
    monkeypatch.setattr(gx_polars_table.logging, "disable", lambda _: None)
    before, after = "# Before\n\n", "\n\n## After\n"
    gx_polars_table.PAGE.write_text(f"{before}{gx_polars_table.START}\nold\n{gx_polars_table.END}{after}")
    assert command(gx_polars_table, "--check") == 1
    assert "README.md is stale: run python -m scripts.gx_polars_table" in capsys.readouterr().out
    assert command(gx_polars_table) == 0
    text = gx_polars_table.PAGE.read_text()
    assert text == f"{before}{gx_polars_table.START}\n\n| a table |\n\n{gx_polars_table.END}{after}"
    assert command(gx_polars_table, "--check") == 0


def test_an_expectation_that_nothing_answers_and_no_reason_is_given_for_is_not_passed_over(monkeypatch):
    class Strange:
        metric_dependencies = ("no.such.metric",)

    with pytest.raises(
        LookupError, match=r"expect_wonders needs \('no.such.metric',\); not all have a Polars provider"
    ):
        gx_polars_table.row("expect_wonders", Strange)
    monkeypatch.setitem(gx_polars_table.UNSUPPORTED, "expect_wonders", "there are none")
    assert gx_polars_table.row("expect_wonders", Strange) == ("expect_wonders", "no", "there are none")


# flows and deployments

FLOW = '''
from prefect import flow
from tasks import grade, marks, results, runs, slate

@flow(name="toy-flow", timeout_seconds=60, **marks.HOOKS)
def toy(day: SomeDay = None, limit: int = 3) -> None:
    """Do a thing.

    And say more.

    Args:
        day: A day | or none.
        limit: How many.
    """
    day = day or runs.today()
    if limit:
        grade.grade_slate(day, slate.plan_boxes(day))
    for each in slate.batches():
        grade.grade_slate(each, None)
    helper(results.gather([]))

@flow(name="bare")
def bare():
    """Nothing to give it."""
    slate.only()

def helper(x):
    slate.never_named()
'''


@pytest.fixture
def toys(tmp_path, monkeypatch):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "toys.py").write_text(FLOW)
    known = (
        Deployment("flows.toys.toy", "toy-flow", "Runs it.", ("toy",), schedule=Schedule("daily", "0 6 * * *")),
        Deployment("flows.toys.toy", "toy-flow", "By hand.", ("toy",), limit=None, queue="backfill", name="other"),
        Deployment("flows.toys.bare", "bare", "Once.", (), collision="CANCEL_NEW"),
    )
    monkeypatch.setattr(flow_pages, "ROOT", tmp_path)
    monkeypatch.setattr(flow_pages.catalog, "CATALOG", known)


@pytest.mark.usefixtures("toys")
def test_a_flow_is_told_by_its_docstring_its_parameters_and_its_steps_in_the_order_of_the_work():
    text = "\n".join(flow_pages.flows_page())
    assert "## toy-flow\n\nDo a thing.\n\nAnd say more.\n" in text
    assert "`flows.toys.toy`; deployments `toy-flow/mlb`, `toy-flow/other`." in text
    assert "| `day` | `SomeDay` | `None` | A day \\| or none. |\n| `limit` | `int` | `3` | How many. |" in text
    assert "Steps: `slate.plan_boxes`, `grade.grade_slate`, `slate.batches`." in text
    bare = text.partition("## bare")[2]
    assert "deployment `bare/mlb`." in bare
    assert "| Parameter |" not in bare
    assert "never_named" not in text


@pytest.mark.usefixtures("toys")
def test_a_deployment_is_told_by_when_it_runs_how_many_at_once_and_what_it_needs():
    lines = "\n".join(flow_pages.deployments_page()).splitlines()
    assert "| `toy-flow/mlb` | `0 6 * * *` America/New_York | 1 | `default` | nothing |" in lines
    assert "| `toy-flow/other` | when it is started | any number | `backfill` | nothing |" in lines
    assert "| `bare/mlb` | when it is started | 1, a run more is cancelled | `default` | nothing |" in lines
    assert "Flow `flows.toys.toy`, tags `backstop`, `mlb`, `toy`." in lines


@pytest.mark.parametrize("decorator", ["task(name='x')", "flow", "prefect.flow(name='x')", "other.flow(name='x')"])
def test_what_is_not_decorated_as_a_flow_is_none(decorator):
    assert flow_pages._flow_options(ast.parse(decorator, mode="eval").body) is None


# the HTTP API


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1_000}, "integer, 1 to 1,000"),
        ({"type": "integer", "minimum": 1}, "integer"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "pattern": "^a$"}, "string `^a$`"),
        ({"enum": ["over", None, "under"]}, "`over`, `under`"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "date"),
        ({"anyOf": [{"type": "integer"}, {"enum": ["all"]}]}, "integer or `all`"),
        ({}, "any"),
    ],
)
def test_what_a_value_may_be_is_said_in_a_few_words(schema, form):
    assert api_pages._form(schema) == form


DOCUMENT = {"components": {"schemas": {"Slate": {"properties": {"day": {}, "version": {}}}, "Empty": {}}}}


def content(name, *others):
    return {
        "application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}, **{media: {} for media in others}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"description": "Successful Response", "content": content("Slate")}, "`Slate`: `day`, `version`"),
        ({"description": "No such slate", "content": content("ProblemDocument")}, "No such slate"),
        ({"description": "Not | modified"}, "Not \\| modified"),
        ({"description": "Accepted", "content": {"text/csv": {}}}, "`text/csv`"),
        ({"description": "Successful Response", "content": content("Slate", "text/csv")}, "`Slate`: `day`, `version` or `text/csv`"),
    ],
)  # fmt: skip
def test_an_answer_is_told_by_its_fields_or_by_its_meaning(answer, said):
    assert api_pages._answer(DOCUMENT, answer) == said


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("backstop_request_seconds", "s"),
        ("backstop_published_timestamp_seconds", "Unix time, s"),
        ("backstop_body_bytes", "bytes"),
        ("backstop_requests", "count"),
        ("backstop_redis_up", "0 or 1"),
    ],
)
def test_the_unit_of_a_metric_is_the_end_of_its_name(metric, unit):
    assert api_pages._unit(metric) == unit


@pytest.mark.parametrize("change", [lambda kinds: kinds.pop("ping"), lambda kinds: kinds.update(more=[])])
def test_a_message_that_nobody_described_or_that_nobody_sends_stops_the_page(monkeypatch, change):
    sent = dict(api_pages.message_fields())
    change(sent)
    monkeypatch.setattr(api_pages, "message_fields", lambda: sent)
    with pytest.raises(ValueError, match=r"The WebSocket sends .*; see MESSAGES"):
        list(api_pages._socket())
