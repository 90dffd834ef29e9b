"""The kill -9 matrix: flow process, worker, server, Redis, PostgreSQL, each killed in each stage; rows counted after.

    python -m tests.operations.matrix                                  # 25 cases, the table as markdown
    python -m tests.operations.matrix --killed redis --stage load      # some of them
    make kill-matrix                                                   # all, recorded, and docs/operations.md renewed

One installation serves all cases: PostgreSQL under Prefect and the ledgers, a redis-server with an append-only file,
Prefect with Redis messaging, a worker. Every case has a home, a ledger and a Redis database of its own. The run stops at
the stage's moment (`moments.WHAT`), the process concerned is killed with -9 and, unless it is the run itself, started
again; the run goes on or ends as it may; then the same command is given again until it completes. What is left is
compared row by row with what an undisturbed run left.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.stages.house import House
from benchmarks import kill_table
from benchmarks.report import Report
from tests.operations import moments
from tests.operations.books import Books
from tests.operations.checkout import ROOT
from tests.operations.nursery import Nursery
from tests.operations.pools import OVER, Given, register
from tests.operations.servers import Postgres, Redis, Replica, Server, Worker, each, messaging
from tests.operations.waiting import gone, until

DAY = dt.date(2025, 4, 4)
KILLED = ("flow", "worker", "server", "redis", "postgres")
POOL = "killed"
SLATE = "flows.slate:slate_refresh"
RUN_S = 400.0
REPEATS = 4


@dataclass
class Case:
    """What one cell of the matrix came to."""

    killed: str
    stage: str
    ended: str
    repeats: int
    rows: int
    lost: int
    doubled: int
    wrong: list[str]
    seconds: float

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.doubled or self.wrong)

    @property
    def columns(self) -> dict[str, str]:
        """What is printed of it, and recorded."""
        told = {**vars(self), "rows": f"{self.rows:,}", "wrong": "; ".join(self.wrong[:2]) or "nothing"}
        return {name: str(told[name]) for name in kill_table.COLUMNS}


class Installation:
    """The servers that all cases share; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream: Upstream
        self.number = 0

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self.upstream = self._stack.enter_context(Upstream.start("demo"))
        self.postgres, self.redis = Postgres(self.folder / "postgres"), Redis(self.folder / "redis")
        settings = messaging(self.postgres, self.redis, self.folder / "prefect")
        self.server = Replica("server", self.folder, settings)
        self.environment = {
            "PREFECT_API_URL": self.server.api_url,
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
            "PREFECT_HOME": str(self.folder / "client"),
        }
        self.worker = Worker("worker", self.folder, self.environment, POOL)
        self._stack.callback(each, [self.postgres, self.redis, self.server, self.worker], Server.stop)
        for server in (self.postgres, self.redis):
            server.start()
            server.wait()
        self.postgres.ask("create database prefect")
        self.server.start()
        self.server.wait()
        self.nursery = self._stack.enter_context(Nursery(self.environment))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def named(self, name: str) -> Server:
        return {"server": self.server, "redis": self.redis, "postgres": self.postgres, "worker": self.worker}[name]

    @contextlib.contextmanager
    def home(self) -> Iterator[Home]:
        self.number += 1
        name = f"case{self.number}"
        self.postgres.ask(f"create database {name}")
        home = Home(
            Settings(
                home=self.folder / name,
                redis_url=self.redis.url(2 + self.number),
                ledger_url=self.postgres.url(name),
                upstream=self.upstream.base_url,
                history_first_season=2025,
            )
        )
        home.settings.home.mkdir()
        yield home


@dataclass
class Home:
    """Where one case keeps everything."""

    settings: Settings

    @property
    def folder(self) -> Path:
        return self.settings.home

    @property
    def environment(self) -> dict[str, str]:
        said = self.settings.model_dump(mode="json", exclude_defaults=True)
        return {f"BACKSTOP_{name.upper()}": str(value) for name, value in said.items()}

    def books(self) -> Books:
        house = House(self.settings)
        try:
            return Books.of(house, DAY)
        finally:
            house.close()


def fork(site: Installation, home: Home, **stop: str) -> tuple[int, Path]:
    """Start a run as a process of its own; return its id and where it will say how it ended."""
    result = home.folder / f"result-{time.monotonic_ns()}.json"
    job = {"flow": SLATE, "parameters": {"day": DAY.isoformat()}, "environment": home.environment}
    return site.nursery.start(**job, result=str(result), **stop), result


def ended(pid: int, result: Path) -> str:
    """Wait for the end of a run and return how it ended."""
    until(lambda: result.exists() or gone(pid), "a run to end", RUN_S)
    return json.loads(result.read_text())["name"] if result.exists() else "killed"


def repeat(site: Installation, home: Home) -> int:
    """Give the same command until it completes; return how often that took."""
    for number in range(1, REPEATS + 1):
        if ended(*fork(site, home)) in {"Completed", "Degraded"}:
            return number
    raise SystemExit(f"the run did not complete in {REPEATS} repeats; see {site.folder}")


def kill_in_process(site: Installation, home: Home, killed: str, stage: str) -> tuple[str, int]:
    """Run as a process of its own, kill it or a server at the moment; return how the run ended and the repeats."""
    pid, result = fork(site, home, stage=stage, folder=str(home.folder))
    until(lambda: moments.reached(home.folder), f"the run to reach {stage}", RUN_S)
    if killed == "flow":
        os.kill(pid, signal.SIGKILL)
    else:
        server = site.named(killed)
        server.kill()
        server.start()
        moments.let_go(home.folder)  # it meets a server that is gone, or just comes back
        server.wait()
    how = ended(pid, result)
    return how, 0 if how in {"Completed", "Degraded"} else repeat(site, home)


def kill_worker(site: Installation, home: Home, stage: str) -> tuple[str, int]:
    """Run by the worker, and kill that one at the moment: its child is told to end; return as above."""
    if site.worker.process is None:
        from flows.slate import slate_refresh

        register(site.server.api_url, POOL, slate_refresh)
        site.worker.start()
    command = f"{sys.executable} -m tests.operations.engine {stage} {home.folder}"
    variables = {"env": {**site.environment, **home.environment}, "working_dir": str(ROOT), "command": command}
    with httpx.Client(base_url=site.server.api_url, timeout=60) as client:
        run = Given(client, f"slate-refresh/{POOL}", {"day": DAY.isoformat()}, variables)
        pid = until(lambda: moments.reached(home.folder), f"the run to reach {stage}", RUN_S)
        site.worker.kill()
        moments.let_go(home.folder)
        until(lambda: gone(pid), "the killed worker's run to end", RUN_S)
        site.worker.start()
        state = run.state
    how = state["name"] if state["type"] in OVER else f"left {state['name']}"
    return how, 0 if state["type"] == "COMPLETED" else repeat(site, home)


def case(site: Installation, reference: Books, killed: str, stage: str) -> Case:
    """Carry out one cell."""
    began = time.monotonic()
    with site.home() as home:
        kill = kill_worker if killed == "worker" else kill_in_process
        how, repeats = kill(site, home, stage) if killed == "worker" else kill(site, home, killed, stage)
        books = home.books()
    wrong = [*books.wrong]
    if books.refused != reference.refused:
        wrong.append(f"quarantine has {books.refused}, expected {reference.refused}")
    return Case(
        killed, stage, how, repeats, books.count, books.lost(reference), books.doubled(reference), wrong,
        time.monotonic() - began,
    )  # fmt: skip


def recorded(cases: list[Case], seconds: float, record: Path | None) -> None:
    """Write down a whole run, from which `python -m benchmarks.claims` makes the table in docs/operations.md."""
    bad = sum(cell.bad for cell in cases)
    title = (
        f"{len(cases)} cases in one run of {seconds:,.0f} s, {bad or 'none'} of them with a row lost, doubled or wrong"
    )
    report = Report(kill_table.BENCH, record)
    table = report.table("cells", title, unit="s")
    for cell in cases:
        table.row(f"{cell.killed} at {cell.stage}", cell.seconds, **cell.columns)
    report.save()


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the cells that are asked for; return 1 when a row was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--killed", choices=KILLED, nargs="+", default=KILLED)
    parser.add_argument("--stage", choices=moments.STAGES, nargs="+", default=moments.STAGES)
    parser.add_argument("--record", type=Path, help="write what a whole run came to, all cases, to this file")
    options = parser.parse_args(argv)
    if options.record and (set(options.killed), set(options.stage)) != (set(KILLED), set(moments.STAGES)):
        parser.error("only a run of all cases is recorded; leave out --killed and --stage, or --record")
    warnings.simplefilter("ignore")
    began, cases = time.monotonic(), list[Case]()
    with tempfile.TemporaryDirectory(prefix="matrix", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user
        with Installation(Path(name)) as site:
            with site.home() as home:
                repeat(site, home)
                reference = home.books()
            if reference.wrong:
                raise SystemExit(f"the undisturbed run does not add up: {reference.wrong}")
            print(f"undisturbed: {reference.count:,} rows\n\n{kill_table.HEADER}", flush=True)  # noqa: T201
            for killed in options.killed:
                for stage in options.stage:
                    cases.append(case(site, reference, killed, stage))
                    print(kill_table.line(cases[-1].columns), flush=True)  # noqa: T201
    seconds, bad = time.monotonic() - began, [each for each in cases if each.bad]
    lost, doubled = sum(each.lost for each in cases), sum(each.doubled for each in cases)
    print(f"\n{len(cases)} cases, {lost} rows lost, {doubled} doubled, {len(bad)} bad; {seconds:.0f} s")  # noqa: T201
    recorded(cases, seconds, options.record)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
