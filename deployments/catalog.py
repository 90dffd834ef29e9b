"""Every deployment, declared: flow, schedule with its time zone, limits, tags, description.

`python -m deployments.apply` (or `backstop deploy`) registers what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron, Schedule

from flows.slate import slate_refresh

if TYPE_CHECKING:
    from prefect import Flow

POOL = "backstop"
EASTERN = "America/New_York"


@dataclass(frozen=True)
class Deployment:
    """One way in which a flow runs.

    Attributes:
        name: After the slash in `flow/name`.
        flow: The flow; registered by module path, so that it is imported once and as `flows...`.
        schedule: When it runs by itself.
        limit: Runs at once, and what happens to one more.
        tags: For filtering in the UI.
        description: What a reader of the deployment's page should know.
    """

    name: str
    flow: Flow[Any, Any]
    schedule: Schedule
    limit: ConcurrencyLimitConfig
    tags: tuple[str, ...]
    description: str


ONE_AFTER_ANOTHER = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)

CATALOG = (
    Deployment(
        name="daily",
        flow=slate_refresh,
        schedule=Cron("15 11 * * *", timezone=EASTERN, slug="late-morning"),
        limit=ONE_AFTER_ANOTHER,
        tags=("mlb", "slate"),
        description=(
            "Refreshes today's slate at 11:15 Eastern: the night's games are final, the first line-ups are posted. "
            "Run it by hand with a `day` to refresh any other date; only what is missing is fetched."
        ),
    ),
)
