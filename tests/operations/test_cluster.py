"""Prefect on PostgreSQL with Redis messaging, two API replicas, two workers: one of each is killed in a run's middle.

The long form, a season backfilled, is `python -m tests.operations.cluster`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from backstop.stages.house import House
from tests.operations import moments
from tests.operations.cluster import FIRST, OVER, Cluster, count
from tests.operations.servers import READY_S
from tests.operations.waiting import gone, until

pytestmark = [pytest.mark.prefect, pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def cluster():
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user
        with Cluster(Path(name), services=False) as cluster:
            yield cluster


def test_a_run_survives_its_worker_and_an_api_replica_and_no_row_is_lost_or_doubled(cluster):
    house = House(cluster.settings)
    command = f"{sys.executable} -m tests.operations.engine transform {cluster.folder}"
    run = cluster.slate(FIRST, {"command": command})
    pid = until(lambda: moments.reached(cluster.folder), "the run to reach transform", READY_S)
    ancestors = {each.pid for each in psutil.Process(pid).parents()}
    worker = next(each for each in cluster.workers if each.process.pid in ancestors)
    worker.kill()
    cluster.replicas[1].kill()
    moments.let_go(cluster.folder)
    until(lambda: gone(pid), "the run's process to end", READY_S)
    if cluster.state(run)["type"] != "COMPLETED":
        again = cluster.slate(FIRST)
        state = until(lambda: cluster.state(again)["type"] in OVER and cluster.state(again), "the second run", READY_S)
        assert state["type"] == "COMPLETED", state
    numbers, wrong = count(house, [FIRST])
    house.close()
    assert wrong == []
    assert numbers["slates"] == 1
    assert numbers["props"] > 1000
