"""A season backfilled by two workers on several API replicas, one worker and one replica killed on the way.

    python -m tests.operations.cluster                                # the demo league's season, some ten minutes
    python -m tests.operations.cluster --last 2025-04-06 --days 1     # a few days

Prefect runs on PostgreSQL with Redis messaging, as in compose.yaml: two API replicas behind a balancer, the services in
a process of their own, two workers in one pool. The `backfill` deployment spreads the days over the workers. When the
first slates are published, a worker and a replica are killed with -9; the same backfill is started again until nothing
is left. Then every day is counted: slates, ledger, lake and Redis, against each other and against the schedule.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from backstop.clock import days_between
from backstop.demo.upstream import Upstream
from backstop.lake.states import State
from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages.house import House
from deployments.catalog import POOL
from tests.operations.checkout import ROOT
from tests.operations.servers import (
    READY_S,
    Balancer,
    Postgres,
    Redis,
    Replica,
    Server,
    Services,
    Worker,
    each,
    messaging,
)
from tests.operations.waiting import until

FIRST, LAST = dt.date(2025, 4, 4), dt.date(2025, 5, 1)
"""The demo league's days that are over on its day, from the first that has two days of history."""

RUN_S = 3000.0
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Cluster:
    """Everything up; a context manager.

    Args:
        folder: Where everything is kept.
        services: Whether schedules, automations and recorders run; runs that are made by hand do without.
    """

    def __init__(self, folder: Path, *, services: bool = True) -> None:
        self.folder, self._with_services = folder, services

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self.upstream = self._stack.enter_context(Upstream.start("demo"))
        self.postgres, self.redis = Postgres(self.folder / "postgres"), Redis(self.folder / "redis")
        settings = messaging(self.postgres, self.redis, self.folder / "prefect")
        self.replicas = [Replica(f"replica-{n}", self.folder, settings, "--no-services") for n in (1, 2)]
        self.services = Services(self.folder, settings)
        self.balancer = Balancer([replica.port for replica in self.replicas])
        self.settings = Settings(
            home=self.folder / "home",
            redis_url=self.redis.url(0),
            ledger_url=self.postgres.url("ledger"),
            upstream=self.upstream.base_url,
            history_first_season=2025,
        )
        self.environment = {
            "PREFECT_API_URL": self.balancer.api_url,
            "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_HOME": str(self.folder / "client"),
            **{
                f"BACKSTOP_{name.upper()}": str(value)
                for name, value in self.settings.model_dump(mode="json", exclude_defaults=True).items()
            },
        }
        self.workers = [Worker(f"worker-{n}", self.folder, self.environment, POOL) for n in (1, 2)]
        servers: list[Server] = [self.postgres, self.redis, *self.replicas, self.services, *self.workers]
        self._stack.callback(each, servers, Server.stop)
        self._start()
        return self

    def _start(self) -> None:
        for store in (self.postgres, self.redis):
            store.start()
            store.wait()
        for database in ("prefect", "ledger"):
            self.postgres.ask(f"create database {database}")
        first, second = self.replicas
        first.start()  # it makes the tables; two at once would both try
        first.wait()
        for server in (second, self.services) if self._with_services else (second,):
            server.start()
        second.wait()
        self.balancer.start()
        self._stack.callback(self.balancer.stop)
        self.client = self._stack.enter_context(httpx.Client(base_url=self.balancer.api_url, timeout=120))
        applied = [sys.executable, "-m", "deployments.apply"]
        subprocess.run(applied, cwd=ROOT, check=True, env={**os.environ, **self.environment}, capture_output=True)
        self._pause_schedules()
        for worker in self.workers:
            worker.start()

    def _pause_schedules(self) -> None:
        """Let nothing run but the backfill: `reconcile` would start today's work of a league that plays in 2025."""
        for deployment in self.ask("POST", "/deployments/filter", {}):
            for schedule in deployment["schedules"]:
                path = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
                self.ask("PATCH", path, {"active": False})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask Prefect through the balancer, until it answers.

        A connection that a killed replica held is made again, and one that is too busy is asked again.
        """
        answer = until(lambda: self._answer(method, path, body), "Prefect to answer", READY_S)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response | None:
        with contextlib.suppress(httpx.TransportError):
            answer = self.client.request(method, path, json=body)
            return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer
        return None

    def backfill(self, first: dt.date, last: dt.date, days: int) -> str:
        """Start a backfill that is spread over the workers; return the id of its run."""
        deployment = self.ask("GET", "/deployments/name/backfill/mlb")["id"]
        parameters = {"first": first.isoformat(), "last": last.isoformat(), "spread_days": days}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]

    def slate(self, day: dt.date, variables: dict[str, Any] | None = None) -> str:
        """Start a refresh of one slate on whichever worker takes it; return the id of its run."""
        deployment = self.ask("GET", "/deployments/name/slate-refresh/mlb")["id"]
        body = {"parameters": {"day": day.isoformat()}, "state": {"type": "SCHEDULED"}}
        body["job_variables"] = {"working_dir": str(ROOT), **(variables or {})}
        return self.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]

    def state(self, run: str) -> dict[str, Any]:
        return self.ask("GET", f"/flow_runs/{run}")["state"]

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def count(house: House, days: Sequence[dt.date]) -> tuple[dict[str, int], list[str]]:
    """Count what the days hold; return the numbers, and what does not add up in words."""
    numbers = {"days": len(days), "slates": 0, "off days": 0, "props": 0, "features": 0}
    wrong = [sentence for day in days for sentence in _day(house, day, numbers)]
    for entry in house.ledger.entries():
        parts = (entry.rows_loaded or 0) + (entry.rows_quarantined or 0) + (entry.rows_failed or 0)
        if (entry.rows_in or 0) != parts:
            wrong.append(f"{entry.table} {entry.key}: {entry.rows_in} rows in, {parts} accounted for")
    pitches = house.lake.scan("core_pitches").select("game_pk", "at_bat_number", "pitch_number").collect()
    numbers["pitches"] = pitches.height
    if pitches.unique().height != pitches.height:
        wrong.append(f"{pitches.height - pitches.unique().height} pitches doubled")
    return numbers, wrong


def _day(house: House, day: dt.date, numbers: dict[str, int]) -> list[str]:
    """Add a day to the numbers; return what does not add up."""
    entry = house.ledger.entry("out_props", day.isoformat())
    # a day that the schedule knew to be off when the backfill was planned is no part of it
    known = entry or house.ledger.entry("core_games", day.isoformat())
    if known is not None and known.state is State.EMPTY_OK:
        numbers["off days"] += 1
        return []
    if entry is None or entry.state not in {State.COMPLETE, State.DEGRADED}:
        return [f"{day}: the ledger has {entry.state if entry else 'nothing'}"]
    numbers["slates"] += 1
    wrong = []
    for served in rebuild.verify(house, [day]):
        numbers[served.kind] += served.rows
        if not served.equal or not served.rows:
            wrong.append(f"{day} {served.kind}: Redis and the lake differ: {served}")
    props = house.lake.read("out_props", day)
    if props["prop_id"].n_unique() != props.height:
        wrong.append(f"{day}: {props.height - props['prop_id'].n_unique()} props doubled")
    if entry.rows_loaded != props.height:
        wrong.append(f"{day}: the ledger says {entry.rows_loaded} props, the lake has {props.height}")
    return wrong


def run(first: dt.date, last: dt.date, days: int) -> tuple[dict[str, int], list[str], dict[str, Any]]:
    """Backfill with two kills; return the counts, what does not add up, and the story."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user
        with Cluster(Path(name)) as cluster:
            house = House(cluster.settings)
            up = time.monotonic()
            parent = cluster.backfill(first, last, days)
            until(lambda: len(house.lake.days("out_props")) >= 1, "the first slate", RUN_S)
            cluster.workers[1].kill()
            cluster.replicas[1].kill()
            published = len(house.lake.days("out_props"))
            cluster.workers[1].start()
            states = [_wait(cluster, parent)]
            while states[-1] != "COMPLETED" and len(states) < 5:
                states.append(_wait(cluster, cluster.backfill(first, last, days)))
            numbers, wrong = count(house, days_between(first, last))
            if states[-1] != "COMPLETED":
                wrong.append(f"the backfill ended {states}")
            house.close()
    story = {
        "slates when they were killed": published,
        "backfill runs": " then ".join(states),
        "seconds to start": round(up - began),
        "seconds": round(time.monotonic() - up),
    }
    return numbers, wrong, story


def _wait(cluster: Cluster, run_id: str) -> str:
    return until(
        lambda: (cluster.state(run_id)["type"] in OVER and cluster.state(run_id)["type"]) or None, "the backfill", RUN_S
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, return 1 when something does not add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=dt.date.fromisoformat, default=FIRST)
    parser.add_argument("--last", type=dt.date.fromisoformat, default=LAST)
    parser.add_argument("--days", type=int, default=7, help="days per run of their own")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    numbers, wrong, story = run(options.first, options.last, options.days)
    for name, value in {**numbers, **story}.items():
        print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")  # noqa: T201
    print("\n".join(wrong) if wrong else "no gap, no row lost, none doubled")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
