"""Loading, memory and reads of the Redis store, side by side on one server.

    python -m benchmarks.redis_load [--rows 100000] [--rounds 5] [--large] [--feast PYTHON] [--server redis-server]

`--large` adds a million rows of props and the loader's peak memory. `--feast` names the Python of an environment that
has `feast[redis]`; Feast then writes and reads the same rows on the same server.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import redis

from backstop import tables
from backstop.clock import SystemClock
from backstop.features.build import SCHEMA as FEATURES
from backstop.store import codec, embedded
from backstop.store.codec import Columns
from backstop.store.kinds import KINDS, kind_of
from backstop.store.loader import COMMAND_BYTES, PAIRS, SlateWriter
from backstop.store.reader import SlateReader

DAY = dt.date(2025, 6, 15)
PROPS_PER_PLAYER = 14
"""As on a real slate: 3,752 props of 264 players."""

WORDS = np.array(["NYY", "BOS", "draftkings", "batter_total_bases", "Fletcher Lamoreaux", "over", "2024.2+2024.1"])


def rows_of(kind: str, count: int, seed: int = 1) -> pl.DataFrame:
    """Draw rows of the real columns; numbers have all their digits, as projections do."""
    rng = np.random.default_rng(seed)
    schema = tables.PROPS.schema if kind == "props" else {n: t for n, t in FEATURES.items() if not t.is_nested()}
    per_player = PROPS_PER_PLAYER if kind == "props" else 1
    player = 400_000 + np.arange(count) // per_player
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
            drawn[name] = WORDS[rng.integers(0, len(WORDS), count)]
    frame = pl.DataFrame(drawn).with_columns(pl.Series("player_id_mlbam", player), game_pk=pl.lit(777_001))
    if kind == "props":
        markets = np.array(
            ["batter_hits", "batter_total_bases", "batter_home_runs", "batter_walks", "batter_strikeouts"]
        )
        frame = frame.with_columns(
            pl.Series("market", markets[rng.integers(0, 5, count)]),
            prop_id=pl.concat_str(
                pl.lit("777001:"), "player_id_mlbam", pl.lit(":batter_hits:"), pl.int_range(pl.len())
            ),
        )
    else:
        frame = frame.with_columns(role=pl.lit("batter"))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


@contextlib.contextmanager
def server(name: str) -> Iterator[redis.Redis]:
    """Run a server of its own on loopback, without persistence."""
    path = shutil.which(name) if name != "valkey" else str(embedded.find_bundled())
    if path is None:
        sys.exit(f"{name} is not on the path")
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


def server_cpu(client: redis.Redis) -> float:
    info: Any = client.info("cpu")
    return float(info["used_cpu_sys"] + info["used_cpu_user"])


@dataclass
class Result:
    """One method's rounds."""

    rate: list[float] = field(default_factory=list)
    client_us: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    bytes_per_row: float = 0.0

    def row(self, name: str, base: float, plain: float) -> str:
        rate = statistics.median(self.rate)
        return (
            f"| {name} | {rate:,.0f} ({min(self.rate):,.0f}-{max(self.rate):,.0f}) | {rate / base:.1f} | "
            f"{rate / plain:.2f} | {statistics.median(self.client_us):.2f} | {statistics.median(self.server_us):.2f} | "
            f"{self.bytes_per_row:,.0f} |"
        )


def measure(client: redis.Redis, result: Result, rows: int, run: Callable[[], None]) -> None:
    client.flushall()
    before = int(client.info("memory")["used_memory"])  # type: ignore[index]
    spent, cpu, began = server_cpu(client), time.process_time(), time.perf_counter()
    run()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    result.rate.append(rows / took)
    result.client_us.append(used / rows * 1e6)
    result.server_us.append((server_cpu(client) - spent) / rows * 1e6)
    result.bytes_per_row = (int(client.info("memory")["used_memory"]) - before) / rows  # type: ignore[index]


def json_values(kind: str, frame: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """What an ordinary program does: a dict per row, orjson, one key each."""
    key = "prop_id" if kind == "props" else "player_id_mlbam"
    for row in frame.iter_rows(named=True):
        yield f"mlb:{DAY}:{kind}:{row[key]}", orjson.dumps(row)


def one_at_a_time(client: redis.Redis, kind: str, frame: pl.DataFrame) -> None:
    for key, value in json_values(kind, frame):
        client.set(key, value)


def plain_pipeline(client: redis.Redis, kind: str, frame: pl.DataFrame) -> None:
    pipeline = client.pipeline(transaction=False)
    for n, (key, value) in enumerate(json_values(kind, frame), 1):
        pipeline.set(key, value)
        if n % 500 == 0:
            pipeline.execute()
    pipeline.execute()


def ours(client: redis.Redis, kind: str, frame: pl.DataFrame, packing: str) -> None:
    writer = SlateWriter(client, SystemClock(), codec=packing)
    draft = writer.open(DAY, cutoff=DAY, run_id="bench", rows={kind: len(frame)})
    writer.load(draft, kind, frame)


def limit(client: redis.Redis, kind: str, frame: pl.DataFrame, rows: int) -> tuple[float, float] | None:
    """Rate and server time of redis-benchmark for the command and bytes that ours sends, values ready-made."""
    program = shutil.which("redis-benchmark")
    if program is None:
        return None
    what = kind_of(kind)
    block = next(codec.blocks(what, frame.head(20_000)))
    encoded = codec.encode(what, Columns.of(what, block), block)
    mean = sum(map(len, encoded.values)) / len(encoded.values)
    pairs = int(max(1, min(PAIRS, COMMAND_BYTES // mean)))
    # redis-benchmark takes its value from the command line, where bytes above 127 and spaces have no place
    value = "x" * int(mean)
    per_command = pairs * len(block) / len(encoded.values)
    commands = max(50, int(rows / per_command))
    port = client.connection_pool.connection_kwargs["port"]
    fields = [part for n in range(pairs) for part in (f"{n:04d}__rand_int__", value)]
    client.flushall()
    spent = server_cpu(client)
    # a hash of about 8,192 rows, as ours: the key's random number spreads the fields over as many hashes
    shards = max(1, rows // 8192)
    # the digits of __rand_int__ are twelve; a player id has six
    options = ["-p", str(port), "-n", str(commands), "-P", "16", "-c", "1", "-r", str(shards * 4), "-q"]
    command = [program, *options, "HSET", "key:__rand_int__", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate = float(re.findall(r"([\d.]+) requests per second", done.stdout.replace("\r", "\n"))[-1])
    return rate * per_command, (server_cpu(client) - spent) / (commands * per_command) * 1e6


def feast(python: str, client: redis.Redis, kind: str, frame: pl.DataFrame) -> dict[str, float]:
    """Let Feast write and read the same rows, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(Path(folder) / "rows.parquet")
        port = client.connection_pool.connection_kwargs["port"]
        script = Path(__file__).with_name("feast_load.py")
        done = subprocess.run(
            [python, str(script), folder, str(port), kind], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"Feast failed:\n{done.stderr[-2000:]}")
        answer: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
        return answer


def quantiles(run: Callable[[], Any], times: int) -> tuple[float, float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append((time.perf_counter() - began) * 1e6)
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)]


def loading(client: redis.Redis, kind: str, rows: int, rounds: int, python: str | None) -> None:
    frame = rows_of(kind, rows)
    some = frame.head(min(rows, 20_000))
    methods: dict[str, tuple[int, Callable[[], None]]] = {
        "one SET at a time, JSON object": (len(some), lambda: one_at_a_time(client, kind, some)),
        "redis-py pipeline of 500 SETs, JSON object": (rows, lambda: plain_pipeline(client, kind, frame)),
        "Backstop, load": (rows, lambda: ours(client, kind, frame, "plain")),
        "Backstop, load, zstd dictionary": (rows, lambda: ours(client, kind, frame, "zstd")),
    }
    results = {name: Result() for name in methods}
    ours(client, kind, some, "plain")  # warm up
    bench: list[tuple[float, float]] = []
    for _ in range(rounds):
        for name, (count, run) in methods.items():
            measure(client, results[name], count, run)
        ceiling = limit(client, kind, frame, rows)
        bench += [ceiling] if ceiling else []
    rtt, _ = quantiles(client.ping, 3000)
    print(
        f"\n### {rows:,} {kind}, {len(frame.columns)} columns; a PING takes {rtt:.0f} us; {rounds} interleaved rounds\n"
    )
    print("| Method | rows/s, median (range) | x one SET | x pipeline | client us/row | server us/row | bytes/row |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    base = statistics.median(results["one SET at a time, JSON object"].rate)
    plain = statistics.median(results["redis-py pipeline of 500 SETs, JSON object"].rate)
    for name, result in results.items():
        print(result.row(name, base, plain))
    if bench:
        rates = [rate for rate, _ in bench]
        top = statistics.median(rates)
        print(f"| redis-benchmark, the same HSETs ready-made | {top:,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) | "
              f"{top / base:.1f} | {top / plain:.2f} | | {statistics.median(us for _, us in bench):.2f} | |")  # fmt: skip
        share = statistics.median(results["Backstop, load"].rate) / top
        print(f"\nOurs, serialisation included, is {share:.0%} of redis-benchmark's rate.")
    key_bytes = results["one SET at a time, JSON object"].bytes_per_row
    for name in ("Backstop, load", "Backstop, load, zstd dictionary"):
        print(f"{name}: {results[name].bytes_per_row / key_bytes:.1%} of the bytes of a JSON string per key.")
    if python:
        client.flushall()
        before = int(client.info("memory")["used_memory"])  # type: ignore[index]
        told = feast(python, client, kind, frame)
        size = (int(client.info("memory")["used_memory"]) - before) / rows  # type: ignore[index]
        mine = statistics.median(results["Backstop, load"].rate)
        print(f"Feast {told['version']}: {told['rate']:,.0f} rows/s, {size:,.0f} bytes/row, one read {told['one_us']:.0f} us, "
              f"50 reads {told['fifty_us']:.0f} us. Ours loads {mine / told['rate']:.0f}x as fast in "
              f"{results['Backstop, load'].bytes_per_row / size:.0%} of its bytes.")  # fmt: skip


def reading(client: redis.Redis, rows: int) -> None:
    client.flushall()
    features, props = rows_of("features", rows // 10), rows_of("props", rows)
    writer, reader = SlateWriter(client, SystemClock()), SlateReader(client, SystemClock())
    counts = {"features": len(features), "props": len(props)}
    draft = writer.open(DAY, cutoff=DAY, run_id="reads", rows=counts)
    writer.load(draft, "features", features)
    writer.load(draft, "props", props)
    writer.publish(draft, counts, {})
    client.set("bare", orjson.dumps(features.row(0, named=True)))
    ids = props.get_column("player_id_mlbam").unique().to_list()
    fifty = ids[:50]
    print(f"\n### Reads, {rows:,} props and {rows // 10:,} features published\n")
    print("| Read | p50 us | p99 us | x GET |")
    print("| --- | --- | --- | --- |")
    cases: dict[str, Callable[[], Any]] = {
        "a bare GET of a JSON string": lambda: client.get("bare"),
        "one player: features, props and freshness in one round trip": lambda: reader.player(ids[7], DAY),
        "... decoded to dicts": lambda: (v := reader.player(ids[7], DAY)).features + v.props,
        "50 players in one round trip": lambda: reader.players(fifty, DAY),
        "the slate's state": lambda: reader.slate(DAY),
        "the best 20 of a market, as a frame": lambda: reader.props(DAY, "batter_hits", limit=20),
    }
    base = 0.0
    for name, run in cases.items():
        run()
        middle, late = quantiles(run, 2000 if "frame" not in name else 300)
        base = base or middle
        print(f"| {name} | {middle:.0f} | {late:.0f} | {middle / base:.2f} |")


def slowest_script(client: redis.Redis) -> float:
    """Milliseconds that the longest script since the last call took the server; the flip is the longest."""
    entries: Any = client.slowlog_get(128)
    client.slowlog_reset()
    scripts = [entry["duration"] for entry in entries if b"local function serve" in entry["command"]]
    return max(scripts, default=0) / 1e3


def flipping(client: redis.Redis, rows: int) -> None:
    """Flip a slate of many rows while another client pings, and let old versions expire under it."""
    client.flushall()
    client.config_set("slowlog-log-slower-than", 0)
    frame = rows_of("props", rows)
    writer = SlateWriter(client, SystemClock(), keep=1)
    port = client.connection_pool.connection_kwargs["port"]
    pinger = subprocess.Popen(
        [sys.executable, "-c", PINGER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    flips, publishes = [], []
    try:
        for n in range(6):
            draft = writer.open(DAY, cutoff=DAY, run_id=f"flip{n}", rows={"props": rows})
            writer.load(draft, "props", frame)
            began = time.perf_counter()
            writer.publish(draft, {"props": rows}, {})
            publishes.append((time.perf_counter() - began) * 1e3)
            flips.append(slowest_script(client))
            for key in client.scan_iter(f"*:v:{draft.version - 1}:*"):
                client.expire(key, 1)
        time.sleep(3)
    finally:
        out, _ = pinger.communicate("stop\n")
    pauses = sorted(float(line) for line in out.split())
    idle = pauses[len(pauses) // 2]
    print(f"\n### Six publishes of {rows:,} props, each old version expiring a second later\n")
    print(f"flip: median {statistics.median(flips):.2f} ms, longest {max(flips):.2f} ms; the whole publish (count, read back, "
          f"flip): median {statistics.median(publishes):.0f} ms")  # fmt: skip
    print(f"PING of another process meanwhile: {len(pauses):,} pings, median {idle:.2f} ms, p99.9 "
          f"{pauses[int(len(pauses) * 0.999)]:.2f} ms, longest {pauses[-1]:.2f} ms")  # fmt: skip


PINGER = """
import sys, threading, time, redis
client, stop, taken = redis.Redis(port=int(sys.argv[1])), threading.Event(), []
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
while not stop.is_set():
    began = time.perf_counter(); client.ping(); taken.append((time.perf_counter() - began) * 1e3); time.sleep(0.0005)
print("\\n".join(f"{each:.3f}" for each in sorted(taken)[-20000:]))
"""

LARGE = """
import resource, sys, time
from benchmarks.redis_load import DAY, rows_of, ours, redis
import polars as pl
client, kind = redis.Redis(port=int(sys.argv[1])), sys.argv[2]
ours(client, kind, rows_of(kind, 2000), "plain"); client.flushall()
frame = pl.read_parquet(sys.argv[3], memory_map=False).rechunk()
def now():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
import threading
before, peak, stop = now(), [0], threading.Event()
def watch():
    while not stop.wait(0.005):
        peak[0] = max(peak[0], now())
watcher = threading.Thread(target=watch); watcher.start()
began = time.perf_counter(); ours(client, kind, frame, "plain"); took = time.perf_counter() - began
stop.set(); watcher.join()
print(frame.estimated_size(), peak[0] - before, took)
"""


def large(client: redis.Redis, kind: str, rows: int) -> None:
    client.flushall()
    port = client.connection_pool.connection_kwargs["port"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        rows_of(kind, rows).write_parquet(path)
        done = subprocess.run(
            [sys.executable, "-c", LARGE, str(port), kind, str(path)], capture_output=True, text=True, check=True
        )
    size, extra, took = map(float, done.stdout.split())
    print(f"\n### {rows:,} {kind}: {rows / took:,.0f} rows/s; frame {size / 1e6:,.0f} MB, peak over it {extra / 1e6:,.0f} MB "
          f"({extra / size:.2f}x)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--feast", help="Python of an environment with feast[redis]")
    parser.add_argument(
        "--server", default="redis-server", help="redis-server, valkey-server, or valkey for the bundled one"
    )
    parser.add_argument("--only", default="loading,reading,flipping")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    with server(options.server) as client:
        about: Any = client.info("server")
        load = os.getloadavg()[0]
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, "
              f"polars {pl.__version__}, redis-py {redis.__version__}, server {about['redis_version']}, "
              f"kinds {', '.join(KINDS)}")  # fmt: skip
        if "loading" in parts:
            for kind in ("props", "features"):
                loading(client, kind, options.rows, options.rounds, options.feast)
        if "reading" in parts:
            reading(client, min(options.rows, 100_000))
        if "flipping" in parts:
            flipping(client, options.rows)
        if options.large:
            large(client, "props", 1_000_000)


if __name__ == "__main__":
    main()
