"""A wide map of the fetch task alone, to see how it is spread and how many requests are under way at once."""

from __future__ import annotations

import json
from typing import Any

from prefect import flow
from prefect.context import FlowRunContext
from prefect.futures import wait
from prefect.states import Completed, State

from backstop.batches import batched
from backstop.sources.statsapi import boxscore
from tasks import runner
from tasks.fetch import fetch_batch


@flow(name="wide-fetch", task_runner=runner.chosen())
def wide_fetch(games: list[int]) -> State[Any]:
    """Fetch box scores in batches of 50; say how many came and on how many processes the results lie."""
    items = batched(boxscore.plan(games))
    futures = [fetch_batch.submit(number, batch, "box scores") for number, batch in enumerate(items, 1)]
    wait(list(futures))
    context = FlowRunContext.get()
    client = getattr(context.task_runner, "client", None) if context else None
    held = {place: len(keys) for place, keys in client.has_what().items()} if client else {}
    answers = [len(future.result().answers) for future in futures]
    return Completed(message=json.dumps({"answers": sum(answers), "held": held}))
