"""The main job: fetching in batches against one request at a time, and what Prefect costs over the same steps.

    python -m benchmarks.slate             # about four minutes
    python -m benchmarks.slate --rounds 1

Both parts ask the demo upstream over HTTP, which answers 50 ms late. Part 1 fetches the box scores of a simulated month:
with httpx one at a time, and with the fetch stage in batches of 50, 25 at once. Part 2 refreshes the demo day with its
history in the lake: as the flow `slate-refresh` against a running local server, and by calling the functions behind
its tasks in the same order in a thread pool, without Prefect. Arrangements take turns within a round; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.ids import batched
from backstop.net.item import Item
from backstop.settings import Settings
from backstop.sources.statsapi import boxscore
from backstop.stages import fetch, plan
from backstop.stages.house import House
from backstop.store import embedded

LATENCY_MS = 50
MONTH = 400
"""Box scores in part 1: eight batches of 50."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    console = Console()
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {rounds} rounds")
    with tempfile.TemporaryDirectory() as home, Upstream.start("demo", latency_ms=LATENCY_MS) as upstream:
        settings = Settings(home=Path(home), history_first_season=DEMO_DAY.year).pointed_at(upstream.base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(settings.home / "redis")})
        try:
            with prefect(settings) as flow:
                flow(DEMO_DAY)  # fills the lake, imports everything
                console.print(fetching(settings, rounds))
                console.print(orchestration(settings, flow, rounds))
        finally:
            House.of(settings).close()
            embedded.stop(settings.home / "redis")


def fetching(settings: Settings, rounds: int) -> Table:
    """Compare one request at a time with the fetch stage."""
    house = House.of(settings)
    games = house.lake.scan("core_games").filter(abstract_status="Final").select("game_pk").collect()["game_pk"]
    items = boxscore.plan(games.head(MONTH).to_list())
    alone, staged = [], []
    for _ in range(rounds):
        alone.append(timed(lambda: one_at_a_time(settings.upstream, items)))
        staged.append(timed(lambda: in_batches(house, items)))
    table = sheet(f"{len(items)} box scores at {LATENCY_MS} ms", "s")
    row(table, "one request at a time (httpx)", alone, alone)
    row(table, "fetch stage: batches of 50, 25 at once, archived", staged, alone)
    return table


def one_at_a_time(base_url: str, items: list[Item]) -> None:
    """Fetch each item after the one before it, over one connection."""
    with httpx.Client(base_url=base_url, timeout=60) as client:
        for item in items:
            client.get(item.path, params=dict(item.params)).raise_for_status()


def in_batches(house: House, items: list[Item]) -> None:
    """Fetch as the flow does: mapped batches, all sharing the gate of 25."""
    batches = list(enumerate(batched(items), 1))
    with ThreadPoolExecutor(len(batches)) as pool:
        for batch in pool.map(lambda each: fetch.fetch(house, *each, "benchmark"), batches):
            assert not batch.missed, batch.missed[0].sentence


def orchestration(settings: Settings, flow: Callable[[dt.date], Any], rounds: int) -> Table:
    """Compare the flow with the same steps without Prefect."""
    plain, prefect_runs = [], []
    without_prefect(settings)
    for _ in range(rounds):
        plain.append(timed(lambda: without_prefect(settings)))
        prefect_runs.append(timed(lambda: flow(DEMO_DAY)))
    table = sheet("one slate, history in the lake", "s")
    row(table, "the stages in a thread pool", plain, plain)
    row(table, "the flow slate-refresh", prefect_runs, plain)
    return table


def without_prefect(settings: Settings) -> None:
    """Do what the flow does by calling the functions behind its tasks."""
    from tasks import slate, validate
    from tasks.fetch import fetch_batch

    day, house = DEMO_DAY, House.of(settings)

    def fetches(batches: list[list[Item]], label: str) -> list[fetch.FetchedBatch]:
        return [fetch_batch.fn(number, items, label) for number, items in enumerate(batches, 1)]

    calendar = validate.validate_games.fn(fetches(slate.plan_schedule.fn(day), "schedule"), day)
    todo = slate.plan_day.fn(day, calendar)
    assert not todo.pitches, "the first run fills the lake"
    players, box = validate.validate_players.fn(fetches(todo.boxes, "line-ups"), day)
    events = fetches(todo.events, "events")
    quotes = validate.validate_quotes.fn(fetches(slate.plan_quotes.fn(day, events), "quotes"), day, events)
    features, absent = slate.build_features.fn(day, players, [])
    draft = slate.open_slate.fn(day)

    def batch(numbered: tuple[int, list[int]]) -> tuple[Any, Any]:
        staged = slate.project_players.fn(day, *numbered, features, priced=True)
        sifted = validate.validate_props.fn(numbered[0], staged, day)
        return sifted, slate.load.fn(numbered[0], draft, sifted)

    with ThreadPoolExecutor(32) as pool:
        done = list(pool.map(batch, enumerate(slate.plan_players.fn(day, players), 1)))
    sifted, loaded = [each for each, _ in done], [each for _, each in done]
    outcomes = slate.add_up.fn(day, [calendar, players, box, quotes], [], sifted, loaded)
    assert outcomes and plan.games_of(house, day).height
    slate.publish_slate.fn(day, draft, sifted, loaded, 0, list(absent))


@contextlib.contextmanager
def prefect(settings: Settings) -> Iterator[Callable[[dt.date], Any]]:
    """Run a local Prefect server and give the flow."""
    from deployments import machine, server

    own = server.start(settings.home / "prefect")
    try:
        machine.export(settings, own)
        from flows.slate import slate_refresh

        own.wait_ready()
        yield slate_refresh
        server.send_what_is_left()
    finally:
        own.stop()


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def sheet(title: str, unit: str) -> Table:
    """Return an empty table of medians."""
    table = Table(title=title, title_justify="left")
    table.add_column("arrangement")
    for name in (f"median {unit}", f"min-max {unit}", "first / this"):
        table.add_column(name, justify="right")
    return table


def row(table: Table, name: str, seconds: list[float], first: list[float]) -> None:
    """Add an arrangement with its ratio to the first one."""
    median = statistics.median(seconds)
    ratio = statistics.median(first) / median
    table.add_row(name, f"{median:.2f}", f"{min(seconds):.2f}-{max(seconds):.2f}", f"{ratio:.2f}")


if __name__ == "__main__":
    main()
