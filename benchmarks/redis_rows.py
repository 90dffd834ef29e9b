"""Rows of the real shapes and a server of its own, for the benchmarks of the store."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import redis

from backstop import tables
from backstop.features.build import SCHEMA as FEATURES
from backstop.store import embedded
from backstop.store.kinds import kind_of

DAY = dt.date(2025, 6, 15)
PROPS_PER_PLAYER = 14
"""As on a real slate: 3,752 props of 264 players."""

QUOTED = 0.6
"""Share of props that a book quotes; the others have no price, as on a real slate."""

NAMES = np.array(["Fletcher Lamoreaux", "José Ramírez", "Vladimir Guerrero Jr.", "Will Smith", "Ha-Seong Kim"])
TEAMS = np.array(["NYY", "BOS", "LAD", "TB", "CWS", "SD"])
BOOKS = np.array(["draftkings", "fanduel", "betmgm", "betrivers", "williamhill_us"])
MARKETS = np.array(["batter_hits", "batter_total_bases", "batter_home_runs", "batter_walks", "batter_strikeouts"])
WHEN_QUOTED = (
    "market_prob_over", "market_prob_low", "market_prob_high", "best_side", "best_book", "best_price_decimal",
    "ev_per_unit", "edge", "edge_band", "kelly_quarter",
)  # fmt: skip


def rows_of(kind: str, count: int, seed: int = 1) -> pl.DataFrame:
    """Draw rows of the real columns, in the order of their key as the projecting stage leaves them.

    Numbers have all their digits, as projections do.
    """
    rng = np.random.default_rng(seed)
    schema = tables.PROPS.schema if kind == "props" else {n: t for n, t in FEATURES.items() if not t.is_nested()}
    players = np.arange(count) // (PROPS_PER_PLAYER if kind == "props" else 1)
    texts = {
        "player_name": NAMES[players % 5], "team": TEAMS[players % 6], "opponent": TEAMS[(players + 1) % 6],
        "home_team": TEAMS[players % 6], "role": np.full(count, "batter"), "market": MARKETS[rng.integers(0, 5, count)],
        "best_side": np.where(rng.random(count) < 0.5, "over", "under"), "best_book": BOOKS[rng.integers(0, 5, count)],
        "model_version": np.full(count, "2024.2+2024.1"),
    }  # fmt: skip
    drawn: dict[str, Any] = {}
    for name, dtype in schema.items():
        if dtype.is_float():
            drawn[name] = rng.random(count)
        elif dtype.is_integer():
            drawn[name] = rng.integers(0, 30, count)
        elif dtype == pl.Boolean():
            drawn[name] = rng.random(count) < 0.5
        elif dtype == pl.Date():
            drawn[name] = [DAY] * count
        else:
            drawn[name] = texts.get(name, np.full(count, ""))
    frame = pl.DataFrame(drawn).with_columns(player_id_mlbam=pl.Series(400_000 + players), game_pk=pl.lit(777_001))
    if kind == "props":
        line = pl.int_range(pl.len()) % PROPS_PER_PLAYER + 0.5
        quoted = pl.Series(rng.random(count) < QUOTED)
        frame = frame.with_columns(pl.when(quoted).then(pl.col(name)).alias(name) for name in WHEN_QUOTED).with_columns(
            prop_id=pl.concat_str(pl.lit("777001"), "player_id_mlbam", pl.lit("batter_hits"), line, separator=":")
        )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()).sort(kind_of(kind).key)


@contextlib.contextmanager
def server(name: str) -> Iterator[redis.Redis]:
    """Run a server of its own on loopback, without persistence."""
    path = shutil.which(name) if name != "valkey" else str(embedded.find_bundled())
    if path is None:
        sys.exit(f"{name} is not on the path: install it, or take the bundled server with --server valkey")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder, "--bind", "127.0.0.1"]
        lazy = ["--lazyfree-lazy-expire", "yes", "--lazyfree-lazy-server-del", "yes"]
        process = subprocess.Popen([path, *options, *lazy], stdout=subprocess.DEVNULL)
        client = redis.Redis(port=port)
        while True:
            with contextlib.suppress(redis.RedisError):
                if client.ping():
                    break
            time.sleep(0.02)
        try:
            yield client
        finally:
            client.close()
            process.terminate()
            process.wait()


def port_of(client: redis.Redis) -> int:
    """Return the port that a client connects to."""
    return int(client.connection_pool.connection_kwargs["port"])


def server_cpu(client: redis.Redis) -> float:
    """Return the processor seconds that a server has spent."""
    info: Any = client.info("cpu")
    return float(info["used_cpu_sys"] + info["used_cpu_user"])


def memory(client: redis.Redis) -> int:
    """Return the bytes that a server's data take."""
    info: Any = client.info("memory")
    return int(info["used_memory"])
