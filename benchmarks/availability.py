"""Reads of a slate while every feed is down for half an hour on end, and while Redis or the API is started again.

    python -m benchmarks.availability              # about four minutes
    python -m benchmarks.availability --ticks 2    # ten simulated minutes

An hour of simulated time in ticks of five minutes, of which the middle six have every feed answer 503: longer than a slate
counts as fresh. In each tick `slate-refresh` is run for the demo day, under a real Prefect server, against the demo upstream
over HTTP; then the clock that dates versions and ages moves on minute by minute. Three readers ask all the while: ours for a
random player; one that asks the feed itself each time; and one that reads the last good answer of the feed from a plain key,
which answers as often as ours and cannot say how old the answer is.

Restarts are real: Redis and the API are killed with -9 and started again at once, on the machine's clock.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self
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
from benchmarks.api_server import serving
from benchmarks.availability_readers import Asking, LastGood, Moved, Reader, ReadThrough
from benchmarks.report import Report, arguments
from deployments import machine, server

TICKS, TICK_S = 12, 300
STEP_S = 60
"""By so much the clock moves on when the tick's refresh is over."""

ENOUGH = 20
"""Reads of each reader that a phase waits for."""

PATIENCE_S = 60
DOWN = ",".join(f"{feed}:503=1x1000000" for feed in Feed)
IMPATIENT = {"BACKSTOP_REQUEST_BUDGET_S": "5"}
"""Less than a run would wait in earnest: the feeds of this hour do not come back within a tick."""

HOUR_S = 3600


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--ticks", type=int, default=TICKS, help="of five simulated minutes each")
    asked = parser.parse_args()
    report = Report("availability", asked.record)
    clock = Moved()
    os.environ |= IMPATIENT
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(Upstream.start("demo"))
        own = server.start(folder / "prefect")
        stack.callback(own.stop)
        settings = Settings(home=folder, history_first_season=DEMO_DAY.year).pointed_at(upstream.base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(folder / "redis")})
        stack.callback(embedded.stop, folder / "redis")
        stack.callback(House.close_all)
        own.wait_ready()
        machine.export(settings, own)
        with mock.patch.object(SystemClock, "now", clock.now):
            reader, through, last_good, runs = hour(settings, upstream, clock, asked.ticks)
        server.send_what_is_left()
        show(report, asked.ticks // 2 * TICK_S // 60, reader, through, last_good)
        refreshed = report.table("runs", f"{asked.ticks} refreshes, one every five minutes", unit="runs", better="more")
        for name, count in sorted(runs.items()):
            refreshed.row(name, count)
        restarts(report, settings, reader.share("fresh", "stale"), asked.rounds)
    report.close()


def show(report: Report, minutes: int, reader: Reader, through: ReadThrough, last_good: LastGood) -> None:
    """Show how reads ended in the hour, of which every feed was down for so many minutes."""
    title = f"Simulated time by how reads ended in it, every feed down for {minutes} minutes on end"
    table = report.table("reads", title, unit="%", better="more")
    plain = "a plain SET of the last good answer"
    table.row("reading through to the feed: answered", through.share("fresh"), reads=f"{through.ends.total():,}")
    table.row(f"{plain}: answered", last_good.share("fresh", "stale"), reads=f"{last_good.ends.total():,}")
    table.row(f"{plain}: fresh", last_good.share("fresh"))
    table.row(f"{plain}: stale, not told", last_good.share("stale"))
    others = ", ".join(f"{count:,} {end}" for end, count in reader.ends.items() if end not in {"fresh", "stale"})
    answered = reader.share("fresh", "stale")
    table.row("Backstop: answered", answered, reads=f"{reader.ends.total():,}", others=others or "none")
    table.row("Backstop: fresh, or stale and told so", answered)
    table.row("Backstop: fresh", reader.share("fresh"))
    table.row("Backstop: stale, and told so", reader.share("stale"))
    table.row("Backstop: not answered", 100 - answered)


def hour(
    settings: Settings, upstream: Upstream, clock: Moved, ticks: int
) -> tuple[Reader, ReadThrough, LastGood, Counter[str]]:
    """Publish the slate, then live through the hour; return what the readers saw and how the runs ended."""
    from flows.slate import slate_refresh

    slate_refresh(DEMO_DAY, return_state=True)
    players = House.of(settings).reader.features(DEMO_DAY)["player_id_mlbam"].unique().sort().to_list()
    last_good = LastGood(settings, upstream.base_url, clock)
    last_good.refresh()
    readers = reader, through, _ = Reader(settings, players), ReadThrough(upstream.base_url), last_good
    runs: Counter[str] = Counter()
    for each in readers:
        each.start()
    for tick in range(ticks):
        down = is_down(tick, ticks)
        upstream.set_faults(DOWN if down else "calm")
        began = time.monotonic()
        last_good.refresh()
        state = slate_refresh(DEMO_DAY, return_state=True)
        runs[f"feeds {'down' if down else 'up'}: {str(state.name).lower()}"] += 1
        left = TICK_S - (time.monotonic() - began)
        end_phase(readers, TICK_S - left)
        while left > 0:
            step = min(left, STEP_S)
            clock.by_s += step
            left -= step
            end_phase(readers, step)
    for each in readers:
        each.stop.set()
        each.join()
    return reader, through, last_good, runs


def kill_redis(home: Path) -> None:
    """Kill the embedded Redis with -9."""
    os.kill(int((home / "pid").read_text(encoding="ascii")), signal.SIGKILL)


def is_down(tick: int, ticks: int) -> bool:
    """Return whether feeds are down in a tick: in half of them, in the middle and on end."""
    return ticks // 4 <= tick < ticks // 4 + ticks // 2


def end_phase(readers: Sequence[Asking], seconds: float) -> None:
    """Wait until each reader has read enough in this phase, and end it."""
    wait_for(lambda: all(each.since.total() >= ENOUGH for each in readers), "readers to read")
    for each in readers:
        each.end_phase(seconds)


def restarts(report: Report, settings: Settings, answered: float, rounds: int) -> None:
    """Kill Redis, then the API, again and again; show how long reads fail, and what an hour with one of each comes to."""
    reader = SlateReader(connection.connect(settings), SystemClock())
    player = int(reader.features(DEMO_DAY)["player_id_mlbam"][0])
    by_client: list[float] = []
    over_http: list[float] = []
    api: list[float] = []
    port = server.free_port()
    for _ in range(rounds):
        with serving(settings.home, str(settings.redis_url), port) as (_, pid), Probe(port, player) as http:
            with Probe(port, player, lambda: reader.player(player, DEMO_DAY)) as client:
                kill_redis(settings.home / "redis")
                embedded.ensure(settings.home / "redis")
                by_client.append(client.longest())
                over_http.append(http.longest())
            os.kill(pid, signal.SIGKILL)
            with serving(settings.home, str(settings.redis_url), port):
                api.append(http.longest())
    table = report.table("gaps", "Longest time from one answered read to the next", unit="s")
    table.row("Redis restarted, read by the client", by_client)
    table.row("Redis restarted, read over HTTP", over_http)
    table.row("the API restarted, read over HTTP", api)
    hours = report.table(
        "restarts", "The hour with a restart of Redis and one of the API, over HTTP", unit="%", better="more"
    )
    gone = (redis + serving_s for redis, serving_s in zip(over_http, api, strict=True))
    hours.row("answered", [answered * (HOUR_S - each) / HOUR_S for each in gone])


class Probe(threading.Thread):
    """Reads every few milliseconds and notes the longest time without an answer; a context manager.

    Args:
        port: Of the API.
        player: Who is read.
        read: Reads instead of the API; raises when it is not answered.
    """

    def __init__(self, port: int, player: int, read: Callable[[], object] | None = None) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{port}/api/v1/players/{player}?date={DEMO_DAY}"
        self._read = read or self._ask
        self._done = threading.Event()
        self._longest_s, self._good = 0.0, 0

    def _ask(self) -> None:
        httpx.get(self._url, timeout=2).raise_for_status()

    def run(self) -> None:
        """Read until the end."""
        answered = time.monotonic()
        while not self._done.wait(0.005):
            with contextlib.suppress(BackstopError, httpx.HTTPError):
                self._read()
                self._longest_s = max(self._longest_s, time.monotonic() - answered)
                answered = time.monotonic()
                self._good += 1

    def longest(self) -> float:
        """Wait until reads are answered; return the longest time in seconds from one to the next since the last call."""
        before = self._good
        wait_for(lambda: self._good >= before + ENOUGH, "reads to be answered")
        longest, self._longest_s = self._longest_s, 0.0
        return longest

    def __enter__(self) -> Self:
        self.start()
        self.longest()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: It does not within a minute.
    """
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
