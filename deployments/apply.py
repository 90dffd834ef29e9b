"""Register the catalogue with the Prefect server that `PREFECT_API_URL` names; applying it again changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.types.entrypoint import EntrypointType

from deployments.catalog import CATALOG, POOL

if TYPE_CHECKING:
    from deployments.catalog import Deployment


async def ensure_pool(name: str = POOL) -> bool:
    """Make the work pool of local processes when it is missing; return whether it was made."""
    async with get_client() as client:
        try:
            await client.read_work_pool(name)
        except ObjectNotFound:
            await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
            return True
    return False


async def apply_one(deployment: Deployment) -> UUID:
    """Create or update one deployment and return its id."""
    made = await deployment.flow.ato_deployment(
        name=deployment.name,
        schedules=[deployment.schedule],
        concurrency_limit=deployment.limit,
        tags=list(deployment.tags),
        description=deployment.description,
        work_pool_name=POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return UUID(str(await made.aapply()))


async def apply() -> dict[str, UUID]:
    """Register every deployment of the catalogue; return their ids by `flow/name`."""
    await ensure_pool()
    return {f"{each.flow.name}/{each.name}": await apply_one(each) for each in CATALOG}


def main() -> None:
    """Apply and print what stands on the server now."""
    for name, identifier in asyncio.run(apply()).items():
        print(f"{name}  {identifier}")  # noqa: T201 - a command's answer
    print(f"a worker runs them: prefect worker start --pool {POOL}")  # noqa: T201


if __name__ == "__main__":
    main()
