"""Automations as they should stand: what a breaker that moves starts, whom a webhook tells, in JSON whatever a run is called."""

from __future__ import annotations

import importlib
import json
import warnings
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
    templates = importlib.import_module("prefect.server.utilities.user_templates")

from deployments import automations, catalog, recipe
from deployments.automations import RUN_SAID, SAID, wanted
from deployments.catalog import CATALOG, Deployment

IDS = {each.full_name: uuid4() for each in CATALOG}
HOOK = UUID(int=7)


def named(made):
    return {each.name.removeprefix(automations.PREFIX): each for each in made}


@pytest.mark.parametrize(("name", "event"), [("feed down", "open"), ("feed back", "closed")])
def test_a_breaker_that_moves_lets_reconcile_compare_at_once_and_a_flapping_one_starts_no_storm(name, event):
    made = named(wanted(IDS, None))
    assert set(made) == {"feed down", "feed back"}
    trigger, (action,) = made[name].trigger, made[name].actions
    assert (action.type, action.deployment_id) == ("run-deployment", IDS["reconcile/mlb"])
    assert trigger.expect == {f"backstop.breaker.{event}"}
    assert trigger.match.model_dump() == {"prefect.resource.id": "backstop.feed.*"}
    assert trigger.for_each == {"prefect.resource.id"}, "each feed, not one for all"
    assert (trigger.threshold, trigger.within) == (1, automations.AT_MOST_EVERY)


def test_without_reconcile_on_the_server_no_breaker_starts_it():
    others = {name: each for name, each in IDS.items() if name != "reconcile/mlb"}
    assert wanted(others, None) == []


def test_a_webhook_is_told_of_late_degraded_and_failed_work_and_without_one_nobody_is():
    found = named(wanted({}, HOOK))
    assert set(found) == {"late slate", "degraded slate", "failed slate", "failed grade"}
    assert {action.block_document_id for each in found.values() for action in each.actions} == {HOOK}
    assert found["late slate"].trigger.within == automations.AGAIN_AFTER
    assert found["late slate"].trigger.for_each == {"prefect.resource.id"}, "each slate once, not once for all"
    assert found["failed grade"].trigger.match_related.model_dump()["prefect.resource.name"] == "slate-grade"
    assert all(each.tags == [catalog.MANAGED] for each in found.values())


def rendered(template, **context):
    return json.loads(templates.render_user_template_sync(template, context))


NAMES = ["slate 2025-06-15", 'mine, "the best"', "back\\slash", "two\nlines", "José {{ 1 }}", "<b>"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_webhook_is_sent_is_json_whatever_somebody_called_the_run(name):
    run = SimpleNamespace(name=name, state=SimpleNamespace(name="Failed"))
    event = SimpleNamespace(event="prefect.flow-run.Failed")
    assert rendered(RUN_SAID, flow=SimpleNamespace(name="slate-refresh"), flow_run=run, event=event) == {
        "text": f"slate-refresh {name} ended as Failed", "event": "prefect.flow-run.Failed"
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_about_a_slate_is_sent_as_it_was_said(name):
    event = SimpleNamespace(event="backstop.slate.late", payload={"sentence": name})
    assert rendered(SAID, event=event) == {"text": name, "event": "backstop.slate.late"}


# prefect.yaml


def test_the_yaml_file_says_every_deployment_with_what_was_declared_and_nothing_that_was_not(monkeypatch):
    bare = Deployment("flows.a.a", "a", "Äh: one.", ())
    full = Deployment(
        "flows.b.b", "b", "Two.", ("x",), schedule=catalog.Schedule("daily", "0 6 * * *"), parameters={"n": 1},
        collision="CANCEL_NEW", queue="backfill", name="other",
    )  # fmt: skip
    endless = Deployment("flows.c.c", "c", "Three.", (), limit=None)
    monkeypatch.setattr(recipe, "CATALOG", (bare, full, endless))
    text = recipe.text()
    assert text.startswith("# Generated from deployments/catalog.py")
    assert "Äh: one." in text
    first, second, third = yaml.safe_load(text)["deployments"]
    assert first == {
        "name": "mlb", "flow_name": "a", "description": "Äh: one.", "tags": ["backstop", "mlb"], "entrypoint": "flows.a.a",
        "parameters": {}, "work_pool": {"name": "backstop", "work_queue_name": "default"},
        "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
    }  # fmt: skip
    assert second["schedules"] == [
        {"slug": "daily", "cron": "0 6 * * *", "timezone": "America/New_York", "active": True}
    ]
    assert (second["parameters"], second["concurrency_limit"]["collision_strategy"]) == ({"n": 1}, "CANCEL_NEW")
    assert "concurrency_limit" not in third


def test_the_file_is_written_where_prefect_looks_for_it(monkeypatch, tmp_path):
    monkeypatch.setattr(recipe, "FILE", tmp_path / "prefect.yaml")
    recipe.main()
    assert (tmp_path / "prefect.yaml").read_text(encoding="utf-8") == recipe.text()
