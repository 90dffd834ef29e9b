"""Prices during the day as they are really renewed: reconcile finds them due, a worker runs them, readers see them."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys

import httpx
import polars as pl
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.settings import PREFECT_API_URL

from backstop.clock import FixedClock
from backstop.demo.upstream import Upstream
from backstop.lake.states import State
from backstop.settings import Feed
from backstop.sources.theodds import cost
from backstop.stages import allowance, plan, schedules
from backstop.store import embedded
from deployments.catalog import POOL
from tasks import starts
from tests.flows.league import EARLY, Rooms
from tests.operations.checkout import ROOT

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

NOON = dt.datetime.combine(EARLY, dt.time(16), dt.UTC)
EVENING = NOON + dt.timedelta(hours=5)
CREDITS = 5_000_000
"""In the morning; the evening's account holds what one refresh may cost."""


def upstream(now: dt.datetime, granted: int) -> Upstream:
    return Upstream.start("demo", extra=["--now", now.isoformat(), "--credits", str(granted)])


def spent(feed: Upstream) -> int:
    """Credits that the feed's account says were used; the list of events costs none."""
    return int(httpx.get(f"{feed.base_url}/v4/sports/baseball_mlb/events", timeout=60).headers["x-requests-used"])


@pytest.fixture
def day(prefect_server, tmp_path):
    """A slate published at noon, by a process that shares its Redis with others."""
    home = tmp_path / "home"
    with Rooms.opened(home) as rooms, upstream(NOON, CREDITS) as feed:
        rooms.settings |= {"upstream": feed.base_url, "redis_url": embedded.ensure(home / "redis")}
        rooms.house.clock = FixedClock(NOON)
        assert rooms.refresh(EARLY).is_completed()
        yield rooms
    embedded.stop(home / "redis")


async def only(deployments, name, command):
    """Pause every deployment but one, which the worker is to run by this command."""
    async with get_client() as client:
        for full_name, each in deployments.items():
            if full_name == name:
                variables = {"command": command, "working_dir": str(ROOT)}
                await client.update_deployment(each, DeploymentUpdate(job_variables=variables, paused=False))
            else:
                await client.pause_deployment(each)


def work_off():
    """Let a worker of the pool do what waits there, and end."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--run-once"]
    told = {"PREFECT_API_URL": PREFECT_API_URL.value(), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    subprocess.run(command, env={**os.environ, **told}, cwd=ROOT, check=True, timeout=180, capture_output=True)


def prices_started(rooms, at):
    """Reconcile at an instant; return the keys of the refreshes of prices that it started."""
    from flows.reconcile import reconcile

    rooms.house.clock = FixedClock(at)
    with rooms.environment():
        return [key for key in reconcile(at) if key.startswith("odds-refresh")]


def run_under(key):
    """Return the run under an idempotency key."""
    with get_client(sync_client=True) as client:
        return starts.runs_under(client, [key])[key]


def test_reconcile_starts_a_repricing_that_a_worker_carries_out_and_goes_on_with_sportradar_when_credits_are_spent(
    day, deployed
):
    name = "odds-refresh/mlb"
    asyncio.run(only(deployed, name, f"{sys.executable} -m tests.operations.clocked {EVENING.isoformat()}"))
    before, published = day.props(EARLY), day.house.reader.slate(EARLY)
    renewed = day.house.ledger.entry("out_props", EARLY.isoformat()).run_id
    to_begin = schedules.games_of(day.house, EARLY).filter(pl.col("start_at") > EVENING).height
    most = cost.of_day(EARLY, to_begin, plan.MARKETS, past=False).most
    granted = day.house.settings.credit_floor + most
    with upstream(EVENING, granted) as feed:
        day.settings |= {"upstream": feed.base_url}
        (key,) = prices_started(day, EVENING)
        assert prices_started(day, EVENING) == [key], "the same key, the same run"
        with day.environment():
            work_off()
        used = spent(feed)
        ended = run_under(key)
        left = allowance.left(day.house)
        later = EVENING + dt.timedelta(hours=1)
        assert allowance.choose(day.house, EARLY, to_begin, plan.MARKETS).feed is Feed.SPORTRADAR
        assert prices_started(day, later) == [f"odds-refresh:{EARLY}:prices-after-{str(ended.id)[:8]}"]

    after, now = day.props(EARLY), day.house.reader.slate(EARLY)
    run = ended
    assert (run.state.name, run.parameters) == (
        "Degraded",
        {"day": EARLY.isoformat(), "after": renewed},
    ), run.state.message
    assert now.meta["gaps"] == published.meta["gaps"], "at noon some line-ups were not posted; nothing else is missing"
    assert now.version == published.version + 1
    assert after["prop_id"].to_list() == before["prop_id"].to_list()
    offers = ["prop_id", "best_side", "best_book", "best_price_decimal"]
    assert after.filter(pl.col("books") > 0).join(before, on=offers, how="anti").height > 100, "prices that are new"
    stands = ["prop_id", "prob_over"]
    assert before.filter(pl.col("books") == 0).join(after, on=stands, how="anti").is_empty(), "a projection changed"

    entry = day.house.ledger.entry("out_props", EARLY.isoformat())
    assert (entry.state, entry.rows_loaded, entry.run_id) == (State.DEGRADED, after.height, str(run.id))
    assert 0 < used <= most
    assert left == granted - used, "what the worker's process was told, this one knows"
