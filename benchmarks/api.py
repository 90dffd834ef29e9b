"""The HTTP API with its load generator on the same machine: cached reads, generation, 500 live readers.

    python -m benchmarks.api [--seconds 20] [--rate 500] [--readers 500] [--rounds 1] [--record FILE]

The server is a process of its own, run as `backstop serve` runs it, over a Redis of its own with a slate of 280 players.
Requests are sent when they are due, whether or not earlier ones were answered; latency counts from when one was due.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import statistics
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import orjson
import polars as pl
from redis import Redis
from websockets.asyncio.client import connect as connect_socket

from backstop import tables
from backstop.clock import SystemClock
from backstop.features.build import build
from backstop.features.tally import tally
from backstop.lake.tables import Lake
from backstop.props.generate import generate
from backstop.props.price import price
from backstop.stages.project import served
from backstop.store import connection, embedded
from backstop.store.keys import SlateKeys
from backstop.store.loader import SlateWriter
from benchmarks.api_server import server_cpu_s, serving
from benchmarks.report import Report, arguments
from tests.features.season import pitches, slate

DAY = dt.date(2024, 4, 16)
LEAGUES = 7
"""The test season has 40 starters a day; seven of them side by side make a slate of 280."""

BOOKS = ("one", "two", "three")
GENERATIONS = 40
PATHS = (("player", 0.6), ("top", 0.15), ("page", 0.1), ("game", 0.05), ("known", 0.1))
"""What is asked for, and how often; `known` carries the tag of what the caller has."""


def frames() -> dict[str, pl.DataFrame]:
    """Return features and quotes of a slate."""
    games, players = slate(15)
    one = build(tally(pitches(15)), games, players, cutoff=DAY)
    shifted = [
        one.with_columns(pl.col("player_id_mlbam") + 10_000 * n, pl.col("game_pk") + 1000 * n) for n in range(LEAGUES)
    ]
    features = pl.concat(shifted)
    batters = features.filter(pl.col("role") == "batter").select("game_pk", "player_id_mlbam", "player_name")
    sides = pl.DataFrame({"side": ["over", "under"], "price_decimal": [2.1, 1.8]})
    offered = batters.join(sides, how="cross").join(pl.DataFrame({"bookmaker": BOOKS}), how="cross")
    quotes = offered.with_columns(market=pl.lit("batter_hits"), line=pl.lit(0.5), game_date=pl.lit(DAY))
    lacking = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in tables.QUOTES.schema.items()
        if name not in quotes.columns
    ]
    quotes = quotes.with_columns(lacking).select(
        pl.col(name).cast(dtype) for name, dtype in tables.QUOTES.schema.items()
    )
    props = price(generate(features, lines=quotes), quotes)
    return {"features": features, "quotes": quotes, "props": props}


def publish(client: Redis, made: dict[str, pl.DataFrame], run_id: str, move: float | None = None) -> None:
    props = made["props"]
    if move is not None:
        chosen = pl.col("player_id_mlbam") % 10 == int(move * 100) % 10
        props = props.with_columns(
            best_price_decimal=pl.when(chosen).then(pl.lit(1.5 + move)).otherwise("best_price_decimal")
        )
    writer = SlateWriter(client, SystemClock())
    draft = writer.open(DAY, cutoff=dt.datetime.now(dt.UTC), run_id=run_id)
    features = served(made["features"])
    writer.load(draft, "features", features)
    writer.load(draft, "props", props)
    games = [{"game_pk": pk, "away_team": "AAA", "home_team": "BBB"} for pk in features["game_pk"].unique().to_list()]
    writer.publish(draft, {"features": len(features), "props": len(props)}, {"quality": "complete", "games": games})


@dataclass
class Wire:
    """Connections that are kept open; HTTP is spoken by hand, a client library would take the core that is measured."""

    port: int
    free: deque = field(default_factory=deque)
    opened: int = 0

    async def ask(self, path: str, headers: str = "") -> int:
        if self.free:
            reader, writer = self.free.popleft()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.opened += 1
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.find(b"content-length: ")
        if at >= 0:
            await reader.readexactly(int(head[at + 16 : head.index(b"\r\n", at)]))
        self.free.append((reader, writer))
        return int(head[9:12])

    def close(self) -> None:
        for _, writer in self.free:
            writer.close()


async def cached(port: int, rate: int, seconds: int, players: list[int], games: list[int]) -> tuple[list[float], int]:
    """Send requests at a rate; return latencies in milliseconds and how many answers were not good."""
    wire, rng = Wire(port), np.random.default_rng(5)
    chance = 1 / np.arange(1, len(players) + 1)
    who = rng.choice(players, size=rate * seconds, p=chance / chance.sum())
    kinds = rng.choice([kind for kind, _ in PATHS], size=rate * seconds, p=[share for _, share in PATHS])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        tag = (await client.get(f"/api/v1/slates/{DAY}")).headers["etag"]
    paths = {
        "top": ("/api/v1/props/batter_hits/top?limit=20", ""),
        "page": (f"/api/v1/slates/{DAY}?limit=50", ""),
        "game": (f"/api/v1/games/{games[0]}?date={DAY}", ""),
        "known": (f"/api/v1/slates/{DAY}", f"If-None-Match: {tag}\r\n"),
    }
    taken: list[float] = []
    bad = 0

    async def one(n: int, due: float) -> None:
        nonlocal bad
        path, headers = paths.get(kinds[n], (f"/api/v1/players/{who[n]}?date={DAY}", ""))
        bad += await wire.ask(path, headers) not in {200, 304}
        taken.append((time.perf_counter() - due) * 1000)

    began, running = time.perf_counter() + 0.1, set()
    for n in range(rate * seconds):
        due = began + n / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(n, due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    wire.close()
    return taken, bad


def generations(port: int, client: Redis, made: dict[str, pl.DataFrame]) -> tuple[list[float], list[float]]:
    """Generate 50 players' props: right after a flip, when nothing is cached, and again."""
    first, again = [], []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        for n in range(GENERATIONS):
            if n % 4 == 0:
                publish(client, made, f"generation {n}", move=0.01 * n)
            began = time.perf_counter()
            told = http.post("/api/v1/optimized/baseball-savant/generate-props?max_players=50").json()
            (first if n % 4 == 0 else again).append((time.perf_counter() - began) * 1000)
            if told.get("counts", {}).get("players") != 50:
                sys.exit(f"50 players were to be generated, and the API said {str(told)[:500]}")
    return first, again


async def live(port: int, client: Redis, made: dict[str, pl.DataFrame], readers: int, flips: int) -> dict[str, object]:
    """Open sockets, flip every second, and hold every reader to having got each version once and in order."""
    got: list[tuple[int, float]] = []
    ready = asyncio.Semaphore(0)
    first = int(client.hget(SlateKeys(DAY).current, "version"))

    async def follow() -> tuple[list[int], list[int]]:
        versions, seqs = [], []
        async with connect_socket(
            f"ws://127.0.0.1:{port}/api/v1/live?slate={DAY}", max_size=None, compression=None
        ) as socket:
            await socket.recv()
            ready.release()
            while versions[-1:] != [first + flips]:
                message = orjson.loads(await asyncio.wait_for(socket.recv(), 60))
                if message["type"] == "ping":
                    continue
                seqs.append(message["seq"])
                if message["type"] == "flip":
                    versions.append(message["version"])
                    got.append((message["version"], time.time()))
        return versions, seqs

    turns: dict[int, float] = {}
    tasks = []
    for start in range(0, readers, 50):
        tasks += [asyncio.create_task(follow()) for _ in range(min(50, readers - start))]
        for _ in range(min(50, readers - start)):
            await ready.acquire()
    for n in range(1, flips + 1):
        began = time.perf_counter()
        await asyncio.to_thread(publish, client, made, f"live {first + n}", 0.01 * n)
        turns[first + n] = int(client.hget(SlateKeys(DAY).current, "turn")) / 1e6
        await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))
    seen = await asyncio.gather(*tasks)
    wanted = list(range(first + 1, first + flips + 1))
    lost = sum(len(set(wanted) - set(versions)) for versions, _ in seen)
    reordered = sum(versions != sorted(versions) or seqs != sorted(seqs) for versions, seqs in seen)
    gaps = sum(seqs != list(range(seqs[0], seqs[0] + len(seqs))) for _, seqs in seen)
    return {
        "late": [(at - turns[version]) * 1000 for version, at in got],
        "lost": lost,
        "reordered": reordered,
        "gaps": gaps,
    }


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]


def main() -> None:
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--readers", type=int, default=500)
    parser.add_argument("--flips", type=int, default=20)
    given = parser.parse_args()
    report = Report("api", given.record)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        made = frames()
        Lake(home / "lake").write(tables.QUOTES.name, DAY, made["quotes"])
        url = embedded.ensure(home / "redis")
        try:
            with contextlib.closing(connection.connect_url(url)) as client:
                publish(client, made, "first")
                with serving(home, url) as served_at:
                    measure(report, given, *served_at, client, made)
        finally:
            embedded.stop(home / "redis")
    report.close()


def measure(report: Report, given, port: int, pid: int, client: Redis, made: dict[str, pl.DataFrame]) -> None:
    players = made["features"]["player_id_mlbam"].unique().sort().to_list()
    games = made["features"]["game_pk"].unique().sort().to_list()
    asyncio.run(cached(port, 100, 3, players, games))  # everything is cached from here on
    gc.freeze()  # the generator's own collections are not the server's answers
    table = report.table(
        "cached", f"Cached reads at {given.rate} requests/s for {given.seconds} s, load on the same machine", unit="ms"
    )
    for _ in range(given.rounds):
        before = server_cpu_s(pid)
        taken, bad = asyncio.run(cached(port, given.rate, given.seconds, players, games))
        spent = (server_cpu_s(pid) - before) / len(taken) * 1000
        tails = {f"p{share * 100:g}": f"{percentile(taken, share):.1f}" for share in (0.99, 0.999)}
        table.row("a read", taken, **tails, not_good=bad, server_cpu_ms=f"{spent:.2f}")
    first, again = generations(port, client, made)
    table = report.table("generation", f"Generating and pricing 50 of {len(players)} players, over HTTP", unit="ms")
    table.row("after a flip", first, worst=f"{max(first):.0f}")
    table.row("again", again, p99=f"{percentile(again, 0.99):.0f}", worst=f"{max(again):.0f}")
    told = asyncio.run(live(port, client, made, given.readers, given.flips))
    late = told["late"]
    table = report.table(
        "live", f"{given.readers} WebSockets, {given.flips} flips, one every second: from flip to reader", unit="ms"
    )
    table.row(
        "a version",
        late,
        p99=f"{percentile(late, 0.99):.0f}",
        lost=told["lost"],
        reordered=told["reordered"],
        gaps=told["gaps"],
    )


if __name__ == "__main__":
    main()
