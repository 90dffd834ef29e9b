"""Reads of a slate while every feed is down half of an hour: how many are answered, how fresh, and none of half a version.

    python -m benchmarks.availability              # about five minutes
    python -m benchmarks.availability --ticks 2    # ten simulated minutes

An hour of simulated time in ticks of five minutes: in every second one all feeds answer 503, and in each `slate-refresh`
is run for the demo day, under a real Prefect server, against the demo upstream over HTTP. The clock that dates versions
and ages moves with the ticks. A reader asks for the slate and for a random player all the while; beside it another
does without Redis and asks the feed's schedule each time, which is what reading through to the feeds would get.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import statistics
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from unittest import mock

import httpx

from backstop.clock import SystemClock
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import BackstopError
from backstop.settings import Feed, Settings
from backstop.stages.house import House
from backstop.store import connection, embedded
from backstop.store.reader import SlateReader
from benchmarks.report import Report, arguments
from deployments import machine, server

TICKS, TICK_S = 12, 300
DOWN = ",".join(f"{feed}:503=1x1000000" for feed in Feed)
PATIENCE = {"BACKSTOP_REQUEST_BUDGET_S": "5"}
"""Less than a run would wait in earnest: the feeds of this hour do not come back within a tick."""


class Moved:
    """The machine's clock, and as many simulated seconds as it was moved by."""

    by_s = 0.0

    def now(self) -> dt.datetime:
        """Return the simulated instant."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.by_s)


class Asking(threading.Thread, ABC):
    """Asks one thing after another until told to stop, and counts how each ended, tick by tick."""

    pause_s = 0.002

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ends: Counter[str] = Counter()
        self.ticks: list[Counter[str]] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Ask."""
        while not self.stop.wait(self.pause_s):
            self.ends[self.ask()] += 1

    @abstractmethod
    def ask(self) -> str:
        """Ask once and say how it ended."""

    def end_tick(self) -> None:
        """Put what ended since the last call into a tick of its own."""
        self.ticks.append(self.ends.copy() - sum(self.ticks, Counter()))

    def share(self, *ends: str) -> float:
        """Return the percentage that ended so: the mean of the ticks, which last equally long in simulated time."""
        return statistics.mean(100 * sum(tick[end] for end in ends) / tick.total() for tick in self.ticks)


class Reader(Asking):
    """Reads one player after another from Redis."""

    def __init__(self, settings: Settings, players: list[int]) -> None:
        super().__init__()
        self._reader = SlateReader(connection.connect(settings), SystemClock())
        self._players = players
        self._chance, self._newest = random.Random(1), 0

    def ask(self) -> str:
        """Read one."""
        try:
            view = self._reader.player(self._chance.choice(self._players), DEMO_DAY)
        except BackstopError as error:
            return type(error).__name__
        version = view.slate.version or 0
        whole = bool(view.features) and version >= self._newest
        self._newest = max(self._newest, version)
        return str(view.state) if whole else "half a version, or an older one"


class ReadThrough(Asking):
    """Asks the feed itself."""

    pause_s = 0.02

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._client = httpx.Client(base_url=base_url)

    def ask(self) -> str:
        """Ask for the day's schedule."""
        answer = self._client.get("/api/v1/schedule", params={"sportId": 1, "date": f"{DEMO_DAY}"})
        return "fresh" if answer.is_success else str(answer.status_code)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--ticks", type=int, default=TICKS, help="of five simulated minutes each")
    asked = parser.parse_args()
    report = Report("availability", asked.record)
    clock = Moved()
    os.environ |= PATIENCE
    with (
        tempfile.TemporaryDirectory() as folder,
        Upstream.start("demo") as upstream,
        mock.patch.object(SystemClock, "now", clock.now),
    ):
        own = server.start(Path(folder) / "prefect")
        settings = Settings(home=Path(folder), history_first_season=DEMO_DAY.year).pointed_at(upstream.base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(settings.home / "redis")})
        try:
            own.wait_ready()
            machine.export(settings, own)
            reader, through, runs = hour(settings, upstream, clock, asked.ticks)
            server.send_what_is_left()
        finally:
            own.stop()
            House.close_all()
            embedded.stop(settings.home / "redis")
    answered = {"fresh", "stale"}
    table = report.table("reads", "Reads in an hour of which every feed was down half", unit="%", better="more")
    for name, each in (("reading through to the feed", through), ("answered", reader)):
        other = ", ".join(f"{count:,} {end}" for end, count in each.ends.items() if end not in answered)
        reads = f"{each.ends.total():,}"
        table.row(
            name, each.share(*answered), fresh=f"{each.share('fresh'):.1f} %", reads=reads, others=other or "none"
        )
    refreshed = report.table("runs", f"{asked.ticks} refreshes, one every five minutes", unit="runs", better="more")
    for name, count in sorted(runs.items()):
        refreshed.row(name, count)
    report.close()


def hour(settings: Settings, upstream: Upstream, clock: Moved, ticks: int) -> tuple[Reader, ReadThrough, Counter[str]]:
    """Publish the slate, then live through the hour; return what the readers saw and how the runs ended."""
    from flows.slate import slate_refresh

    slate_refresh(DEMO_DAY, return_state=True)
    players = House.of(settings).reader.features(DEMO_DAY)["player_id_mlbam"].unique().sort().to_list()
    readers = reader, through = Reader(settings, players), ReadThrough(upstream.base_url)
    runs: Counter[str] = Counter()
    for tick in range(ticks):
        down = tick % 2 == 0
        upstream.set_faults(DOWN if down else "calm")
        for each in readers if not tick else ():
            each.start()
        clock.by_s += TICK_S
        state = slate_refresh(DEMO_DAY, return_state=True)
        for each in readers:
            each.end_tick()
        runs[f"feeds {'down' if down else 'up'}: {str(state.name).lower()}"] += 1
    for each in readers:
        each.stop.set()
        each.join()
    return reader, through, runs


if __name__ == "__main__":
    main()
