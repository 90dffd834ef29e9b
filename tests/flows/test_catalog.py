"""The catalogue: flows that exist, forms that are described, and the file that is generated from it."""

from __future__ import annotations

import json
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from backstop.settings import Feed
from backstop.store.keys import SPORT
from deployments import recipe
from deployments.apply import flow_of
from deployments.catalog import CATALOG, QUEUES
from tasks import spread

WANTED = {
    "slate-refresh", "reconcile", "backfill", "odds-refresh", "slate-grade", "history-refresh", "canary",
    "lake-maintenance", "register-refresh",
}  # fmt: skip


def test_every_flow_that_is_operated_is_named():
    assert {each.flow_name for each in CATALOG} == WANTED


@pytest.mark.parametrize("deployment", CATALOG, ids=lambda each: each.full_name)
def test_a_deployment_names_a_flow_that_exists_with_described_parameters(deployment):
    flow = flow_of(deployment)
    assert flow.name == deployment.flow_name
    schema = flow.parameters.model_dump()["properties"]
    for name, field in schema.items():
        assert len(field.get("description", "")) > 10, name
    assert set(deployment.parameters) <= set(schema)
    assert deployment.queue in {queue.name for queue in QUEUES}
    assert len(deployment.description) > 60
    if deployment.schedule:
        assert ZoneInfo(deployment.schedule.timezone)
        assert len(deployment.schedule.cron.split()) == 5


def test_every_parameter_may_be_left_out_so_that_a_schedule_can_run_every_flow():
    for deployment in CATALOG:
        assert not flow_of(deployment).parameters.required, deployment.full_name


def test_the_yaml_file_is_what_the_catalogue_says():
    assert recipe.FILE.read_text(encoding="utf-8") == recipe.text(), "run python -m deployments.recipe"


def test_parts_of_a_backfill_wait_in_a_queue_in_which_no_run_waits_for_parts():
    (parts,) = [each for each in CATALOG if each.full_name == spread.DEPLOYMENT]
    spreads = {
        each.full_name for each in CATALOG if "spread_days" in flow_of(each).parameters.model_dump()["properties"]
    }
    assert spreads == {f"backfill/{SPORT}", spread.DEPLOYMENT}
    assert [each.full_name for each in CATALOG if each.queue == parts.queue] == [spread.DEPLOYMENT]
    assert parts.limit is None


def test_no_run_keeps_its_place_for_ever():
    assert [each.full_name for each in CATALOG if not flow_of(each).timeout_seconds] == []


def test_prices_depend_on_the_odds_feed_and_slates_do_not():
    assert [each.flow_name for each in CATALOG if "needs-theodds" in each.all_tags] == ["odds-refresh"]
    assert not [each for each in CATALOG if Feed.SPORTRADAR in each.feeds], "the second source stops nothing"


OTHER_SPORT = """
import json, datetime as dt
from backstop.store import keys
keys.SPORT = "puck"
from backstop.cache import keys as cached
from deployments import api, automations, catalog
from tasks import marks, spread, upkeep
slate = keys.SlateKeys(dt.date(2025, 1, 1))
named = [each.full_name for each in catalog.CATALOG]
tagged = sorted({tag for each in catalog.CATALOG for tag in each.all_tags})
print(json.dumps({
    "keys": [slate.current, slate.rows(1, "props", 0), keys.days(), keys.published(), cached.PREFIX],
    "deployments": named, "tags": tagged, "started": [spread.DEPLOYMENT, api.DEPLOYMENT, automations.RECONCILE],
}))
"""


def test_another_sport_is_said_in_one_place_and_every_key_and_deployment_follows():
    said = subprocess.run([sys.executable, "-c", OTHER_SPORT], check=True, capture_output=True, text=True)
    found = json.loads(said.stdout.splitlines()[-1])
    assert all(key.startswith("bs:puck") for key in found["keys"])
    assert "puck" in found["tags"]
    assert set(found["started"]) < set(found["deployments"])
    assert "mlb" not in said.stdout
