"""Applying the catalogue: the server holds what it says, a second time changes nothing, what was dropped goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
)

from backstop.net.breaker import Moved, State
from deployments import apply as applying
from deployments import automations
from deployments.catalog import CATALOG, LIMITS, MANAGED, POOL
from tasks import feeds, runs
from tests.flows.league import EARLY, OFF
from tests.flows.receiver import Receiver

pytestmark = pytest.mark.prefect

WITHIN_S = 120
"""An event passes four services of the server; on a busy machine each takes its time."""


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def applied(prefect_server, receiver, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("apply"))
        patch.setenv("BACKSTOP_NOTIFY_URL", receiver.url)
        yield asyncio.run(applying.apply())
        # a feed that is down in another module's test pauses nothing there
        asyncio.run(without_automations())


async def without_automations():
    async with get_client() as client:
        for each in await client.read_automations():
            await client.delete_automation(each.id)


def again(**changes):
    return asyncio.run(applying.apply(**changes))


async def standing():
    async with get_client() as client:
        ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[MANAGED]))
        deployments = await client.read_deployments(deployment_filter=ours)
        queues = await client.read_work_queues(work_pool_name=POOL)
        limits = await client.read_global_concurrency_limits(limit=200)
        return deployments, queues, limits, await client.read_automations()


def test_pool_queues_limits_deployments_and_automations_stand(applied):
    deployments, queues, limits, standing_automations = asyncio.run(standing())
    assert set(applied.deployments) == {each.full_name for each in CATALOG}
    assert {each.id for each in deployments} == set(applied.deployments.values())
    limited = {queue.name: queue.concurrency_limit for queue in queues}
    assert limited == {"default": None, "backfill": 3, "backfill-parts": 3}
    ours = {limit.name: limit.limit for limit in limits if limit.name.startswith("backstop-")}
    assert ours == LIMITS == {"backstop-days": 25}
    names = {each.name for each in standing_automations}
    assert {"backstop: feed down", "backstop: feed back", "backstop: late slate"} <= names
    by_flow = {each.entrypoint: each for each in deployments}
    assert by_flow["flows.reconcile.reconcile"].schedules[0].schedule.timezone == "America/New_York"
    assert by_flow["flows.reconcile.reconcile"].concurrency_options.collision_strategy == "CANCEL_NEW"


def test_applying_again_changes_nothing_and_keeps_a_pause(applied):
    async def pause(*, paused):
        async with get_client() as client:
            change = client.pause_deployment if paused else client.resume_deployment
            await change(applied.deployments["canary/mlb"])
            return await client.read_deployment(applied.deployments["canary/mlb"])

    asyncio.run(pause(paused=True))
    before = asyncio.run(standing())
    second = again()
    after = asyncio.run(standing())
    assert second.deployments == applied.deployments
    assert second.removed == []
    assert [len(each) for each in before] == [len(each) for each in after]
    assert {each.id for each in before[3]} == {each.id for each in after[3]}
    assert next(each for each in after[0] if each.entrypoint == "flows.canary.canary").paused
    asyncio.run(pause(paused=False))


def test_what_the_catalogue_dropped_is_removed_and_what_others_made_stays(applied):
    @applying_flow
    def strange() -> None: ...

    strange_id = strange.to_deployment(name="mine", work_pool_name=POOL).apply()
    second = again(catalog=[each for each in CATALOG if each.flow_name != "canary"])
    assert [each for each in second.removed if each.startswith("deployment mlb")]
    deployments, *_ = asyncio.run(standing())
    assert len(deployments) == len(CATALOG) - 1

    async def still_there():
        async with get_client() as client:
            return await client.read_deployment(strange_id)

    assert asyncio.run(still_there()).name == "mine"
    applied.deployments |= again().deployments


def applying_flow(function):
    from prefect import flow

    return flow(name="strange")(function)


@pytest.mark.parametrize("after", [State.OPEN, State.CLOSED])
def test_a_breaker_that_moves_starts_reconcile_which_pauses_and_resumes(applied, after):
    def started():
        wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[applied.deployments["reconcile/mlb"]]))
        with get_client(sync_client=True) as client:
            return [run for run in client.read_flow_runs(flow_run_filter=wanted) if run.created_by.type == "AUTOMATION"]

    before = len(started())
    moved = Moved("theodds", State.HALF_OPEN, after, "a probe went out")
    tell_until(lambda: len(started()) > before, lambda: feeds.tell(moved))


def test_a_degraded_and_a_late_slate_are_told_to_the_webhook_once(applied, receiver):
    for _ in range(3):
        runs.tell("degraded", EARLY, "The slate is published with 3 gaps.")
        runs.tell("late", EARLY, 'The slate is "missing".')
    runs.tell("degraded", OFF, "Another slate.")
    wait_until(lambda: len([each for each in receiver.told if each["event"].startswith("backstop.slate")]) >= 3)
    assert sorted(each["text"] for each in receiver.told if each["event"].startswith("backstop.slate")) == [
        "Another slate.",
        'The slate is "missing".',
        "The slate is published with 3 gaps.",
    ]


def test_a_grading_that_fails_is_told_to_the_webhook(applied, receiver, rooms):
    from flows.grade import slate_grade

    rooms.settings |= {"upstream": f"replay:{rooms.home / 'nothing'}"}
    with rooms.environment():
        state = slate_grade(EARLY, return_state=True)
    assert state.is_failed()
    wait_until(lambda: [each for each in receiver.told if each["text"] == f"slate-grade grade {EARLY} ended as Failed"])


def test_without_an_address_nobody_is_told():
    assert {each.name.removeprefix(automations.PREFIX) for each in automations.wanted({}, None)} == set()


def tell_until(condition: Callable[[], object], tell: Callable[[], object]) -> None:
    """Send an event until it has had its effect: what is sent while Prefect's client still connects may be lost."""
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        tell()
        again = time.monotonic() + 10
        while not condition() and time.monotonic() < again:
            time.sleep(0.2)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)
