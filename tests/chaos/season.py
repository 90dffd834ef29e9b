"""Play a seed: its season with its faults, the same command again until it completes, then everything is checked."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages.house import House
from tests.chaos import checks
from tests.chaos.checks import State
from tests.chaos.schedule import CONTENT, FIRST, LONGEST, REFUSING, WITHOUT, Blow, Schedule
from tests.chaos.site import Site, environment_of
from tests.chaos.strikes import COUNTED, REFUSED, STRUCK
from tests.chaos.watch import Watch
from tests.operations import moments
from tests.operations.waiting import gone, until

SLATE = "flows.slate:slate_refresh"
BACKFILL = "flows.backfill:backfill"
RUN_S = 400.0
REPEATS = 4
"""Runs after the one that was struck; the first should do, and a breaker that is still open may cost another."""


@dataclass
class Played:
    """What became of a seed.

    Attributes:
        schedule: What was to happen.
        struck: Faults that did happen: a process was killed, a clock moved, a write was refused, a feed answered otherwise.
        spared: Faults that were armed and met nothing: a run that was over, or that wrote nothing more.
        killed: Runs that ended without a word.
        reruns: Runs that were given again.
        rebuilds: Days published again from the lake, which Redis had lost: `backstop redis rebuild`.
        reads: Slates whose props the reader read.
        feature_reads: Slates whose features it read.
        rows: Rows of all tables afterwards.
        wrong: What does not hold, in words; empty for a seed that held.
        seconds: What it took.
    """

    schedule: Schedule
    struck: list[str] = field(default_factory=list)
    spared: list[str] = field(default_factory=list)
    killed: int = 0
    reruns: int = 0
    rebuilds: int = 0
    reads: int = 0
    feature_reads: int = 0
    rows: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Calm:
    """The season without faults: what every seed's is compared with, after one day, two, three; made when wanted.

    Args:
        site: The servers.
        longest: Days of the longest season that is compared.
    """

    def __init__(self, site: Site, longest: int = LONGEST) -> None:
        self._site, self._longest = site, longest
        self._states: dict[tuple[int, bool], State] = {}
        self.crossings: dict[tuple[dt.date, bool], int] = {}

    def after(self, days: int, *, backfill: bool) -> State:
        """Return what an undisturbed season of so many days leaves."""
        if (days, backfill) not in self._states:
            chosen = [FIRST + dt.timedelta(days=n) for n in range(days if backfill else self._longest)]
            settings = self._site.home(postgres=False)
            for number, day in enumerate(chosen, 1):
                if backfill and number < days:
                    continue
                self._run(settings, day, days if backfill else 0)
                self._states[(number, backfill)] = checks.state_of(settings, chosen[:number])
            self._site.drop(settings)
        return self._states[(days, backfill)]

    def _run(self, settings: Settings, day: dt.date, days: int) -> None:
        first, last = (FIRST, FIRST + dt.timedelta(days=days - 1)) if days else (day, day)
        season = Season(self._site, settings, backfill=bool(days))
        ended = season.run(first, last, armed={"kind": "count"})
        if ended != "Completed":
            raise RuntimeError(f"the calm run of {day} ended as {ended}: {season.message}")
        self.crossings[(last, bool(days))] = int((settings.home / COUNTED).read_text())

    def count(self, blow: Blow, day: dt.date, schedule: Schedule) -> int:
        """Return the number of the crossing that a blow falls after."""
        last = schedule.days[-1] if schedule.backfill else day
        return max(1, round(blow.share * self.crossings[(last, schedule.backfill)]))


def play(site: Site, calm: Calm, schedule: Schedule) -> Played:
    """Carry out a seed."""
    began = time.monotonic()
    expected = calm.after(len(schedule.days), backfill=schedule.backfill)
    settings = site.home(postgres=schedule.postgres)
    played = Played(schedule)
    season = Season(site, settings, backfill=schedule.backfill, played=played)
    with Watch(site.redis.url, schedule.days) as watch:
        season.watch = watch
        if schedule.backfill:
            season.days(schedule.days, schedule.blows[schedule.days[0]], calm, schedule)
        else:
            for day in schedule.days:
                season.days([day], schedule.blows.get(day, ()), calm, schedule)
        season.bury()
        found = checks.state_of(settings, schedule.days)
    played.reads, played.feature_reads = watch.seen.reads["props"], watch.seen.reads["features"]
    played.rows = found.books.count
    played.wrong += watch.seen.wrong[:3]
    played.wrong += checks.differences(found, expected, set(schedule.kinds))
    played.wrong += checks.left_behind(site, settings)
    played.wrong += [f"the reader read no {kind}" for kind, reads in watch.seen.reads.items() if not reads]
    if not played.wrong:
        site.drop(settings)
    played.seconds = time.monotonic() - began
    return played


class Season:
    """One home and its runs."""

    def __init__(self, site: Site, settings: Settings, *, backfill: bool, played: Played | None = None) -> None:
        self.site, self.settings, self.backfill = site, settings, backfill
        self.played = played or Played(Schedule(0, (), postgres=False, backfill=backfill, blows={}))
        self.watch: Watch | None = None
        self.runs = 0
        self.hit = False
        self.message = ""

    def days(self, days: Sequence[dt.date], blows: Sequence[Blow], calm: Calm, schedule: Schedule) -> None:
        """Make one day, or all in one backfill, with its faults; then again without until that completes."""
        content = [blow for blow in blows if blow.kind in CONTENT]
        strike = next((blow for blow in blows if blow.kind not in CONTENT), None)
        if content:
            self.site.feeds.set_faults(faults_of(content[0], days[0]))
            self.played.struck.append(content[0].kind)
        crossing = calm.count(strike, days[-1], schedule) if strike else 0
        ended = self.run(days[0], days[-1], strike, crossing)
        self.site.lift()
        self._restore(schedule.days)
        for _ in range(REPEATS):
            if ended == "Completed":
                return
            ended = self.run(days[0], days[-1])
            self.played.reruns += 1
        if ended != "Completed":
            self.played.wrong.append(f"{days[-1]}: the last of {REPEATS} repeats ended as {ended}: {self.message}")

    def run(
        self, first: dt.date, last: dt.date, blow: Blow | None = None, crossing: int = 0, armed: dict | None = None
    ) -> str:
        """Run once, struck or not, and return how that ended."""
        self.runs += 1
        self.hit = False
        folder, result = self.settings.home, self.settings.home / f"result-{self.runs}.json"
        for name in ("reached", "stopped", "go", STRUCK, REFUSED):
            (folder / name).unlink(missing_ok=True)
        if blow is not None:
            kind = "stop" if blow.kind in WITHOUT else blow.kind
            armed = {"kind": kind, "crossing": crossing, "stage": blow.stage, "amount": blow.amount}
        job = {"flow": SLATE, "parameters": {"day": str(first)}}
        if self.backfill:
            job = {"flow": BACKFILL, "parameters": {"first": str(first), "last": str(last), "degraded": True}}
        armed = armed or {"kind": "none"}
        job["armed"] = {"by": "tests.chaos.strikes:arm", "with": {"folder": str(folder), **armed}}
        if blow is not None and blow.kind == "worker":
            pid = self._kill_worker(job, folder, result)
        else:
            pid = self.site.nursery.start(**job, environment=environment_of(self.settings), result=str(result))
        if blow is not None and blow.kind != "worker" and (blow.kind in WITHOUT or blow.stage):
            self._strike(blow, pid, folder)
        until(lambda: pid is None or gone(pid), f"run {self.runs} of {folder} to end", RUN_S)
        if blow is not None:
            self._note(blow, folder)
        if not result.exists():
            self.played.killed += 1
            return "killed"
        told = json.loads(result.read_text())
        self.message = told["message"]
        return str(told["name"])

    def _note(self, blow: Blow, folder: Path) -> None:
        """Note whether a strike met something."""
        if blow.kind == "memory":
            met = "errorstat_OOM" in self.site.client.info("errorstats")
        elif blow.kind in REFUSING:
            met = (folder / REFUSED).exists()
        elif blow.kind in WITHOUT:
            met = self.hit
        else:
            met = (folder / STRUCK).exists() or bool(blow.stage)
        (self.played.struck if met else self.played.spared).append(blow.kind)

    def _strike(self, blow: Blow, pid: int, folder: Path) -> None:
        """Wait until the run stands at its moment, strike, and let it go on."""
        until(lambda: moments.reached(folder) or gone(pid), f"a run to reach {blow}", RUN_S)
        if gone(pid):
            return  # it made fewer crossings than the calm run
        if blow.kind == "flow":
            os.kill(pid, signal.SIGKILL)
            return
        self.hit = True
        if blow.kind == "memory":
            self.site.client.config_resetstat()
            used = int(self.site.client.info("memory")["used_memory"])
            self.site.client.config_set("maxmemory", used + int(blow.amount))
            moments.let_go(folder)
            return
        server = self.site.named(blow.kind)
        if blow.kind == "redis" and self.watch is not None:
            self.watch.emptied(back=False)
        server.kill()
        if blow.late:
            moments.let_go(folder)
        server.start()
        server.wait()
        if blow.kind == "redis" and self.watch is not None:
            self.watch.emptied(back=True)
        moments.let_go(folder)

    def _kill_worker(self, job: dict[str, Any], folder: Path, result: Path) -> int | None:
        """Let a worker start the run, kill the worker at the moment, and return the process of a run that may go on."""
        described, worker = folder / "job.json", self.site.worker
        described.write_text(json.dumps(job))
        with httpx.Client(base_url=self.site.prefect.api_url, timeout=60) as client:
            given = self.site.give(client, self.settings, described)
            until(lambda: moments.reached(folder) or given.over, "a worker's run to reach its moment", RUN_S)
            pid = moments.reached(folder)
            if pid is None:  # it made fewer crossings than the calm run
                state = given.state
                result.write_text(json.dumps({"name": state["name"], "message": str(state["message"] or "")}))
                return None
        self.hit = True
        worker.kill()
        moments.let_go(folder)
        return pid

    def _restore(self, days: Sequence[dt.date]) -> None:
        """Publish again from the lake what a Redis that was killed has lost: `backstop redis rebuild`."""
        house = House(self.settings)
        try:
            lost = [day for day in days if house.reader.slate(day).version is None]
            known = [day for day in lost if day in house.lake.days("out_props")]
            if known:
                rebuild.rebuild(house, known)
                self.played.rebuilds += len(known)
        finally:
            house.close()

    def bury(self) -> None:
        """Mark runs that died as crashed, as `reconcile` does every five minutes."""
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_API_URL, temporary_settings

        from tasks import dead

        with temporary_settings({PREFECT_API_URL: self.site.prefect.api_url}), get_client(sync_client=True) as client:
            dead.bury(client, lambda _: None)


STORM = {
    "503": 0.08,
    "reset": 0.05,
    "html": 0.05,
    "cut-off": 0.05,
    "shortened": 0.03,
    "wrong-length": 0.03,
    "empty": 0.02,
}
"""Shares of requests that are struck; at twice of it breakers open."""


def faults_of(blow: Blow, day: dt.date) -> str:
    """Return what the demo feeds are told for a fault of theirs."""
    before = day - dt.timedelta(days=1)
    return {
        "storm": ",".join(f"*:{fault}={share * blow.amount:.2f}" for fault, share in STORM.items()),
        "schema": f"rows:drift={before}",
        "repeats": "rows:duplicates=0.05,rows:impossible=0.02",
        "order": "rows:shuffled,*:slow=0.3@0.05",
        "revised": f"rows:revised={before}",
    }[blow.kind]
