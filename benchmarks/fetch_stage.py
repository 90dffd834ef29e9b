"""Fetching in mapped batches against one request at a time: a simulated month of box scores that answer 50 ms late.

    python -m benchmarks.fetch_stage

One at a time is plain httpx, which keeps nothing; the fetch stage takes batches of 50, 25 at once, and archives every answer.
"""

from __future__ import annotations

import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from backstop.batches import batched
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.net.item import Item
from backstop.settings import Settings
from backstop.sources.statsapi import boxscore, schedule
from backstop.stages import fetch
from backstop.stages.house import House
from benchmarks.report import Report, arguments, timed

LATENCY_MS = 50
MONTH = 400
"""Box scores: eight batches of 50."""


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, rounds=5).parse_args()
    report = Report("fetch_stage", asked.record)
    alone, staged = [], []
    with tempfile.TemporaryDirectory() as folder, Upstream.start("demo", latency_ms=LATENCY_MS) as upstream:
        items = box_scores(upstream.base_url)
        for number in range(asked.rounds):
            settings = Settings(home=Path(folder) / str(number)).pointed_at(upstream.base_url)
            alone.append(timed(lambda: one_at_a_time(upstream.base_url, items)))
            staged.append(timed(functools.partial(in_batches, settings, items)))
    table = report.table("batches", f"{len(items)} box scores at {LATENCY_MS} ms", unit="s")
    table.row("httpx, one request at a time", alone)
    table.row("the fetch stage", staged, batch=50, archived="yes")
    report.close()


def box_scores(base_url: str) -> list[Item]:
    """Return requests for the games that are over."""
    with httpx.Client(base_url=base_url) as client:
        asked = schedule.plan(DEMO_DAY.replace(month=4, day=1), DEMO_DAY)
        listed = [client.get(item.path, params=item.params).json() for item in asked]
    games = [game for each in listed for day in each["dates"] for game in day["games"]]
    over = [game["gamePk"] for game in games if game["status"]["abstractGameState"] == "Final"]
    return boxscore.plan(over[:MONTH])


def one_at_a_time(base_url: str, items: list[Item]) -> None:
    """Ask for each in turn."""
    with httpx.Client(base_url=base_url) as client:
        for item in items:
            client.get(item.path, params=item.params).raise_for_status()


def in_batches(settings: Settings, items: list[Item]) -> None:
    """Ask for all as the mapped tasks do."""
    house = House.of(settings)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(fetch.fetch, house, n, batch, "box scores") for n, batch in enumerate(batched(items, 50), 1)
        ]
        batches = [each.result() for each in asked]
    house.close()
    assert not any(batch.missed for batch in batches)


if __name__ == "__main__":
    main()
