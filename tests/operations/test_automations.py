"""Automations as they should stand: whose breaker pauses what, whom a webhook tells, in JSON whatever a run is called."""

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

from backstop.settings import Feed
from deployments import automations, catalog, recipe
from deployments.automations import RUN_SAID, SAID, wanted
from deployments.catalog import CATALOG, Deployment, depending_on

IDS = {each.full_name: uuid4() for each in CATALOG}
HOOK = UUID(int=7)


def named(made):
    return {each.name.removeprefix(automations.PREFIX): each for each in made}


def test_every_feed_that_deployments_need_has_a_pair_and_no_other():
    needed = {feed for feed in Feed if depending_on(feed)}
    assert set(named(wanted(IDS, None))) == {f"{feed} is {word}" for feed in needed for word in ("down", "back")}
    assert Feed.SPORTRADAR not in needed, "the second source stops nothing"


@pytest.mark.parametrize("feed", [feed for feed in Feed if depending_on(feed)])
def test_a_breaker_pauses_exactly_what_cannot_do_without_its_feed_and_resumes_the_same(feed):
    found = named(wanted(IDS, None))
    down, back = found[f"{feed} is down"], found[f"{feed} is back"]
    ids = {IDS[each.full_name] for each in CATALOG if feed in each.feeds}
    assert {action.deployment_id for action in down.actions} == {action.deployment_id for action in back.actions} == ids
    assert {action.type for action in down.actions} == {"pause-deployment"}
    assert {action.type for action in back.actions} == {"resume-deployment"}
    assert (down.trigger.expect, back.trigger.expect) == ({"backstop.breaker.open"}, {"backstop.breaker.closed"})
    assert down.trigger.match.model_dump() == {"prefect.resource.id": f"backstop.feed.{feed}"}


def test_what_is_not_registered_is_not_paused():
    only = {name: each for name, each in IDS.items() if name == "odds-refresh/mlb"}
    assert set(named(wanted(only, None))) == {"theodds is down", "theodds is back"}
    assert wanted({}, None) == []


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
