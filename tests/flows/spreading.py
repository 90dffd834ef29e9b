"""A backfill that is spread, cut down to its spreading: nothing is fetched and nothing planned from the lake."""

from __future__ import annotations

import datetime as dt

from prefect import flow

from backstop.stages.backfill import Backfill
from tasks import spread


@flow(name="spreading", **spread.HOOKS)
def spreading(first: dt.date, number: int) -> None:
    """Spread so many days, one in each part."""
    days = tuple(first + dt.timedelta(days=each) for each in range(number))
    spread.over_workers(Backfill(days[0], days[-1], days, {}, 70, None), 1, 1, prices=True, degraded=False)
