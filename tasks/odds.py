"""The tasks of a price refresh: what is published stays, its prices are asked for again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from backstop import tables
from backstop.errors import DataError
from backstop.props.fitted import Fitted
from backstop.stages import fits, made_of, plan, project, rebuild, schedules
from backstop.stages.house import House
from backstop.stages.outcome import Gap
from tasks import marks
from tasks.runs import run_id, say

if TYPE_CHECKING:
    from tasks.slate import Batches


@task(name="plan-prices", task_run_name="plan prices of {day}", cache_policy=NO_CACHE)
def plan_prices(day: dt.date, after: str | None = None) -> tuple[Batches, str]:
    """Name the request for the day's events, and take the day in the ledger; none when every game has begun.

    Args:
        day: A published slate.
        after: The run whose prices are to be renewed: none are asked for when another has worked on the day since, as
            when this run waited long for a worker. Without it they are asked for whoever was the last.

    Returns:
        The request, and why there is none, empty when there is one.

    Raises:
        DataError: no slate of the day is published, or prices cannot be asked for.
        LeaseHeld: another run works on the day.
    """
    house = House.current()
    if day not in house.lake.days(project.FEATURES):
        raise DataError(f"No slate of {day} is published, so it has no prices to refresh; refresh the slate first.")
    if reason := plan.quotes_wanted(house):
        raise DataError(f"The prices of {day} cannot be asked for: {reason}.")
    games = schedules.games_of(house, day)
    if games.filter(pl.col("start_at") > house.clock.now()).is_empty():
        say(f"Every game of {day} has begun; its prices stand.")
        return [], f"{day} has no games still to begin"
    entry = house.ledger.entry(tables.PROPS.name, day.isoformat())
    if after and entry is not None and entry.run_id not in {after, run_id()}:
        say(f"Run {entry.run_id} has worked on {day} since this one was due; its prices stand.")
        return [], f"another run has renewed {day} since this one was due"
    marks.hold(house, day, run_id())
    return plan.event_batches(house, day), ""


@task(name="published-features", task_run_name="features of {day} as published", cache_policy=NO_CACHE)
def published_features(day: dt.date) -> tuple[Path, tuple[Gap, ...]]:
    """Put the published features and the fit behind them into the run's folder; a fit kept since then waits.

    Returns:
        The file of features, and the slate's gaps other than prices.
    """
    house = House.current()
    path = house.run_dir(run_id()) / "features.parquet"
    house.lake.read(project.FEATURES, day).write_parquet(path)
    meta = rebuild.meta(house, day)
    fits.use(house, run_id(), Fitted.of_meta(meta).judging(day))
    if made_of.LINEUPS in meta:
        made_of.note(house, run_id(), meta[made_of.LINEUPS])
    known = meta.get("gaps", [])
    return path, tuple(Gap(gap["table"], gap["key"], gap["reason"]) for gap in known if gap["table"] != "core_quotes")
