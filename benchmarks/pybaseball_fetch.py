"""A month of pitches from a server that answers 200 ms late: pybaseball's loop, then the fetch stage; calm, as live, in a storm.

    python -m benchmarks.pybaseball_fetch                       # makes an environment with pybaseball on first use
    python -m benchmarks.pybaseball_fetch --peer-python PATH    # an interpreter that has it

Both turn the simulated league's answers into one frame: pybaseball with pandas, ours with Polars and the raw answers in
the archive. Ours asks a server of our own for 25 days at once, but Savant for two, under more of which it hangs: measured under `live`.
pybaseball, threads, asks for all days at once wherever it is. In the storm the server fails, drips, cuts off and lies on purpose; the column `rows` says who noticed
(rows sent twice count once; rows with impossible values are for the rules, which come later).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import tempfile
import time
from pathlib import Path

import polars as pl

from backstop import tables
from backstop.batches import batched
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.sources.savant import pitches
from backstop.stages import fetch
from backstop.stages.house import House
from benchmarks import environments, live_terms
from benchmarks.report import Report, Table, arguments

LATENCY_MS = 200
FIRST, LAST = DEMO_DAY.replace(month=4, day=2), DEMO_DAY - dt.timedelta(days=1)
DAYS = [FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pybaseball
from pybaseball.datasources import statcast
statcast.ROOT_URL, first, last, parallel = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "threads"
began = time.perf_counter()
try:
    rows, said = len(pybaseball.statcast(first, last, verbose=False, parallel=parallel)), "no complaint"
except Exception as error:
    rows, said = 0, f"stops with {type(error).__name__}"
print(json.dumps({"s": time.perf_counter() - began, "rows": rows, "said": said}))
"""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--peer-python", type=Path)
    asked = parser.parse_args()
    peer_python = environments.python("pybaseball", asked.peer_python)
    report = Report("pybaseball_fetch", asked.record)
    calm = report.table("calm", f"{len(DAYS)} days of pitches at {LATENCY_MS} ms, into one frame", unit="s")
    live = report.table("live", "The same, ours with two requests at once, as to the real Savant", unit="s")
    storm = report.table("storm", "The same in a fault storm", unit="s")
    runs = (
        (calm, None, contextlib.nullcontext()),
        (live, None, live_terms.to_savant()),
        (storm, "storm", contextlib.nullcontext()),
    )
    for table, faults, terms in runs:
        with Upstream.start("demo", latency_ms=LATENCY_MS, faults=faults) as upstream, terms:
            fill(table, upstream.base_url, peer_python, asked.rounds)
    report.close()


def fill(table: Table, base_url: str, peer_python: Path | None, rounds: int) -> None:
    """Let the arrangements take turns; the last round says how many rows there were."""
    ours(base_url)  # the server makes its answers on first asking
    names = {"pybaseball, one day at a time": "one", "pybaseball, threads": "threads"} if peer_python else {}
    seconds: dict[str, list[float]] = {}
    last: dict[str, dict[str, object]] = {}
    for _ in range(rounds):
        for name, way in names.items():
            assert peer_python is not None
            last[name] = peer(peer_python, base_url, way)
            seconds.setdefault(name, []).append(float(str(last[name]["s"])))
        took, rows, said = ours(base_url)
        seconds.setdefault("Backstop, fetch stage", []).append(took)
        last["Backstop, fetch stage"] = {"rows": rows, "said": said}
    for name, values in seconds.items():
        table.row(name, values, rows=f"{last[name]['rows']:,}", said=last[name]["said"])


def peer(python: Path, base_url: str, way: str) -> dict[str, object]:
    """Run pybaseball in its own environment; the import is not counted."""
    command = [str(python), "-c", PEER, base_url, str(FIRST), str(LAST), way]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    answer: dict[str, object] = json.loads(said.splitlines()[-1])
    return answer


def ours(base_url: str) -> tuple[float, int, str]:
    """Fetch and parse into an empty home; return seconds, rows, and what was named as missing."""
    with tempfile.TemporaryDirectory() as home:
        house = House.of(Settings(home=Path(home)).pointed_at(base_url))
        try:
            began = time.perf_counter()
            batches = [fetch.fetch(house, n, items, "pitches") for n, items in enumerate(batched(pitches.plan(DAYS), 50), 1)]  # fmt: skip
            parsed = [pitches.parse(fetch.reopen(house, answer)) for batch in batches for answer in batch.answers]
            frame = pl.concat([each.frame for each in parsed]).unique(tables.PITCHES.key)
            took = time.perf_counter() - began
            rejected = sum(each.rejected.height for each in parsed)
            missed = [lost.item.key for batch in batches for lost in batch.missed]
        finally:
            house.close()
    unread = [f"{rejected} rows rejected"] if rejected else []
    return took, frame.height, "; ".join([*unread, *(f"{day} missed" for day in missed)]) or "every day complete"


if __name__ == "__main__":
    main()
