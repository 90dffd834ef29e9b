"""What a slate costs a process that reads it, and Redis: what is held, and everything that is paid, libraries included."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import orjson
import polars as pl
from redis import Redis

from backstop.store.keys import SlateKeys
from benchmarks.report import Report

PLAIN = """
import sys, orjson
from redis import Redis
client = Redis.from_url(sys.argv[1])
keys = sorted(client.scan_iter("plain:*", count=1000))
held = {}
for start in range(0, len(keys), 100):
    for key, value in zip(keys[start:start + 100], client.mget(keys[start:start + 100])):
        held[key] = orjson.loads(value)
"""
OURS = """
import asyncio, datetime as dt, sys
from backstop.cache.cache import Cache
from backstop.cache.line import Line
from backstop.cache.slates import ROWS, Slates
from backstop.clock import SystemClock
from backstop.settings import Settings
from backstop.store import connection
held = []
async def hold():
    async with Cache(Line(lambda: connection.connect_async(Settings(redis_url=sys.argv[1]))), SystemClock()) as cache:
        slates = Slates(cache)
        pointer, _ = await cache.read(dt.date.fromisoformat(sys.argv[2]), slates.about)
        held.append(cache)
        for player in sys.argv[3].split(","):
            held.append(await cache.get(ROWS["props"], pointer, player))
        await more(slates, pointer)
"""
ALONE = OURS + "\nasync def more(slates, pointer): pass\nasyncio.run(hold())\n"
WITH_FRAME = (
    OURS
    + """
from backstop.api.sheet import Sheet
async def more(slates, pointer): held.append(Sheet.of(await slates.read_frame(pointer, "props")))
asyncio.run(hold())
"""
)
TELL = """
import os
print(len(held), int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
"""


def whole(
    report: Report, url: str, client: Redis, props: pl.DataFrame, day: dt.date, version: int, rounds: int
) -> None:
    """Add up what lies in Redis and the resident memory of a fresh process that holds the slate and nothing else.

    Args:
        report: What takes the table.
        url: Of the server.
        client: Its client.
        props: The slate that is published, written once more as an object a key.
        day: Of the slate.
        version: Its version.
        rounds: Processes of each kind.
    """
    for row in props.iter_rows(named=True):
        client.set(f"plain:{row['prop_id']}", orjson.dumps(row))
    players = ",".join(str(each) for each in props["player_id_mlbam"].unique().sort())
    theirs, ours = (
        in_redis(client, "plain:*"),
        in_redis(client, _glob(f"{SlateKeys(day).version_prefix}{version}:") + "*"),
    )
    table = report.table(
        "whole", f"{len(props):,} props in Redis and in a process that reads them, all of it", unit="MB"
    )
    for name, program, redis_mb in (
        ("JSON a key, decoded into a dict", PLAIN, theirs),
        ("Backstop's cache", ALONE, ours),
        ("Backstop's cache with the API's frame", WITH_FRAME, ours),
    ):
        processes = [process_mb(program, url, str(day), players) for _ in range(rounds)]
        table.row(name, [each + redis_mb for each in processes], of_it_redis_mb=f"{redis_mb:.1f}")


def in_redis(client: Redis, pattern: str) -> float:
    """Return the megabytes that keys and values of a pattern take in a server."""
    sizes: list[Any] = [client.memory_usage(key, samples=0) for key in client.scan_iter(pattern, count=1000)]
    assert sizes, f"no key like {pattern}"
    return sum(sizes) / 1e6


def _glob(text: str) -> str:
    """Return a pattern that only this text fits."""
    return "".join(f"[{each}]" if each in "*?[]" else each for each in text)


def process_mb(program: str, *words: str) -> float:
    """Return the resident megabytes of a fresh process that has run a program."""
    done = subprocess.run([sys.executable, "-c", program + TELL, *words], check=True, capture_output=True, text=True)
    held, size = done.stdout.split()
    assert int(held) > 1, "it holds nothing"
    return int(size) / 1e6
