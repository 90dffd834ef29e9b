"""Reads of a slate while every feed is down half of an hour: how many are answered, how fresh, and none of half a version.

    python -m benchmarks.availability    # about five minutes

An hour of simulated time in ticks of five minutes: in every second one all feeds answer 503, and in each `slate-refresh`
is run for the demo day, under a real Prefect server, against the demo upstream over HTTP. The clock that dates versions
and ages moves with the ticks. A reader asks for the slate and for a random player all the while; beside it another
does without Redis and asks the feed's schedule each time, which is what reading through to the feeds would get.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import tempfile
import threading
from collections import Counter
from pathlib import Path
from unittest import mock

import httpx

from backstop.clock import SystemClock
from backstop.demo import DEMO_DAY
from backstop.demo.faults import FEEDS
from backstop.demo.upstream import Upstream
from backstop.errors import BackstopError
from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import connection, embedded
from backstop.store.reader import SlateReader
from benchmarks.report import Report, arguments
from deployments import machine, server

TICKS, TICK_S = 12, 300
DOWN = ",".join(f"{feed}:503=1x1000000" for feed in FEEDS)
ASKED = "asking the feed each time"
PATIENCE = {"BACKSTOP_REQUEST_BUDGET_S": "5"}
"""Less than a run would wait in earnest: the feeds of this hour do not come back within a tick."""


class Moved:
    """The machine's clock, and as many simulated seconds as it was moved by."""

    by_s = 0.0

    def now(self) -> dt.datetime:
        """Return the simulated instant."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.by_s)


class Reader(threading.Thread):
    """Reads one player after another until told to stop, and counts how each read ended."""

    def __init__(self, settings: Settings, players: list[int]) -> None:
        super().__init__(daemon=True)
        self.ends: Counter[str] = Counter()
        self.stop = threading.Event()
        self._reader = SlateReader(connection.connect(settings), SystemClock())
        self._players = players

    def run(self) -> None:
        """Read."""
        chance, newest = random.Random(1), 0
        while not self.stop.wait(0.002):
            try:
                view = self._reader.player(chance.choice(self._players), DEMO_DAY)
            except BackstopError as error:
                self.ends[type(error).__name__] += 1
                continue
            version = view.slate.version or 0
            whole = bool(view.features) and version >= newest
            newest = max(newest, version)
            self.ends[str(view.state) if whole else "half a version, or an older one"] += 1


class Asker(threading.Thread):
    """Asks the feed itself, again and again, until told to stop."""

    def __init__(self, base_url: str) -> None:
        super().__init__(daemon=True)
        self.answered = self.asked = 0
        self.stop = threading.Event()
        self._client = httpx.Client(base_url=base_url)

    def run(self) -> None:
        """Ask."""
        while not self.stop.wait(0.02):
            self.asked += 1
            answer = self._client.get("/api/v1/schedule", params={"sportId": 1, "date": f"{DEMO_DAY}"})
            self.answered += answer.is_success


def main() -> None:
    """Measure and print."""
    report = Report("availability", arguments(__doc__).parse_args().record)
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
            reader, asker, runs = hour(settings, upstream, clock)
            server.send_what_is_left()
        finally:
            own.stop()
            House.close_all()
            embedded.stop(settings.home / "redis")
    asked = reader.ends.total()
    answered = reader.ends["fresh"] + reader.ends["stale"]
    table = report.table("reads", f"{asked:,} reads in an hour of which feeds were down half", unit="%", better="more")
    table.row(ASKED, asker.answered / asker.asked * 100, reads=f"{asker.answered:,} of {asker.asked:,}")
    table.row("answered", answered / asked * 100, reads=f"{answered:,}")
    table.row("answered fresh", reader.ends["fresh"] / asked * 100, reads=f"{reader.ends['fresh']:,}")
    unanswered = {end: count for end, count in reader.ends.items() if end not in {"fresh", "stale"}}
    table.row("not answered", (asked - answered) / asked * 100, reads=", ".join(f"{n} {end}" for end, n in unanswered.items()) or "none")  # fmt: skip
    refreshed = report.table("runs", f"{TICKS} refreshes, one every five minutes", unit="runs", better="more")
    for name, count in sorted(runs.items()):
        refreshed.row(name, count)
    report.close()


def hour(settings: Settings, upstream: Upstream, clock: Moved) -> tuple[Reader, Asker, Counter[str]]:
    """Publish the slate, then live through the hour; return what the readers saw and how the runs ended."""
    from flows.slate import slate_refresh

    slate_refresh(DEMO_DAY, return_state=True)
    players = House.of(settings).reader.features(DEMO_DAY)["player_id_mlbam"].unique().sort().to_list()
    readers = reader, asker = Reader(settings, players), Asker(upstream.base_url)
    for each in readers:
        each.start()
    runs: Counter[str] = Counter()
    for tick in range(TICKS):
        down = tick % 2 == 0
        upstream.set_faults(DOWN if down else "calm")
        clock.by_s += TICK_S
        state = slate_refresh(DEMO_DAY, return_state=True)
        runs[f"feeds {'down' if down else 'up'}: {str(state.name).lower()}"] += 1
    for each in readers:
        each.stop.set()
        each.join()
    return reader, asker, runs


if __name__ == "__main__":
    main()
