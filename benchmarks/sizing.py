"""What one league day costs, and what seasons and sports of them would: requests, batches, CPU, disk, the bottleneck.

    python -m benchmarks.sizing                # about two minutes
    python -m benchmarks.sizing --days 2

Slates of consecutive days of the demo league (15 games a day, as many pitches and quotes as the major league) are
refreshed by the flow against a local Prefect server; what they cost is counted: requests by the upstream, task runs by
Prefect, CPU by the operating system, bytes by the file system and Redis. The figures of a day are then multiplied. The
bottleneck of a scale is whatever takes longest: the flow's CPU, the server's CPU, or the requests at 25 in flight.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import psutil

from backstop.demo.upstream import Upstream
from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from benchmarks.report import Report, arguments

WARM = dt.date(2025, 4, 9)
"""Not counted: it fetches the days before it, and pays for the imports."""

LATENCY_S = 0.3
"""Of a feed on the internet; a page of Savant takes longer, a box score less."""

SEASON_DAYS = 185
SCALES = {
    "1 season": SEASON_DAYS,
    "10 seasons": 10 * SEASON_DAYS,
    "10 sports x 1 season": 10 * SEASON_DAYS,
    "10 sports x 10 seasons": 100 * SEASON_DAYS,
}


@dataclass
class Cost:
    """What was spent since the beginning; differences are what a day cost."""

    requests: float
    task_runs: float
    flow_cpu_s: float
    server_cpu_s: float
    wall_s: float
    lake_mb: float
    archive_mb: float
    redis_mb: float
    prefect_mb: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


@dataclass
class Bench:
    """Everything up, and the counters of it."""

    settings: Settings
    upstream: Upstream
    prefect: Any
    flow: Any

    def spent(self) -> Cost:
        house = House.of(self.settings)
        server = psutil.Process(self.prefect.process.pid)
        cpu = sum(sum(each.cpu_times()[:2]) for each in [server, *server.children(recursive=True)])
        own = os.times()
        counted = httpx.post(f"{self.prefect.api_url}/task_runs/count", json={}, timeout=60).json()
        return Cost(
            requests=self.upstream.stats()["requests"].get("all", 0),
            task_runs=counted,
            flow_cpu_s=own.user + own.system,
            server_cpu_s=cpu,
            wall_s=time.monotonic(),
            lake_mb=_size(self.settings.lake_dir),
            archive_mb=_size(self.settings.archive_dir),
            redis_mb=house.redis.info("memory")["used_memory_dataset"] / 1e6,
            prefect_mb=_size(self.settings.home / "prefect", "*.db*"),
        )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=5)
    options = parser.parse_args()
    report = Report("sizing", options.record)
    with tempfile.TemporaryDirectory() as home, _bench(Path(home)) as bench:
        bench.flow(WARM)
        costs = [_one(bench, WARM + dt.timedelta(days=number)) for number in range(1, options.days + 1)]
    day = report.table("day", "One league day: 15 games, its pitches, quotes and props", unit="of each")
    for each in fields(Cost):
        day.row(each.name, [getattr(cost, each.name) for cost in costs])
    mean = {each.name: sum(getattr(cost, each.name) for cost in costs) / len(costs) for each in fields(Cost)}
    _scales(report, mean)
    report.close()


def _one(bench: Bench, day: dt.date) -> Cost:
    before = bench.spent()
    bench.flow(day)
    return bench.spent() - before


def _scales(report: Report, day: dict[str, float]) -> None:
    """Multiply; a scale's bottleneck is what keeps one machine busy for longest."""
    cores = os.cpu_count() or 1
    table = report.table("scales", f"Extrapolated: a backfill on {cores} cores, feeds {LATENCY_S} s away", unit="hours")
    for name, days in SCALES.items():
        busy = {
            "CPU of the flow": day["flow_cpu_s"] * days / cores / 3600,
            "CPU of the Prefect server": day["server_cpu_s"] * days / 3600,
            "requests, 25 in flight": day["requests"] * LATENCY_S / MAX_IN_FLIGHT_PER_HOST * days / 3600,
        }
        bottleneck = max(busy, key=lambda what: busy[what])
        table.row(
            name,
            busy[bottleneck],
            bottleneck=bottleneck,
            days=f"{days:,}",
            task_runs=f"{day['task_runs'] * days:,.0f}",
            requests=f"{day['requests'] * days:,.0f}",
            cpu_h=f"{(day['flow_cpu_s'] + day['server_cpu_s']) * days / 3600:,.1f}",
            lake_gb=f"{day['lake_mb'] * days / 1e3:,.1f}",
            archive_gb=f"{day['archive_mb'] * days / 1e3:,.1f}",
            redis_gb=f"{day['redis_mb'] * days / 1e3:,.1f}",
            prefect_gb=f"{day['prefect_mb'] * days / 1e3:,.1f}",
        )


@contextmanager
def _bench(home: Path) -> Iterator[Bench]:
    from deployments import machine, server

    with Upstream.start("demo") as upstream:
        settings = Settings(home=home, history_first_season=2025).pointed_at(upstream.base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(home / "redis")})
        prefect = server.start(home / "prefect")
        try:
            machine.export(settings, prefect)
            prefect.wait_ready()
            from flows.slate import slate_refresh

            yield Bench(settings, upstream, prefect, slate_refresh)
            server.send_what_is_left()
        finally:
            House.close_all()
            prefect.stop()
            embedded.stop(home / "redis")


def _size(folder: Path, pattern: str = "*") -> float:
    return sum(each.stat().st_size for each in folder.rglob(pattern) if each.is_file()) / 1e6


if __name__ == "__main__":
    main()
