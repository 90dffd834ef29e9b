"""The smoke test of the versions that pyproject.toml caps: a run completes, cron makes runs, a deploy is accepted.

On versions past the caps each of these fails in its own way: an import error, a refused deploy, or no scheduled run at
all and nothing but a line in the server's log.
"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from prefect import flow, get_client, task
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.runner.storage import LocalStorage

pytestmark = pytest.mark.prefect

SCHEDULED_WITHIN_S = 60
"""The scheduler looks at recent deployments every five seconds."""


@task
def double(number):
    return 2 * number


@flow
def doubled(number: int = 1) -> int:
    return double.submit(number).result()


def test_a_flow_run_completes_and_the_server_knows_it(prefect_server):
    state = doubled(4, return_state=True)
    assert state.result() == 8
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(state.state_details.flow_run_id).state_type is StateType.COMPLETED


def test_a_cron_deployment_on_a_work_pool_is_accepted_and_gets_scheduled_runs(prefect_server, tmp_path):
    pool = f"pool-{uuid4()}"
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    (tmp_path / "caps.py").write_text("from prefect import flow\n\n@flow\ndef nightly():\n    return 1\n")
    deployment_id = (
        flow.from_source(LocalStorage(path=str(tmp_path)), "caps.py:nightly")
        .to_deployment(name=f"caps-{uuid4()}", cron="15 4 * * *", work_pool_name=pool)
        .apply()
    )
    assert _scheduled(deployment_id)


def _scheduled(deployment_id):
    """Wait until the scheduler has made runs; return them."""
    of_deployment = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
    )
    deadline = time.monotonic() + SCHEDULED_WITHIN_S
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            if runs := client.read_flow_runs(flow_run_filter=of_deployment):
                return runs
            time.sleep(0.25)
    return []
