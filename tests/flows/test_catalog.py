"""The catalogue: flows that exist, forms that are described, and the file that is generated from it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from backstop.settings import Feed
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
    assert spreads == {"backfill/mlb", spread.DEPLOYMENT}
    assert [each.full_name for each in CATALOG if each.queue == parts.queue] == [spread.DEPLOYMENT]
    assert parts.limit is None


def test_no_run_keeps_its_place_for_ever():
    assert [each.full_name for each in CATALOG if not flow_of(each).timeout_seconds] == []


def test_prices_depend_on_the_odds_feed_and_slates_do_not():
    assert [each.flow_name for each in CATALOG if "needs-theodds" in each.all_tags] == ["odds-refresh"]
    assert not [each for each in CATALOG if Feed.SPORTRADAR in each.feeds], "the second source stops nothing"
