"""What Prefect costs: a realistic slate as a flow and without, memory per 1,000 task runs.

    python -m benchmarks.orchestration                 # about four minutes

Slate: 30 batches of 50 box scores are fetched over HTTP (the demo upstream answers 100 ms late), 50 players a batch are
projected, validated and loaded into a draft: by the tasks of `slate-refresh` in its task runner against a running local
server, and by the same functions under plain asyncio with as many threads. Arrangements take turns; both load every row.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil

from backstop.batches import batched
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.net.item import Item
from backstop.settings import Settings
from backstop.sources.statsapi import boxscore
from backstop.stages.house import House
from backstop.store import embedded
from benchmarks.report import Report, Table, arguments, timed

if TYPE_CHECKING:
    from deployments.server import PrefectServer

LATENCY_MS = 100
BATCHES, PLAYERS = 30, 50
DEMO = "backstop.demo.serve"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    given = parser.parse_args()
    report = Report("orchestration", given.record)
    with at_home(LATENCY_MS) as home:
        table = report.table("slate", f"{BATCHES} batches of {PLAYERS} through four stages", unit="s")
        slate(table, home.settings, given.rounds)
        memory(report.table("memory", "1,000 task runs in one flow run", unit="MB"))
    report.close()


@dataclass(frozen=True)
class Home:
    """What runs for a benchmark: the settings that point at it, the upstream, the Prefect server."""

    settings: Settings
    upstream: Upstream
    prefect: PrefectServer


@contextlib.contextmanager
def at_home(latency_ms: int, program: str = DEMO) -> Iterator[Home]:
    """Run the demo upstream, a Prefect server and a Redis for a home, and point this process at them."""
    from deployments import machine, server

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(Upstream.start("demo", latency_ms=latency_ms, program=program))
        settings = Settings(_env_file=None, home=folder, history_first_season=DEMO_DAY.year)
        settings = settings.pointed_at(upstream.base_url)
        settings = settings.model_copy(update={"redis_url": embedded.ensure(folder / "redis")})
        stack.callback(embedded.stop, folder / "redis")
        own = server.start(folder / "prefect")
        stack.callback(own.stop)
        machine.export(settings, own)
        from prefect.settings import PREFECT_API_URL, temporary_settings

        own.wait_ready()
        stack.callback(House.close_all)
        stack.enter_context(temporary_settings({PREFECT_API_URL: own.api_url}))
        stack.callback(server.send_what_is_left)
        yield Home(settings, upstream, own)


@dataclass(frozen=True)
class Work:
    """What both arrangements do."""

    items: list[list[Item]]
    players: list[list[int]]
    features: Path


def prepare(settings: Settings) -> Work:
    """Refresh the demo day once, which imports everything, and make 1,500 players of its starters."""
    from flows.slate import slate_refresh
    from tasks import marks

    with marks.unheard():
        slate_refresh(DEMO_DAY)
    house = House.of(settings)
    games = house.lake.scan("core_games").filter(abstract_status="Final").select("game_pk").collect()["game_pk"]
    starters = house.lake.read("out_features", DEMO_DAY).unique("player_id_mlbam", keep="first", maintain_order=True)
    copies = [
        starters.with_columns(pl.col("player_id_mlbam") + 1_000_000 * copy)
        for copy in range(1 + BATCHES * PLAYERS // starters.height)
    ]
    features = Path(settings.home) / "features.parquet"
    many = pl.concat(copies).head(BATCHES * PLAYERS)
    many.write_parquet(features)
    return Work(requests(games.sort().to_list()), list(batched(many["player_id_mlbam"].to_list())), features)


def requests(games: list[int]) -> list[list[Item]]:
    """Return 1,500 different requests: the box scores of the games, with a parameter that the server ignores."""
    known = boxscore.plan(games)
    rounds = range(1 + BATCHES * PLAYERS // len(known))
    items = [
        replace(item, key=f"{item.key}/{n}", params=(*item.params, ("copy", str(n)))) for n in rounds for item in known
    ]
    return list(batched(items[: BATCHES * PLAYERS]))


def slate(table: Table, settings: Settings, rounds: int) -> None:
    """Compare the flow with the same functions under asyncio."""
    from tasks import marks

    work, flow = prepare(settings), as_flow()
    plain, body, whole = [], [], []
    for _ in range(rounds):
        plain.append(timed(lambda: without_prefect(work)))
        with marks.unheard():
            began = time.perf_counter()
            body.append(flow(work))
            whole.append(time.perf_counter() - began)
    table.row("the functions under plain asyncio", plain)
    table.row("the tasks, inside the flow", body, task_runs=4 * BATCHES)
    table.row("the tasks, the whole call of the flow", whole, task_runs=4 * BATCHES)


def without_prefect(work: Work) -> None:
    """Do what the tasks do."""
    from tasks import slate as tasks
    from tasks import validate
    from tasks.fetch import fetch_batch
    from tasks.runner import THREADS

    draft = tasks.open_slate.fn(DEMO_DAY)

    def chain(number: int) -> None:
        fetch_batch.fn(number, work.items[number], "box scores")
        staged = tasks.project_players.fn(DEMO_DAY, number, work.players[number], work.features, priced=False)
        assert tasks.load.fn(number, draft, validate.validate_props.fn(number, staged, DEMO_DAY)).props

    async def chains() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await asyncio.gather(*(asyncio.to_thread(chain, number) for number in range(BATCHES)))

    asyncio.run(chains())  # ends the threads too
    House.current().writer.abandon(draft)


def as_flow() -> Any:
    """Return the flow: the chains of `slate-refresh`, a batch each."""
    from prefect import flow

    from tasks import runner, validate
    from tasks import slate as tasks
    from tasks.fetch import fetch_batch
    from tasks.results import gather

    @flow(name="benchmark", task_runner=runner.chosen())
    def chains(work: Any) -> float:
        began = time.perf_counter()
        draft = tasks.open_slate(DEMO_DAY)
        submitted = []
        for number in range(BATCHES):
            fetched: Any = fetch_batch.submit(number, work.items[number], "box scores")
            staged: Any = tasks.project_players.submit(
                DEMO_DAY, number, work.players[number], work.features, priced=False, wait_for=[fetched]
            )
            checked: Any = validate.validate_props.submit(number, staged, DEMO_DAY)
            submitted.append([fetched, staged, checked, tasks.load.submit(number, draft, checked)])
        loaded, lost = gather(submitted, "out_props")
        assert not lost and len(loaded) == BATCHES, lost
        House.current().writer.abandon(draft)
        return time.perf_counter() - began

    return chains


def memory(table: Table) -> None:
    """Print what 1,000 task runs leave in the flow's process: while the flow runs, and when it is over."""
    from prefect import flow, task
    from prefect.futures import wait

    from tasks import marks, runner

    @task
    def nothing(number: int) -> int:
        return number

    @flow(name="thousand", task_runner=runner.chosen())
    def thousand() -> float:
        futures = [nothing.submit(number) for number in range(1000)]
        wait(list(futures))
        return megabytes()

    with marks.unheard():
        thousand()  # pools and caches are made once
        before = megabytes()
        within = [thousand() - before for _ in range(2)]
    table.row("more while the flow runs", within)
    table.row("more when two such flows are over", max(megabytes() - before, 0.0))


def megabytes() -> float:
    """Return what this process holds in memory."""
    gc.collect()
    return psutil.Process(os.getpid()).memory_info().rss / 2**20


if __name__ == "__main__":
    main()
