"""One Prefect server and one demo league per session; a home of its own, with its own Redis, per run or test."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # Great Expectations and Prefect import modules that Python has deprecated
    warnings.simplefilter("ignore")
    importlib.import_module("great_expectations.expectations")
    importlib.import_module("prefect")

from prefect import settings as prefect_settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.events.worker import EventsWorker
from prefect.exceptions import ObjectNotFound

from backstop.demo.upstream import Upstream
from deployments import apply as applying
from deployments import server
from tests.flows.league import Rooms

CLIENT = {
    prefect_settings.PREFECT_LOGGING_TO_API_ENABLED: False,
    prefect_settings.PREFECT_LOGGING_LEVEL: "CRITICAL",
    prefect_settings.PREFECT_TASKS_DEFAULT_NO_CACHE: True,
}

WAITING = FlowRunFilter(
    state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
    deployment_id=FlowRunFilterDeploymentId(is_null_=False),
)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The server that `backstop refresh` starts: Prefect's own test harness runs no scheduler."""
    started = server.start(tmp_path_factory.mktemp("prefect"))
    try:
        started.wait_ready()
        with prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: started.api_url, **CLIENT}):
            yield
            server.send_what_is_left()
    finally:
        started.stop()


@pytest.fixture(autouse=True, scope="module")
def told_here() -> None:
    """Let what happens be told to the server of these tests: Prefect goes on telling the one that it began with."""
    server.drain(EventsWorker, limit_s=1)


@pytest.fixture(scope="session")
def league() -> Iterator[Upstream]:
    with Upstream.start("demo") as upstream:
        yield upstream


@pytest.fixture
def rooms(prefect_server: None, tmp_path: Path) -> Iterator[Rooms]:
    """A fresh home to run flows in."""
    with Rooms.opened(tmp_path / "home") as rooms:
        yield rooms


@pytest.fixture(scope="module")
def deployed(prefect_server):
    """Deployments of which none is paused or will be, and of which no run waits.

    What other modules' runs told of their feeds has no effect here, and a worker finds none of the runs they asked for.
    """

    async def apply():
        applied = await applying.apply()
        async with get_client() as client:
            for each in await client.read_automations():
                await client.delete_automation(each.id)
            for each in applied.deployments.values():
                await client.resume_deployment(each)
            while left := await client.read_flow_runs(flow_run_filter=WAITING):
                for each in left:
                    with contextlib.suppress(ObjectNotFound):  # the server's scheduler takes its own back
                        await client.delete_flow_run(each.id)
        return applied.deployments

    return asyncio.run(apply())
