"""The tasks of the register: sixteen files, kept as of their day, for names that rosters spell otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from backstop.errors import UpstreamUnavailable
from backstop.sources import chadwick
from backstop.stages import register
from backstop.stages.house import House
from backstop.stages.outcome import Outcome
from tasks.runs import report, run_id

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import FetchedBatch


@task(name="plan-register", task_run_name="plan register", cache_policy=NO_CACHE)
def plan_register() -> list[list[Item]]:
    """Name the files of the register."""
    return [chadwick.plan()]


@task(name="keep-register", task_run_name="keep register", cache_policy=NO_CACHE)
def keep_register(batches: list[FetchedBatch]) -> Outcome:
    """Keep the register as of today.

    Raises:
        UpstreamUnavailable: a file could not be had; the register that was kept before stays.
    """
    outcome = report(register.keep_register(House.current(), batches, run_id()), "Register")
    if outcome.gaps:
        raise UpstreamUnavailable(
            f"{len(outcome.gaps)} of {len(chadwick.SHARDS)} files of the register could not be had, first "
            f"{outcome.gaps[0].key}: {outcome.gaps[0].reason} The one kept before stays; run it again.",
            source="chadwick",
        )
    return outcome
