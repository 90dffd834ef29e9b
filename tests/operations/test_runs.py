"""Runs in processes of their own: killed with -9 in each stage and repeated, and spread over a Dask cluster."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from backstop import limits
from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from tests.operations import moments
from tests.operations.books import Books
from tests.operations.nursery import Nursery
from tests.operations.waiting import gone, until

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(900)]

DAY = dt.date(2025, 4, 4)
"""A day of the demo league with two days of history: the smallest slate that is projected."""

WIDE = "tests.operations.wide:wide_fetch"
SLATE = "flows.slate:slate_refresh"
LATENCY_MS = 60
MONTH = {"startDate": "2025-04-02", "endDate": "2025-04-30", "sportId": "1"}


class Runs:
    """Runs of one home."""

    def __init__(self, nursery: Nursery, home: Path, upstream: str, **settings: str) -> None:
        self.nursery, self.home = nursery, home
        home.mkdir(parents=True)
        self.settings = Settings(
            home=home,
            redis_url=embedded.ensure(home / "redis"),
            upstream=upstream,
            history_first_season=2025,
            **settings,
        )
        self.environment = {
            f"BACKSTOP_{name.upper()}": str(value)
            for name, value in self.settings.model_dump(mode="json", exclude_defaults=True).items()
        }

    def job(self, flow: str = SLATE, parameters: dict | None = None, **stop: str) -> dict:
        result = self.home / f"result-{len(list(self.home.glob('result-*')))}.json"
        given = parameters or {"day": DAY.isoformat()}
        return {"flow": flow, "parameters": given, "environment": self.environment, "result": str(result), **stop}

    def run(self) -> dict[str, str]:
        """Refresh the slate, and return how that ended."""
        job = self.job()
        pid = self.nursery.start(**job)
        until(lambda: Path(job["result"]).exists() or gone(pid), "a run to end", 200)
        return json.loads(Path(job["result"]).read_text())

    def run_alone(self, *flows: tuple[str, dict]) -> list[dict[str, str]]:
        """Run flows one after the other in an interpreter of their own, and return how they ended."""
        jobs = [self.job(*flow) | {"result": str(self.home / f"alone-{number}")} for number, flow in enumerate(flows)]
        self.nursery.once(250, *jobs)
        return [json.loads(Path(job["result"]).read_text()) for job in jobs]

    def killed_at(self, stage: str) -> None:
        pid = self.nursery.start(**self.job(stage=stage, folder=str(self.home)))
        assert until(lambda: moments.reached(self.home), f"the run to reach {stage}", 120) == pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: gone(pid), "the killed process to be gone")

    def books(self) -> Books:
        house = House(self.settings)
        try:
            return Books.of(house, DAY)
        finally:
            house.close()

    def close(self) -> None:
        embedded.stop(self.home / "redis")


@pytest.fixture(scope="module")
def nursery(prefect_environment):
    with Nursery(prefect_environment) as nursery:
        yield nursery


@pytest.fixture
def runs(nursery, league, tmp_path):
    runs = Runs(nursery, tmp_path / "home", league.base_url)
    yield runs
    runs.close()


@pytest.fixture(scope="module")
def undisturbed(nursery, league, tmp_path_factory):
    runs = Runs(nursery, tmp_path_factory.mktemp("undisturbed") / "home", league.base_url)
    assert runs.run()["name"] == "Completed"
    yield runs.books()
    runs.close()


@pytest.mark.parametrize("stage", moments.STAGES)
def test_a_run_killed_in_a_stage_and_repeated_leaves_what_an_undisturbed_one_leaves(runs, undisturbed, stage):
    runs.killed_at(stage)
    assert runs.run()["name"] == "Completed"
    books = runs.books()
    assert books.wrong == []
    assert (books.lost(undisturbed), books.doubled(undisturbed)) == (0, 0)
    assert books.refused == undisturbed.refused
    assert books.count == undisturbed.count > 1000


@pytest.fixture
def spread(nursery, tmp_path):
    """A home whose mapped tasks run on a Dask cluster of two processes, and its own upstream, which counts."""
    with Upstream.start("demo", latency_ms=LATENCY_MS) as upstream:
        runs = Runs(nursery, tmp_path / "spread", upstream.base_url, task_runner="dask:2")
        yield runs, upstream
        runs.close()


def test_on_a_dask_cluster_of_two_processes_a_slate_is_the_same_and_25_requests_are_still_the_most(spread, undisturbed):
    runs, upstream = spread
    days = httpx.get(f"{upstream.base_url}/api/v1/schedule", params=MONTH, timeout=60).json()["dates"]
    games = sorted({game["gamePk"] for day in days for game in day["games"]})
    assert len(games) > 6 * limits.BATCH_ITEMS
    slate, wide = runs.run_alone((SLATE, {"day": DAY.isoformat()}), (WIDE, {"games": games}))

    assert slate["name"] == "Completed", slate
    books = runs.books()
    assert books.wrong == []
    assert (books.lost(undisturbed), books.doubled(undisturbed)) == (0, 0)
    assert books.refused == undisturbed.refused
    assert books.values_that_differ(undisturbed) == []

    told = json.loads(wide["message"])
    assert told["answers"] == len(games)
    assert len([place for place, results in told["held"].items() if results]) == 2, "both processes took batches"
    most = upstream.stats()["max_in_flight"]["all"]
    assert limits.MAX_IN_FLIGHT_PER_HOST / 2 < most <= limits.MAX_IN_FLIGHT_PER_HOST
