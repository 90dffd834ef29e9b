"""What one league day costs, and what seasons and sports of them would: requests, batches, CPU, disk, the bottleneck.

    python -m benchmarks.sizing                # about two minutes
    python -m benchmarks.sizing --days 2

Slates of consecutive days of the demo league are refreshed by the flow, one after the other, against a local Prefect
server; what they cost is counted: requests by the upstream, task runs by Prefect, CPU by the operating system and by
Redis, bytes by the file system and Redis. `docs/operations.md` shows the figures and how they are multiplied
(`benchmarks.sizing_table`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
import statistics
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis

from backstop.store import connection
from benchmarks.orchestration import Home, at_home
from benchmarks.report import Report, arguments
from benchmarks.sizing_table import SCALES, extrapolated

WARM = dt.date(2025, 4, 9)
"""Not counted: it fetches the days before it, and pays for the imports."""

QUIET_S = 2.0
"""Prefect records task runs behind the run, in batches of a second: they are all there when so long none came."""

QUIET_LIMIT_S = 60.0


@dataclass
class Cost:
    """What was spent since the beginning; differences are what a day cost."""

    requests: float
    task_runs: float
    batches: float
    wall_s: float
    flow_cpu_s: float
    server_cpu_s: float
    redis_cpu_s: float
    lake_mb: float
    archive_mb: float
    redis_mb: float
    prefect_mb: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


@dataclass
class Meters:
    """The counters of what runs at home."""

    home: Home
    store: redis.Redis

    def spent(self, wall_s: float, flow_cpu_s: float) -> Cost:
        """Read every counter, when Prefect has recorded what the runs so far did; the flows were timed outside."""
        settings, used = self.home.settings, self.store.info()
        return Cost(
            requests=self.home.upstream.stats()["requests"].get("all", 0),
            task_runs=self._settled(),
            batches=self._task_runs({"task_runs": {"name": {"like_": "batch"}}}),
            wall_s=wall_s,
            flow_cpu_s=flow_cpu_s,
            server_cpu_s=_cpu(self.home.prefect.pid),
            redis_cpu_s=used["used_cpu_user"] + used["used_cpu_sys"],
            lake_mb=_size(settings.lake_dir),
            archive_mb=_size(settings.archive_dir),
            redis_mb=used["used_memory_dataset"] / 1e6,
            prefect_mb=_database(settings.home / "prefect" / "prefect.db"),
        )

    def _task_runs(self, what: dict[str, Any]) -> int:
        counted: int = httpx.post(f"{self.home.prefect.api_url}/task_runs/count", json=what, timeout=60).json()
        return counted

    def _settled(self) -> int:
        """Return the number of task runs when no more of them come."""
        began = quiet_since = time.monotonic()
        known = self._task_runs({})
        while time.monotonic() - quiet_since < QUIET_S and time.monotonic() - began < QUIET_LIMIT_S:
            time.sleep(0.5)
            if (now := self._task_runs({})) != known:
                known, quiet_since = now, time.monotonic()
        return known


def main() -> None:
    """Measure, multiply and print."""
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=5)
    options = parser.parse_args()
    report = Report("sizing", options.record)
    with at_home(0) as home:
        costs = measured(home, [WARM + dt.timedelta(days=number) for number in range(1, options.days + 1)])
    tabulated(report, costs)
    report.close()


def tabulated(report: Report, costs: list[Cost]) -> None:
    """Make the table of a day, and that of the scales from the means of the days."""
    day = report.table("day", f"{len(costs)} days of the league in a row", unit="of each")
    for each in fields(Cost):
        day.row(each.name, [getattr(cost, each.name) for cost in costs])
    mean = {row.name: statistics.mean(row.values) for row in day.rows}
    scales = report.table("scales", "A backfill of so much on one machine, extrapolated", unit="hours")
    for scale in SCALES:
        load = extrapolated(mean, scale, os.cpu_count() or 1)
        scales.row(scale.name, load.hours, **load.columns())


def measured(home: Home, days: list[dt.date]) -> list[Cost]:
    """Refresh the days in turn and return what each cost."""
    from flows.slate import slate_refresh
    from tasks import marks

    meters, costs, wall, cpu = Meters(home, connection.connect(home.settings)), [], 0.0, 0.0
    with marks.unheard():  # as the days of a backfill
        slate_refresh(WARM)
        before = meters.spent(wall, cpu)
        for day in days:
            began, cpu_began = time.perf_counter(), time.process_time()
            slate_refresh(day)
            wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - cpu_began
            after = meters.spent(wall, cpu)
            costs.append(after - before)
            before = after
    return costs


def _cpu(pid: int | None) -> float:
    """Return the processor time of a process and its children, which a guard may stand above."""
    top = psutil.Process(pid)
    return float(sum(sum(each.cpu_times()[:2]) for each in (top, *top.children(recursive=True))))


def _size(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6


def _database(file: Path) -> float:
    """Return the pages of a SQLite database, also those that only its log has so far."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        pages, size = (opened.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return float(pages * size / 1e6)


if __name__ == "__main__":
    main()
