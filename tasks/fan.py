"""Fan-out: the mapped stages of a run, one chain per batch, so that the first batches load while later ones fetch.

A future passed to a task arrives there as the result; the type checker cannot see that, so futures are `Any` here.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from prefect.futures import wait

from tasks import slate, validate
from tasks.fetch import fetch_batch

if TYPE_CHECKING:
    from pathlib import Path

    from backstop.net.item import Item
    from backstop.stages.fetch import FetchedBatch
    from backstop.store.loader import Draft

Chains = list[list[Any]]


def fetches(batches: list[list[Item]], label: str) -> list[FetchedBatch]:
    """Fetch each batch and wait for all.

    Raises:
        BackstopError: a batch could not even be tried (Redis is gone, the disk is full); items that a feed did not
            give are named in the batches instead.
    """
    futures = [fetch_batch.submit(number, items, label) for number, items in enumerate(batches, 1)]
    wait(list(futures))  # sets the final states; `.state` alone is a stale read
    return [future.result() for future in futures]


def history(batches: list[list[Item]], day: dt.date) -> Chains:
    """Fetch, validate and tally each batch of pitch days."""
    chains = []
    for number, items in enumerate(batches, 1):
        fetched: Any = fetch_batch.submit(number, items, "pitches")
        checked: Any = validate.validate_pitches.submit(number, fetched, day)
        chains.append([fetched, checked, slate.tally.submit(number, fetched, checked)])
    return chains


def box_scores(plan: list[tuple[dt.date, list[Item]]]) -> Chains:
    """Fetch, validate and keep the line-ups and box scores of many days, a batch each."""
    chains = []
    for number, (day, items) in enumerate(plan, 1):
        fetched: Any = fetch_batch.submit(number, items, "box scores")
        chains.append([fetched, validate.validate_box_scores.submit(day, fetched)])
    return chains


def projections(
    batches: list[list[int]], day: dt.date, features: Path, draft: Draft, *, priced: bool
) -> tuple[Chains, Chains]:
    """Project, validate and load each batch of players; return the chains up to the checks and up to the loads."""
    checks: Chains = []
    loads: Chains = []
    for number, players in enumerate(batches, 1):
        staged: Any = slate.project_players.submit(day, number, players, features, priced=priced)
        checks.append([staged, validate.validate_props.submit(number, staged, day)])
        loads.append([*checks[-1], slate.load.submit(number, draft, checks[-1][-1])])
    return checks, loads
