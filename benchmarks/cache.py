"""The cache: a hit, hit rates under a Zipf load with and without repricing, memory, and how fast a flip is seen.

    python -m benchmarks.cache [--rounds 5] [--record FILE]

A Redis of its own is started for it. Time between reprices is simulated (500 reads a second for 30 s), flips are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from redis import Redis

from backstop.api.sheet import Sheet
from backstop.cache.cache import Cache
from backstop.cache.line import Line
from backstop.cache.memory import Memory
from backstop.cache.namespaces import Collection, Namespace
from backstop.cache.pointer import Pointer
from backstop.cache.slates import ROWS, Slates
from backstop.clock import SystemClock
from backstop.settings import Settings
from backstop.store import connection, decode, embedded
from backstop.store.codec import Columns
from backstop.store.loader import SlateWriter
from benchmarks import cache_memory
from benchmarks.redis_rows import PROPS_PER_PLAYER, rows_of
from benchmarks.report import Report, arguments

DAY = dt.date(2025, 6, 15)
PROPS = 7_000
"""As on a real slate: 264 players, 15 markets."""

FIRST = 400_000
"""The first player of `redis_rows`."""

READS_PER_S = 500
REPRICE_S = 30
HITS = 100_000
SHEETS = 4
"""Held at once: one alone is smaller than what the allocator rounds up to."""


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def __call__(self) -> float:
        return self.at


def publish(client: Redis, props: pl.DataFrame, run_id: str) -> int:
    writer = SlateWriter(client, SystemClock())
    draft = writer.open(DAY, cutoff=dt.datetime.now(dt.UTC), run_id=run_id)
    writer.load(draft, "props", props)
    return writer.publish(draft, {"props": len(props)}).version


def repriced(props: pl.DataFrame, players: list[int], seed: int) -> pl.DataFrame:
    moved = np.random.default_rng(seed).choice(players, size=len(players) // 10, replace=False)
    chosen = pl.col("player_id_mlbam").is_in(moved.tolist())
    return props.with_columns(
        best_price_decimal=pl.when(chosen).then(pl.lit(1.5 + seed / 100)).otherwise("best_price_decimal")
    )


def cache_over(url: str, **options) -> Cache:
    return Cache(Line(lambda: connection.connect_async(Settings(redis_url=url))), SystemClock(), **options)


async def settled(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a pointer has no event
            await asyncio.sleep(0.002)


def zipf(ids: list[int], count: int, seed: int) -> list[str]:
    """Draw ids with chances 1/rank."""
    chance = 1 / np.arange(1, len(ids) + 1)
    return [str(each) for each in np.random.default_rng(seed).choice(ids, size=count, p=chance / chance.sum())]


async def hits(report: Report, url: str, players: list[int], rounds: int) -> None:
    memory = Memory(1 << 28)
    keys = [("props.rows", "2025-06-15.v1.1750000000000000", name) for name in zipf(players, HITS, 1)]
    for key in set(keys):
        memory.put(key, bytes(3000), 3600)
    held = []
    for _ in range(rounds):
        began = time.perf_counter()
        for key in keys:
            memory.get(key)
        held.append((time.perf_counter() - began) / HITS * 1e6)
    awaited = []
    async with cache_over(url) as cache:
        slates = Slates(cache)
        pointer, _ = await cache.read(DAY, lambda at: slates.rows(at, "props", players))
        names = [key[2] for key in keys]
        for _ in range(rounds):
            began = time.perf_counter()
            for name in names:
                await cache.get(ROWS["props"], pointer, name)
            awaited.append((time.perf_counter() - began) / HITS * 1e6)
    table = report.table("hit", f"A hit of the first level, {HITS:,} reads of {len(set(keys))} players", unit="us")
    table.row("looked up", held)
    table.row("awaited through the cache", awaited)


async def rates(report: Report, url: str, client: Redis, props: pl.DataFrame, players: list[int]) -> None:
    table = report.table("rates", "Share of reads answered, Zipf(1.0) over one slate", unit="%", better="more")
    clock = Clock()
    async with cache_over(url, now=clock) as cache:
        Slates(cache)
        first = await read_zipf(cache, zipf(players, 1_000, 2), clock)
        table.row("cold, first 1,000 reads", first)
        await read_zipf(cache, [str(player) for player in players], clock)
        table.row("after warm-up", await read_zipf(cache, zipf(players, 100_000, 3), clock))
        full = cache.memory.bytes
        at_once, steady = [], []
        for n in range(1, 7):
            props = repriced(props, players, n)
            names = zipf(players, READS_PER_S * REPRICE_S, 10 + n)
            await read_until_flipped(cache, client, props, names, clock, f"reprice {n}")
            before = counted(cache)
            at_once.append(await read_zipf(cache, names[:READS_PER_S], clock))
            await read_zipf(cache, names[READS_PER_S:], clock)
            steady.append(share_since(cache, before))
        table.row("the first 500 reads after each flip, a tenth of the players repriced", at_once)
        table.row("30 s from each flip on, a tenth of the players repriced", steady)
    for name, share in (("half", 2), ("a tenth", 10)):
        async with cache_over(url, now=clock, max_bytes=full // share) as cache:
            Slates(cache)
            await read_zipf(cache, zipf(players, 20_000, 5), clock)
            bounded = [await read_zipf(cache, zipf(players, READS_PER_S * REPRICE_S, 30 + n), clock) for n in range(6)]
            evicted = f"{cache.memory.counts.evicted:,}"
            table.row(f"room for {name} of the players", bounded, evicted=evicted)
    table.row("L2, a second process's misses", await second(url, players) * 100)


async def read_until_flipped(
    cache: Cache, client: Redis, props: pl.DataFrame, names: list[str], clock: Clock, run_id: str
) -> None:
    """Publish, and read all the while until readers are moved to the new version."""
    publishing = asyncio.create_task(asyncio.to_thread(publish, client, props, run_id))
    reading = itertools.cycle(names)
    while not publishing.done() or cache.pointers.known(DAY).version != publishing.result():
        await read_zipf(cache, list(itertools.islice(reading, 20)), clock)
        await asyncio.sleep(0)  # a hit gives nobody else a turn


def counted(cache: Cache) -> tuple[int, int]:
    return cache.hits[ROWS["props"]], cache.misses[ROWS["props"]]


def share_since(cache: Cache, before: tuple[int, int]) -> float:
    """Return the percentage of the reads since then that the first level answered."""
    hit, missed = (now - then for now, then in zip(counted(cache), before, strict=True))
    return 100 * hit / (hit + missed)


async def read_zipf(cache: Cache, names: list[str], clock: Clock) -> float:
    """Read one after the other at the simulated rate; return the percentage that the first level answered."""
    before = counted(cache)
    for name in names:
        await cache.read(DAY, lambda at, name=name: cache.get(ROWS["props"], at, name))
        clock.at += 1 / READS_PER_S
    return share_since(cache, before)


async def second(url: str, players: list[int]) -> float:
    """Make documents in one cache and read them in another; return the second level's share of its misses."""

    async def make(pointer: Pointer, names) -> list[bytes]:
        return [f"{pointer.version}:{name}".encode() * 100 for name in names]

    async with cache_over(url) as one, cache_over(url) as two:
        for cache in (one, two):
            cache.add(Collection("benchmark.documents", Namespace.METADATA, make, shared=True))
            pointer = await cache.pointers.pointer(DAY)
            for name in zipf(players, 20_000, 4):
                await cache.get("benchmark.documents", pointer, name)
        counts = two.loads.shared.counts
    return counts.hits / (counts.hits + counts.misses)


async def flips(report: Report, url: str, client: Redis, props: pl.DataFrame, players: list[int]) -> None:
    """Time from the instant of the flip, as the server has it, to the instant at which a process's readers get it."""
    table = report.table(
        "flip", "A flip until every reader of a process is on it, 3 processes' caches in one", unit="ms"
    )
    async with contextlib.AsyncExitStack() as stack:
        caches = [await stack.enter_async_context(cache_over(url, poll_s=60)) for _ in range(3)]
        for cache in caches:
            slates = Slates(cache)
            await settled(lambda cache=cache: cache.pointers.counts.resubscribed)
            await cache.read(DAY, lambda at, slates=slates: slates.rows(at, "props", players))
        gc.collect()
        gc.freeze()  # as the API does before it serves
        for name, is_cut in (("hot keys read again before", False), ("the line that it is heard on just cut", True)):
            taken = await seen_by(caches, client, props, players, is_cut=is_cut)
            table.row(name, taken, worst=f"{max(taken):.1f} ms")


async def seen_by(
    caches: list[Cache], client: Redis, props: pl.DataFrame, players: list[int], *, is_cut: bool
) -> list[float]:
    """Publish again and again; return how long after each flip each cache served it, in milliseconds."""
    taken: list[float] = []

    def note(_old: Pointer | None, new: Pointer) -> None:
        taken.append((time.time() - new.turn / 1e6) * 1000)

    for cache in caches:
        cache.pointers.listeners.append(note)
    for n in range(25):
        made = repriced(props, players, 100 + n + 50 * is_cut)
        if is_cut:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        version = await asyncio.to_thread(publish, client, made, f"flip {n}")
        for cache in caches:
            await settled(lambda cache=cache, v=version: cache.pointers.known(DAY).version == v)
    for cache in caches:
        cache.pointers.listeners.remove(note)
    return taken


def memory(report: Report, url: str, rounds: int) -> None:
    table = report.table("memory", f"Resident memory of one slate, {PROPS:,} props", unit="MB")
    for name, kind in (
        ("dict of decoded JSON objects", "dict"),
        ("L1, every player's rows", "rows"),
        ("the API's sheet of it (a frame)", "sheet"),
        ("Polars at work, once a process", "polars"),
        ("all of it in one process", "all"),
    ):
        table.row(name, [resident(kind, url) for _ in range(rounds)])


def resident(kind: str, url: str) -> float:
    """Return what a fresh process grows by when it holds the slate."""
    command = [sys.executable, "-m", "benchmarks.cache", "--hold", kind, "--redis", url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def hold(kind: str, url: str) -> None:
    asyncio.run(_hold(kind, url))


async def _hold(kind: str, url: str) -> None:
    """Read the slate in small portions only, so that no memory that was freed before the last look is used again."""
    async with cache_over(url) as cache:
        slates = Slates(cache)
        pointer, about = await cache.read(DAY, slates.about)
        columns = about.shapes["props"].columns
        first, *players = [str(FIRST + n) for n in range(PROPS // PROPS_PER_PLAYER)]
        kept: dict[str, object] = {}
        await one_player(slates, pointer, columns, first, kept)  # everything is imported before the first look
        before = rss()
        if kind == "dict":
            for player in players:
                await one_player(slates, pointer, columns, player, kept)
        if kind in {"rows", "all"}:
            for player in players:
                await cache.get(ROWS["props"], pointer, player)
        if kind in {"sheet", "polars", "all"}:
            kept["first"] = Sheet.of(await slates.read_frame(pointer, "props"))
            if kind == "sheet":
                # what Polars sets up for its first frame is not taken again for another slate's
                before = rss()
                kept.update({str(n): Sheet.of(await slates.read_frame(pointer, "props")) for n in range(SHEETS)})
        print((rss() - before) / (SHEETS if kind == "sheet" else 1) / 1e6, flush=True)


async def one_player(slates: Slates, pointer: Pointer, columns: Columns, player: str, kept: dict[str, object]) -> None:
    (value,) = await slates.values(pointer, "props", [player])
    rows = decode.rows_of(columns, int(player), value)
    kept.update((row["prop_id"], json.loads(orjson.dumps(row))) for row in rows)


def rss() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "redis"
        try:
            yield embedded.ensure(home)
        finally:
            embedded.stop(home)


def main() -> None:
    parser = arguments(__doc__, rounds=5)
    parser.add_argument(
        "--hold", choices=["dict", "rows", "sheet", "polars", "all"], help="used by the benchmark itself"
    )
    parser.add_argument("--redis", help="used by the benchmark itself")
    given = parser.parse_args()
    if given.hold:
        hold(given.hold, given.redis)
        return
    report = Report("cache", given.record)
    with server() as url, contextlib.closing(connection.connect_url(url)) as client:
        # fifty versions of a slate a few seconds apart make a file that is rewritten just then; a day's flips do not
        client.config_set("auto-aof-rewrite-percentage", 0)
        props = rows_of("props", PROPS)
        players = props["player_id_mlbam"].unique().sort().to_list()
        publish(client, props, "first")
        asyncio.run(hits(report, url, players, given.rounds))
        asyncio.run(rates(report, url, client, props, players))
        asyncio.run(flips(report, url, client, props, players))
        version = publish(client, props, "last")
        memory(report, url, given.rounds)
        cache_memory.whole(report, url, client, props, DAY, version, given.rounds)
    report.close()


if __name__ == "__main__":
    main()
