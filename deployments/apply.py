"""Register the catalogue with the Prefect server that `PREFECT_API_URL` names; applying it again changes nothing.

What the catalogue dropped is removed: deployments by their tag, automations and limits by their name. What other
people made, and what they edited in the UI beyond the catalogue (a pause, job variables, variables), stays.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableCreate, WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL
from prefect.types.entrypoint import EntrypointType

from backstop.errors import BackstopError, ConfigurationError, UpstreamUnavailable
from backstop.net import address
from backstop.settings import Settings
from deployments import automations
from deployments.catalog import CATALOG, LIMITS, MANAGED, POOL, QUEUES, VARIABLES, Deployment
from tasks.tags import PAUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prefect import Flow
    from prefect.client.orchestration import PrefectClient
    from prefect.events.schemas.automations import AutomationCore

WEBHOOK = "backstop-notify"


@dataclass
class Applied:
    """What stands on the server now.

    Attributes:
        deployments: Ids by `flow/name`.
        removed: What the catalogue no longer names, in words.
    """

    deployments: dict[str, UUID] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


async def apply(catalog: Iterable[Deployment] = CATALOG) -> Applied:
    """Bring the server to what the catalogue says."""
    applied = Applied()
    async with get_client() as client:
        await _pool(client)
        for name, limit in LIMITS.items():
            await client.upsert_global_concurrency_limit_by_name(name, limit)
        for name, value in VARIABLES.items():
            if await client.read_variable_by_name(name) is None:
                await client.create_variable(VariableCreate(name=name, value=value, tags=[MANAGED]))
        for each in catalog:
            applied.deployments[each.full_name] = await register(each, **await _pause(client, each))
        webhook = await _webhook()
        await _automations(client, automations.wanted(applied.deployments, webhook), applied)
        await _prune(client, applied)
    return applied


async def _pause(client: PrefectClient, deployment: Deployment) -> dict[str, bool]:
    """Return whether a deployment is paused, and whether by a breaker: an update that does not say so changes it."""
    try:
        known = await client.read_deployment_by_name(deployment.full_name)
    except ObjectNotFound:
        return {}
    return {"paused": known.paused, "by_breaker": PAUSED in known.tags}


async def register(deployment: Deployment, *, paused: bool = False, by_breaker: bool = False) -> UUID:
    """Create or update one deployment and return its id."""
    schedule = deployment.schedule
    schedules = [Cron(schedule.cron, timezone=schedule.timezone, slug=schedule.slug)] if schedule else []
    limit = None
    if deployment.limit is not None:
        strategy = ConcurrencyLimitStrategy(deployment.collision)
        limit = ConcurrencyLimitConfig(limit=deployment.limit, collision_strategy=strategy)
    made = await flow_of(deployment).ato_deployment(
        name=deployment.name,
        schedules=schedules,
        parameters=deployment.parameters,
        paused=paused,
        concurrency_limit=limit,
        tags=[*deployment.all_tags, *([PAUSED] if by_breaker else [])],
        description=deployment.description,
        work_pool_name=POOL,
        work_queue_name=deployment.queue,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return UUID(str(await made.aapply()))


def flow_of(deployment: Deployment) -> Flow[Any, Any]:
    """Return the flow that a deployment names."""
    module, _, name = deployment.flow.rpartition(".")
    flow: Flow[Any, Any] = getattr(importlib.import_module(module), name)
    return flow


async def _pool(client: PrefectClient) -> None:
    """Make the pool of local processes and its queues when they are missing; bring the queues' numbers up."""
    try:
        await client.read_work_pool(POOL)
    except ObjectNotFound:
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    for queue in QUEUES:
        try:
            known = await client.read_work_queue_by_name(queue.name, work_pool_name=POOL)
        except ObjectNotFound:
            known = await client.create_work_queue(name=queue.name, work_pool_name=POOL)
        await client.update_work_queue(
            known.id, description=queue.description, priority=queue.priority, concurrency_limit=queue.limit
        )


async def _webhook() -> UUID | None:
    """Save the address that is told of what goes wrong as a webhook block; without one nobody is."""
    settings = Settings()
    if settings.notify_url is None:
        return None
    url = settings.notify_url.get_secret_value()
    address.require(url, settings, query=True)
    host = httpx.URL(url).host
    private = address.is_loopback(host) or host.lower() in address.listed(settings)
    # otherwise Prefect judges what the name leads to at each call
    saved = await Webhook(url=settings.notify_url, allow_private_urls=private).save(WEBHOOK, overwrite=True)
    return UUID(str(saved))


async def _automations(client: PrefectClient, wanted: list[Any], applied: Applied) -> None:
    standing = {each.name: each for each in await client.read_automations()}
    for each in wanted:
        known = standing.pop(each.name, None)
        if known is None:
            await client.create_automation(each)
        elif not _same(known, each):
            await client.update_automation(known.id, each.model_copy(update={"enabled": known.enabled}))
    for name, each in standing.items():
        if name.startswith(automations.PREFIX):
            await client.delete_automation(each.id)
            applied.removed.append(f"automation {name}")


def _same(known: AutomationCore, wanted: AutomationCore) -> bool:
    """Return whether an automation stands as it should; an update would begin to watch anew."""
    return all(getattr(known, name) == getattr(wanted, name) for name in ("description", "tags", "trigger", "actions"))


async def _prune(client: PrefectClient, applied: Applied) -> None:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[MANAGED]))
    for each in await client.read_deployments(deployment_filter=ours):
        if each.id not in applied.deployments.values():
            await client.delete_deployment(each.id)
            applied.removed.append(f"deployment {each.name} ({each.id})")
    for limit in await client.read_global_concurrency_limits(limit=200):
        if limit.name.startswith("backstop-") and limit.name not in LIMITS:
            await client.delete_global_concurrency_limit_by_name(limit.name)
            applied.removed.append(f"limit {limit.name}")


def main() -> None:
    """Apply and print what stands on the server now.

    Raises:
        ConfigurationError: no server is named; Prefect would start one for the moment, and nothing would run from it.
        UpstreamUnavailable: it does not answer, or refused.
    """
    if not PREFECT_API_URL.value():
        raise ConfigurationError(
            "No Prefect server is named, so there is nothing to register with. Set PREFECT_API_URL to its address "
            "(http://127.0.0.1:4200/api), or run deployments/deploy.sh development, which starts one and a worker."
        )
    try:
        applied = asyncio.run(apply())
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise UpstreamUnavailable(
            f"The Prefect server at {PREFECT_API_URL.value()} could not be brought to the catalogue ({why}); check "
            "that it runs and PREFECT_API_URL, then apply it again: what stands already stays.",
            source="prefect",
        ) from error
    for name, identifier in applied.deployments.items():
        print(f"{name}  {identifier}")  # noqa: T201 - a command's answer
    for each in applied.removed:
        print(f"removed {each}")  # noqa: T201
    print(f"a worker runs them: prefect worker start --pool {POOL}")  # noqa: T201


def run() -> int:
    """Apply as a command of its own: every foreseen failure is a sentence and an exit code."""
    try:
        main()
    except BackstopError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run())
