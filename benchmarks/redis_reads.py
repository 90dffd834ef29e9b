"""Reads of the store beside a bare GET, interleaved, so that a busy moment of the machine meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import redis

from backstop.clock import SystemClock
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from benchmarks.redis_rows import DAY, rows_of
from benchmarks.report import Report

READS = 1500
"""Reads of each kind in a round."""


def reads(client: redis.Redis, report: Report, rows: int, rounds: int) -> None:
    """Publish a slate and read it; the median of each round and the 99th percentile of all."""
    client.flushall()
    features, props = rows_of("features", rows // 10), rows_of("props", rows)
    writer, reader = SlateWriter(client, SystemClock()), SlateReader(client, SystemClock())
    counts = {"features": len(features), "props": len(props)}
    draft = writer.open(DAY, cutoff=DAY, run_id="reads", rows=counts)
    writer.load(draft, "features", features)
    writer.load(draft, "props", props)
    writer.publish(draft, counts, {})
    client.set("bare", orjson.dumps(features.row(0, named=True)))
    ids = props.get_column("player_id_mlbam").unique().sort().to_list()
    cases: dict[str, Callable[[], Any]] = {
        "a bare GET of a JSON string": lambda: client.get("bare"),
        "one player: features, props and freshness": lambda: reader.player(ids[7], DAY),
        "... decoded to dicts": lambda: (view := reader.player(ids[7], DAY)).features + view.props,
        "the slate's state": lambda: reader.slate(DAY),
        "50 players in one round trip": lambda: reader.players(ids[:50], DAY),
        "the best 20 of a market, as a frame": lambda: reader.props(DAY, "batter_hits", limit=20),
    }
    middles: dict[str, list[float]] = {name: [] for name in cases}
    every: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for n in range(READS):
            for name, run in cases.items():
                if n % 5 and name.startswith(("50", "the best")):
                    continue
                began = time.perf_counter()
                run()
                taken[name].append((time.perf_counter() - began) * 1e6)
        for name, some in taken.items():
            every[name] += some
            middles[name].append(sorted(some)[len(some) // 2])
    table = report.table("reads", f"Reads, {rows:,} props and {rows // 10:,} features published, p50", unit="us")
    for name, medians in middles.items():
        late = sorted(every[name])[int(len(every[name]) * 0.99)]
        table.row(
            name,
            medians,
            x_slower=f"{sum(medians) / sum(middles['a bare GET of a JSON string']):.2f}",
            p99_us=f"{late:.0f}",
        )
