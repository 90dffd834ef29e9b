"""The upstream server: how fast it starts, answers, and how much memory it takes.

.venv/bin/python -m benchmarks.upstream [demo | recorded:DIR] ...
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream

STARTS = 5
REPEATS = 20


def main() -> None:
    specs = sys.argv[1:] or ["demo"]
    print(
        f"machine: {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    print(f"{'spec':<10} {'what':<46} {'N':>4} {'median ms':>10} {'min':>8} {'max':>8} {'server CPU ms each':>19}")
    for spec in specs:
        measure(spec)


def measure(spec: str) -> None:
    name = spec.partition(":")[0]
    row(name, "start until it answers, and stop", None, [lambda: start_and_stop(spec)] * STARTS)
    day = DEMO_DAY - dt.timedelta(days=1) if spec == "demo" else dt.date(2025, 6, 15)
    with running(spec) as (server, client):
        csv = lambda one: lambda: client.get("/statcast_search/csv", params=_day(one))  # noqa: E731
        pid = server.pid
        row(name, "first day of pitches after the start", pid, [csv(day)])
        month = [day - dt.timedelta(days=n) for n in range(1, 1 + min(REPEATS, day.day - 1 or REPEATS))]
        row(name, "a day of pitches, first time, same month", pid, [csv(one) for one in month])
        row(name, "a day of pitches, again", pid, [csv(day)] * REPEATS)
        others(name, pid, client, day)
        days = [day - dt.timedelta(days=n) for n in range(28)]
        with ThreadPoolExecutor(25) as pool:
            row(
                name,
                "28 days of pitches, 25 at once, all together",
                pid,
                [lambda: list(pool.map(lambda one: csv(one)(), days))],
            )
        if spec != "demo":
            far = [csv(dt.date(2024, month, 15)) for month in range(4, 10)]
            row(name, "a day of pitches in a month not read yet", pid, far)
        status = Path(f"/proc/{server.pid}/status").read_text()
        memory = {
            line.split()[0]: int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("Vm")
        }
        print(f"{name:<10} memory now {memory['VmRSS:']} MB, at most {memory['VmHWM:']} MB")


def others(name: str, pid: int, client: httpx.Client, day: dt.date) -> None:
    hydrate = {"sportId": 1, "date": day.isoformat(), "hydrate": "probablePitcher,lineups,team"}
    schedule = lambda: client.get("/api/v1/schedule", params=hydrate)  # noqa: E731
    row(name, "schedule of the day, with line-ups", pid, [schedule] * REPEATS)
    games = [game["gamePk"] for game in schedule().json()["dates"][0]["games"]]
    row(name, "box score", pid, [lambda pk=pk: client.get(f"/api/v1/game/{pk}/boxscore") for pk in games])
    events = client.get("/v4/sports/baseball_mlb/events").json()
    wanted = (DEMO_DAY if name == "demo" else day).isoformat()
    params = {"markets": "batter_hits,batter_home_runs,pitcher_strikeouts", "regions": "us"}
    path = "/v4/historical/sports/baseball_mlb/events/{}/odds"
    close = [event for event in events if event["commence_time"][:10] == wanted]
    asks = [lambda e=e: client.get(path.format(e["id"]), params=params | {"date": e["commence_time"]}) for e in close]
    row(name, "historical odds of an event, three markets", pid, asks)


def start_and_stop(spec: str) -> None:
    with Upstream.start(spec):
        pass


@contextmanager
def running(spec: str) -> Iterator[tuple[Upstream, httpx.Client]]:
    with Upstream.start(spec) as server, httpx.Client(base_url=server.base_url, timeout=120) as client:
        yield server, client


def timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def cpu_ms(pid: int) -> float:
    """Return the processor time that a process took so far: what a busy machine cannot distort."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") * 1000


def row(spec: str, what: str, pid: int | None, actions: list[Callable[[], object]]) -> None:
    before = cpu_ms(pid) if pid else children_ms()
    found = [timed(action) for action in actions]
    each = ((cpu_ms(pid) if pid else children_ms()) - before) / len(found)
    print(
        f"{spec:<10} {what:<46} {len(found):>4} {statistics.median(found):>10.1f} {min(found):>8.1f} {max(found):>8.1f} "
        f"{each:>19.1f}"
    )


def children_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def _day(day: dt.date) -> dict[str, str]:
    return {"all": "true", "type": "details", "game_date_gt": day.isoformat(), "game_date_lt": day.isoformat()}


if __name__ == "__main__":
    main()
