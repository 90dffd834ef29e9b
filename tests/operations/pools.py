"""A pool, its deployments and runs given to it: what a test needs whose runs a worker of Prefect's starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tests.operations.waiting import until

OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
"""Types of states in which nothing more comes."""


def register(api_url: str, pool: str, *flows: Any) -> None:
    """Make a pool, and a deployment of its name for each flow."""
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect.types.entrypoint import EntrypointType

    async def make() -> None:
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.actions import WorkPoolCreate

        async with get_client() as client:
            await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        for flow in flows:
            made = await flow.ato_deployment(name=pool, work_pool_name=pool, entrypoint_type=EntrypointType.MODULE_PATH)
            await made.aapply()

    with temporary_settings({PREFECT_API_URL: api_url}):
        asyncio.run(make())


def answered(ask: Callable[[], httpx.Response]) -> Any:
    """Ask until the server is not too busy: 503 is what Prefect says while SQLite is locked, and nothing was done then."""
    answer = until(
        lambda: one if (one := ask()).status_code != httpx.codes.SERVICE_UNAVAILABLE else None, "an answer", 120
    )
    return answer.raise_for_status().json()


class Given:
    """A run that lies in a pool until a worker takes it.

    Args:
        client: Of Prefect's API.
        name: Of the flow and its deployment, as `slate-refresh/pool`.
        parameters: Of the flow.
        variables: What the worker starts, where, and in which environment.
    """

    def __init__(self, client: httpx.Client, name: str, parameters: dict[str, Any], variables: dict[str, Any]) -> None:
        self._client = client
        deployment = answered(lambda: client.get(f"/deployments/name/{name}"))["id"]
        body = {"parameters": parameters, "job_variables": variables, "state": {"type": "SCHEDULED"}}
        made = answered(lambda: client.post(f"/deployments/{deployment}/create_flow_run", json=body))
        self._path = f"/flow_runs/{made['id']}"

    @property
    def state(self) -> dict[str, Any]:
        """What Prefect says of it: `type`, `name` and more."""
        state: dict[str, Any] = answered(lambda: self._client.get(self._path))["state"]
        return state

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.state["type"] in OVER
