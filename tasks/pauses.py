"""Pause deployments while a feed that they need is down: compared anew each time, so a lost event is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

from backstop.settings import Feed
from backstop.sources.failover import Purpose
from backstop.stages import feeds, second
from backstop.stages.house import House
from tasks import pages
from tasks.runs import say, warn
from tasks.tags import NEEDS, PAUSED

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse


@task(name="tend-pauses", task_run_name="pause and resume deployments", cache_policy=NO_CACHE)
def tend_pauses() -> None:
    """Pause each deployment that needs a feed whose breaker is not closed; resume it when those of all its feeds are.

    A deployment that a person paused stays paused. One that a person resumed while a feed is down goes on. Prices go on
    without The Odds API while SportRadar can give them.
    """
    house = House.current()
    down = {each.health.feed for each in feeds.status(house) if each.health.breaker != "closed"}
    if Feed.SPORTRADAR in second.keys(house.settings) and second.choose(house, Purpose.ODDS).usable:
        down.discard(Feed.THEODDS)
    needing = DeploymentFilter(tags=DeploymentFilterTags(any_=[f"{NEEDS}{feed}" for feed in Feed]))
    with get_client(sync_client=True) as client:
        for each in pages.every(client.read_deployments, deployment_filter=needing):
            missing = sorted(feed for feed in down if f"{NEEDS}{feed}" in each.tags)
            if missing and not each.paused and PAUSED not in each.tags:
                # tagged first: killed in between, it goes on for this time, and is not paused for ever
                _tag(client, each, [*each.tags, PAUSED])
                client.pause_deployment(each.id)
                warn(f"{_name(client, each)} is paused until {' and '.join(missing)} answers again.")
            elif not missing and PAUSED in each.tags:
                if each.paused:
                    client.resume_deployment(each.id)
                    say(f"{_name(client, each)} is resumed: its feeds answer again.")
                _tag(client, each, [tag for tag in each.tags if tag != PAUSED])


def _tag(client: SyncPrefectClient, deployment: DeploymentResponse, tags: list[str]) -> None:
    client.update_deployment(deployment.id, DeploymentUpdate(tags=tags))


def _name(client: SyncPrefectClient, deployment: DeploymentResponse) -> str:
    return f"{client.read_flow(deployment.flow_id).name}/{deployment.name}"
