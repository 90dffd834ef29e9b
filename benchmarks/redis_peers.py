"""Feast beside the loader and the reader: the same rows on the same server, written, read by player, and their bytes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import redis

from backstop.clock import SystemClock
from backstop.store.reader import SlateReader
from benchmarks.redis_rows import DAY, memory, port_of
from benchmarks.report import Report

ROWS = 50_000
"""That Feast writes in a round, 6 to 13 s: its rate does not depend on it."""

READS = 60
MANY = 50


@dataclass
class Feast:
    """What Feast needed, round by round: rows per second, bytes a row, microseconds of reads by name."""

    version: str = ""
    rate: list[float] = field(default_factory=list)
    bytes_row: list[float] = field(default_factory=list)
    reads: dict[str, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its row's name."""
        return f"Feast {self.version}"


def feast(python: Path, client: redis.Redis, kind: str, frame: pl.DataFrame, rounds: int) -> Feast:
    """Let Feast write and read the rows, in its own environment, each round on an empty server."""
    found = Feast()
    for _ in range(rounds):
        client.flushall()
        before = memory(client)
        told = _round(python, client, kind, frame.head(ROWS))
        found.version = told["version"]
        found.rate.append(told["rate"])
        found.bytes_row.append((memory(client) - before) / min(ROWS, len(frame)))
        for name, took in told["reads"].items():
            found.reads.setdefault(name, []).append(took)
    client.flushall()
    return found


def _round(python: Path, client: redis.Redis, kind: str, frame: pl.DataFrame) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(Path(folder) / "rows.parquet")
        script = Path(__file__).with_name("feast_load.py")
        command = [str(python), str(script), folder, str(port_of(client)), kind, str(READS), str(MANY)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"Feast failed:\n{done.stderr[-2000:]}")
        answer: dict[str, Any] = orjson.loads(done.stdout.splitlines()[-1])
        return answer


def compared(
    report: Report, client: redis.Redis, kind: str, frame: pl.DataFrame, peer: Feast, load: Callable[[], None]
) -> None:
    """Show Feast's reads beside ours: all rows of one player and of 50, as dicts.

    Args:
        report: What takes the table.
        client: The server, with nothing in it.
        kind: Of the rows.
        frame: All of them.
        peer: What Feast needed.
        load: Publishes them with our loader.
    """
    load()
    reader = SlateReader(client, SystemClock())
    players = frame.head(ROWS)["player_id_mlbam"].unique().sort().to_list()
    ours: dict[str, list[float]] = {}
    for _ in peer.rate:
        for name, count in (("one player", 1), (f"{MANY} players", MANY)):
            groups = [[players[(n * count + k) % len(players)] for k in range(count)] for n in range(READS)]
            ours.setdefault(name, []).append(_median_us(lambda some: decoded(reader, kind, some), groups))
    title = f"{kind.capitalize()} read by player and decoded to dicts, {READS} reads a round, median"
    table = report.table(f"peer_reads_{kind}", title, unit="us")
    for name, taken in peer.reads.items():
        table.row(f"Feast, {name}", taken, version=peer.version)
        table.row(f"Backstop, {name}", ours[name])
    client.flushall()


def decoded(reader: SlateReader, kind: str, players: list[int]) -> int:
    """Read all rows of players as dicts and return how many there were."""
    views = reader.players(players, DAY)
    return sum(len(view.props if kind == "props" else view.features) for view in views)


def _median_us(read: Callable[[list[int]], int], groups: list[list[int]]) -> float:
    taken = []
    for some in groups:
        began = time.perf_counter()
        found = read(some)
        taken.append((time.perf_counter() - began) * 1e6)
        assert found >= len(some), f"{found} rows of {len(some)} players"
    return sorted(taken)[len(taken) // 2]
