"""Pin the registered deployments to a release: each names the folder and the interpreter that its runs use.

A run that is under way keeps the release that it began with; the next one takes the release that is pinned then,
whatever release the worker itself was started from. Pools whose runs bring their own image have nothing to pin.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate

from deployments.catalog import POOL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

PAGE = 200
"""The most that the server gives at once."""


async def registered(client: PrefectClient) -> list[DeploymentResponse]:
    """Return every deployment of our work pool."""
    found: list[DeploymentResponse] = []
    while page := await client.read_deployments(limit=PAGE, offset=len(found)):
        found += page
    return [each for each in found if each.work_pool_name == POOL]


async def pin(root: Path, environment: dict[str, str]) -> list[str]:
    """Pin every deployment of the pool to the release in a folder; return their ids.

    Args:
        root: The release.
        environment: What its runs need to know beside the worker's own environment; no secrets.
    """
    command = shlex.join([str(root / ".venv" / "bin" / "python"), "-m", "prefect.engine"])
    wanted = {"working_dir": str(root), "command": command, "env": environment}
    async with get_client() as client:
        found = await registered(client)
        for each in found:
            await client.update_deployment(each.id, DeploymentUpdate(job_variables={**each.job_variables, **wanted}))
    return [str(each.id) for each in found]


async def remove_all_but(kept: set[str]) -> list[str]:
    """Remove the pool's deployments whose id is not among those to keep; return the names of those removed."""
    async with get_client() as client:
        strangers = [each for each in await registered(client) if str(each.id) not in kept]
        for each in strangers:
            await client.delete_deployment(each.id)
    return [each.name for each in strangers]


async def ids() -> list[str]:
    """Return the ids of the pool's deployments."""
    async with get_client() as client:
        return [str(each.id) for each in await registered(client)]


def main(argv: Sequence[str] | None = None) -> None:
    """Pin, keep only some, or list; the answer is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, metavar="RELEASE")
    parser.add_argument("--environment", type=orjson.loads, default={}, metavar="JSON")
    parser.add_argument("--keep-only", type=orjson.loads, metavar="JSON")
    options = parser.parse_args(argv)
    if options.keep_only is not None:
        answer = asyncio.run(remove_all_but(set(options.keep_only)))
    elif options.to is not None:
        answer = asyncio.run(pin(options.to, options.environment))
    else:
        answer = asyncio.run(ids())
    print(orjson.dumps(answer).decode())  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
