"""A flow process killed with -9 in each stage at its worst moment, then the same run again: no row lost or doubled."""

from __future__ import annotations

import datetime as dt
import os
import signal
from pathlib import Path

import pytest

from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from tests.operations import moments
from tests.operations.books import Books
from tests.operations.nursery import Nursery
from tests.operations.waiting import gone, until

pytestmark = pytest.mark.prefect

DAY = dt.date(2025, 4, 4)
"""A day of the demo league with two days of history: the smallest slate that is projected."""


class Runs:
    """Runs of one home."""

    def __init__(self, nursery: Nursery, home: Path, upstream: str) -> None:
        self.nursery, self.home = nursery, home
        home.mkdir(parents=True)
        self.settings = Settings(
            home=home, redis_url=embedded.ensure(home / "redis"), upstream=upstream, history_first_season=2025
        )
        self.environment = {
            f"BACKSTOP_{name.upper()}": str(value)
            for name, value in self.settings.model_dump(mode="json", exclude_defaults=True).items()
        }

    def start(self, **stop: str) -> tuple[int, Path]:
        result = self.home / f"result-{len(list(self.home.glob('result-*')))}.json"
        pid = self.nursery.start(day=DAY.isoformat(), environment=self.environment, result=str(result), **stop)
        return pid, result

    def run(self) -> str:
        pid, result = self.start()
        until(lambda: result.exists() or gone(pid), "a run to end", 120)
        return result.read_text()

    def killed_at(self, stage: str) -> None:
        pid, _ = self.start(stage=stage, folder=str(self.home))
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
    assert '"Completed"' in runs.run()
    yield runs.books()
    runs.close()


@pytest.mark.parametrize("stage", moments.STAGES)
def test_a_run_killed_in_a_stage_and_repeated_leaves_what_an_undisturbed_one_leaves(runs, undisturbed, stage):
    runs.killed_at(stage)
    assert '"Completed"' in runs.run()
    books = runs.books()
    assert books.wrong == []
    assert (books.lost(undisturbed), books.doubled(undisturbed)) == (0, 0)
    assert books.refused == undisturbed.refused
    assert books.count == undisturbed.count > 1000
