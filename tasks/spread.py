"""A backfill over several workers: the range in runs of some days each, on the deployment that any worker serves."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey

from tasks import dead, starts
from tasks.runs import say, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

    from backstop.stages.backfill import Backfill

DEPLOYMENT: Final = "backfill/mlb"
LOOK_EVERY_S: Final = 2.0
ATTEMPTS: Final = 5
"""Times that a part is started again after it crashed or failed; more is a fault that somebody should look at."""


@task(name="spread", task_run_name="spread over workers", cache_policy=NO_CACHE)
def over_workers(todo: Backfill, days: int, parallel: int, prices: bool, degraded: bool) -> dict[dt.date, str]:
    """Start a run for every part of the range, wait for all, and start those that died again.

    Returns:
        Why the run of a day's part did not complete, by day; empty when all did.
    """
    parts = [todo.todo[start : start + days] for start in range(0, len(todo.todo), days)]
    fixed = {"parallel": parallel, "prices": prices, "degraded": degraded, "credit_limit": todo.credits}
    attempts = dict.fromkeys(parts, 0)
    reasons: dict[dt.date, str] = {}
    with get_client(sync_client=True) as client:
        running = {part: _start(client, part, fixed, attempts) for part in parts}
        say(f"{len(parts)} runs of up to {days} days each are started on {DEPLOYMENT}.")
        while running:
            time.sleep(LOOK_EVERY_S)
            dead.bury(client, say)
            for part, run in list(running.items()):
                state = client.read_flow_run(run.id).state
                if state is None or not state.is_final():
                    continue
                del running[part]
                if state.is_completed():
                    continue
                if attempts[part] < ATTEMPTS and (state.is_crashed() or state.is_failed()):
                    warn(f"{run.name} ended as {state.name}; it is started again.")
                    running[part] = _start(client, part, fixed, attempts)
                else:
                    reasons |= dict.fromkeys(part, f"run {run.name} ended as {state.name}: {state.message}")
    return reasons


def _start(
    client: SyncPrefectClient, part: Sequence[dt.date], fixed: dict[str, Any], attempts: dict[Any, int]
) -> FlowRun:
    """Start a part under the first key that no dead run has used, and count the attempt."""
    first, last = part[0], part[-1]
    while True:
        attempts[tuple(part)] += 1
        key = f"backfill:{first}:{last}:{attempts[tuple(part)]}"
        known = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[key]))
        )
        if not known or (known[0].state is not None and not known[0].state.is_final()):
            parameters = {"first": first.isoformat(), "last": last.isoformat(), **fixed}
            return starts.start(client, DEPLOYMENT, parameters, key, f"backfill {first} to {last}", [str(first)])
