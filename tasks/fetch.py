"""The fetch task: one mapped batch of at most 50 items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run
from prefect.tasks import exponential_backoff

from backstop.errors import UpstreamUnavailable
from backstop.stages import fetch as stage
from backstop.stages.fetch import FetchedBatch
from backstop.stages.house import House
from tasks import feeds
from tasks.runs import say, warn

if TYPE_CHECKING:
    from backstop.net.item import Item

RETRIES = 1
"""The network layer retries each request within its time budget; the task is the second net, for longer outages."""


def _worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """Retry only when the feed, or Redis, may answer differently."""
    return bool(getattr(state.result(raise_on_failure=False), "retryable", False))


@task(
    name="fetch",
    task_run_name="fetch {label} · batch {number:02d}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(5),
    retry_jitter_factor=0.5,
    retry_condition_fn=_worth_retrying,
    cache_policy=NO_CACHE,
)
def fetch_batch(number: int, items: list[Item], label: str) -> FetchedBatch:
    """Fetch a batch into the archive; items that cannot be had are named in the result, the others go on.

    Raises:
        UpstreamUnavailable: no item at all could be had although another try may help (first try only).
    """
    feeds.attach()
    batch = stage.fetch(House.current(), number, items, label)
    if items and len(batch.missed) == len(items) and _may_recover(batch):
        raise UpstreamUnavailable(f"{label}, batch {number}: {batch.missed[0].sentence}", source=str(items[0].feed))
    for lost in batch.missed:
        warn(f"{label} {lost.item.key}: {lost.error}: {lost.sentence}")
    cached = sum(answer.from_archive for answer in batch.answers)
    say(f"{label}, batch {number}: {len(batch.answers)} answers ({cached} from the archive), {batch.size:,} bytes.")
    return batch


def _may_recover(batch: FetchedBatch) -> bool:
    first_try = (task_run.run_count or RETRIES + 1) <= RETRIES
    return first_try and all(lost.retryable for lost in batch.missed)
