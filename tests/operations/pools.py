"""A pool, its deployments and runs given to it: what a test needs whose runs a worker of Prefect's starts."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

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
        deployment = client.get(f"/deployments/name/{name}").raise_for_status().json()["id"]
        body = {"parameters": parameters, "job_variables": variables, "state": {"type": "SCHEDULED"}}
        made = client.post(f"/deployments/{deployment}/create_flow_run", json=body)
        self._path = f"/flow_runs/{made.raise_for_status().json()['id']}"

    @property
    def state(self) -> dict[str, Any]:
        """What Prefect says of it: `type`, `name` and more."""
        state: dict[str, Any] = self._client.get(self._path).raise_for_status().json()["state"]
        return state

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.state["type"] in OVER
