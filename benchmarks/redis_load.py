"""Loading, memory and reads of the Redis store, side by side on one server.

    python -m benchmarks.redis_load [--rows 100000] [--rounds 3] [--large] [--feast PYTHON] [--server redis-server]
                                    [--only loading,reading,pauses] [--record FILE [--add]]

`--large` adds a million rows of both kinds with the loader's peak memory. Feast writes and reads the same rows on the
same server, in an environment that is made on first use; `--feast` names the Python of one that is there.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import redis

from backstop.clock import SystemClock
from backstop.store import codec
from backstop.store.blocks import Rows
from backstop.store.columns import Columns
from backstop.store.kinds import ROWS_PER_SHARD, kind_of
from backstop.store.loader import SlateWriter
from benchmarks import environments, redis_peers
from benchmarks.redis_pauses import pauses
from benchmarks.redis_reads import reads
from benchmarks.redis_replay import replay, taking
from benchmarks.redis_rows import DAY, memory, port_of, rows_of, server, server_cpu
from benchmarks.report import Report, arguments

ONE = "one SET at a time, JSON object"
PIPELINE = "redis-py pipeline of 500 SETs, JSON object"
OURS = "Backstop"
PUBLISHED = "Backstop, published: loaded, counted, read back, flipped"
ZSTD = "Backstop, zstd dictionary"
EACH = "redis-benchmark, an HSET per player, -P 500"
LIMIT = "redis-benchmark, our HSETs ready-made, -P 16"
REPLAY = "every byte of our load ready-made, one plain socket"
ONE_ROWS = 20_000
FEWEST = 400
"""Commands of redis-benchmark at least: fewer are over before it has begun to run evenly."""


@dataclass
class Result:
    """One method's rounds."""

    rate: list[float] = field(default_factory=list)
    client_us: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    bytes_row: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median rate."""
        return statistics.median(self.rate)


def measure(client: redis.Redis, result: Result, rows: int, run: Callable[[], object]) -> None:
    """Run a method once on an empty server."""
    client.flushall()
    before = memory(client)
    spent, cpu, began = server_cpu(client), time.process_time(), time.perf_counter()
    run()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    result.rate.append(rows / took)
    result.client_us.append(used / rows * 1e6)
    result.server_us.append((server_cpu(client) - spent) / rows * 1e6)
    result.bytes_row.append((memory(client) - before) / rows)


def json_values(kind: str, frame: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """What an ordinary program does: a dict per row, orjson, one key each."""
    key = "prop_id" if kind == "props" else "player_id_mlbam"
    for row in frame.iter_rows(named=True):
        yield f"mlb:{DAY}:{kind}:{row[key]}", orjson.dumps(row)


def one_at_a_time(client: redis.Redis, kind: str, frame: pl.DataFrame) -> None:
    """A SET per row."""
    for key, value in json_values(kind, frame):
        client.set(key, value)


def plain_pipeline(client: redis.Redis, kind: str, frame: pl.DataFrame) -> None:
    """The ordinary pipeline."""
    pipeline = client.pipeline(transaction=False)
    for n, (key, value) in enumerate(json_values(kind, frame), 1):
        pipeline.set(key, value)
        if n % 500 == 0:
            pipeline.execute()
    pipeline.execute()


def ours(client: redis.Redis, kind: str, frame: pl.DataFrame, packing: str = "plain", *, publish: bool = False) -> None:
    """What a run does: the same calls, with the checks of the rows; to publish is one call more."""
    writer = SlateWriter(client, SystemClock(), codec=packing)
    counts = {kind: len(frame)}
    draft = writer.open(DAY, cutoff=DAY, run_id="bench", rows=counts)
    writer.load(draft, kind, frame)
    if publish:
        writer.publish(draft, counts)


def limit(client: redis.Redis, results: dict[str, Result], kind: str, frame: pl.DataFrame) -> None:
    """Rate and server time of redis-benchmark for the bytes that ours sends, values ready-made.

    Once with a player's value in a command of its own, once in as many HSETs, of as many pairs, as a load sends: there
    redis-benchmark sends one buffer again and again, and what is left is copying it. It sorts, checks, serialises and
    sums nothing, and sends neither the best rows nor the receipts, which are counted in our rate.
    """
    what = kind_of(kind)
    client.config_resetstat()
    client.flushall()
    ours(client, kind, frame)
    calls = hsets(client)
    block = next(Rows.of(what, frame.head(20_000)).blocks())
    sizes = codec.encode(what, Columns.of(what, block), block).sizes
    mean, rows_per_value = int(sizes.mean()), len(block) / len(sizes)
    pairs = max(1, round(len(frame) / rows_per_value / calls))
    for name, per, pipelined in ((EACH, 1, 500), (LIMIT, pairs, 16)):
        commands = max(FEWEST, int(len(frame) / rows_per_value / per))
        client.flushall()
        spent = server_cpu(client)
        rate = hset_rate(client, commands, per, mean, pipelined, shards=max(1, len(frame) // ROWS_PER_SHARD))
        results[name].rate.append(rate * per * rows_per_value)
        results[name].server_us.append((server_cpu(client) - spent) / (commands * per * rows_per_value) * 1e6)


def hsets(client: redis.Redis) -> int:
    """Return how many HSETs a server has carried out, without those of scripts: each is told by its first pair."""
    stats: Any = client.info("commandstats")
    return int(stats["cmdstat_hset"]["calls"] - stats["cmdstat_eval"]["calls"])


def hset_rate(client: redis.Redis, commands: int, pairs: int, size: int, pipelined: int, shards: int) -> float:
    """Return redis-benchmark's rate of HSETs of so many pairs over so many hashes, from one connection."""
    # redis-benchmark takes its value from the command line, where bytes above 127 and spaces have no place
    fields = [part for n in range(pairs) for part in (f"{n:04d}__rand_int__", "x" * size)]
    # the random number is in key and field alike: as many keys as ours has hashes, or fields enough for every player
    key, numbers = ("key:__rand_int__", shards * 4) if pairs > 1 else ("key", commands)
    options = ["-p", str(port_of(client)), "-n", str(commands), "-P", str(pipelined), "-c", "1", "-r", str(numbers)]
    command = ["redis-benchmark", *options, "-q", "HSET", key, *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"redis-benchmark ended with {done.returncode}: {done.stderr[-500:]}")
    return float(re.findall(r"([\d.]+) requests per second", done.stdout.replace("\r", "\n"))[-1])


def round_trip(client: redis.Redis) -> float:
    """Median microseconds of a PING."""
    taken = []
    for _ in range(2000):
        began = time.perf_counter()
        client.ping()
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def loading(client: redis.Redis, report: Report, kind: str, rows: int, rounds: int, python: Path | None) -> None:
    """Load the same rows in every way, in turns."""
    frame = rows_of(kind, rows)
    some = frame.head(min(rows, ONE_ROWS))
    methods: dict[str, tuple[int, Callable[[], object]]] = {
        ONE: (len(some), lambda: one_at_a_time(client, kind, some)),
        PIPELINE: (rows, lambda: plain_pipeline(client, kind, frame)),
        OURS: (rows, lambda: ours(client, kind, frame)),
        PUBLISHED: (rows, lambda: ours(client, kind, frame, publish=True)),
        ZSTD: (rows, lambda: ours(client, kind, frame, "zstd")),
    }
    client.flushall()
    recorder, writes = taking(port_of(client))
    ours(recorder, kind, frame)
    recorder.close()
    methods[REPLAY] = (rows, lambda: replay(port_of(client), writes))
    results = {name: Result() for name in (*methods, *([EACH, LIMIT] if shutil.which("redis-benchmark") else []))}
    ours(client, kind, some)  # warm up
    for _ in range(rounds):
        for name, (count, run) in methods.items():
            measure(client, results[name], count, run)
        if LIMIT in results:
            limit(client, results, kind, frame)
    peer = redis_peers.feast(python, client, kind, frame, rounds) if python else None
    if peer:
        results[peer.name] = Result(peer.rate, bytes_row=peer.bytes_row)
    title = f"Loading {rows:,} {kind}, {len(frame.columns)} columns; a PING takes {round_trip(client):.0f} us"
    table = report.table(f"load_{kind}", title, unit="rows/s", better="more")
    for name, result in results.items():
        size, base = (statistics.median(each.bytes_row or [0.0]) for each in (result, results[ONE]))
        more = {
            "x_pipeline": f"{result.middle / results[PIPELINE].middle:.2f}",
            "client_us": f"{statistics.median(result.client_us):.2f}" if result.client_us else "",
            "server_us": f"{statistics.median(result.server_us):.2f}" if result.server_us else "",
            "bytes_row": f"{size:,.0f}" if size else "",
            "of_json": f"{size / base:.1%}" if size else "",
        }
        more["of_replay"] = f"{result.middle / results[REPLAY].middle:.0%}"
        if LIMIT in results:
            more["of_hset"] = f"{result.middle / results[EACH].middle:.0%}"
            more["of_limit"] = f"{result.middle / results[LIMIT].middle:.0%}"
        table.row(name, result.rate, **more)
    sizes = report.table(f"bytes_{kind}", f"What {rows:,} {kind} take in Redis", unit="bytes a row")
    for name, result in results.items():
        if result.bytes_row:
            sizes.row(name, result.bytes_row)
    if peer:
        redis_peers.compared(report, client, kind, frame, peer, lambda: ours(client, kind, frame, publish=True))


LARGE = """
import sys, threading, time
import polars as pl
from benchmarks.redis_load import ours, redis, rows_of
client, kind = redis.Redis(port=int(sys.argv[1])), sys.argv[2]
ours(client, kind, rows_of(kind, 2000)); client.flushall()
frame = pl.read_parquet(sys.argv[3], memory_map=False).rechunk()
def now():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
before, peak, stop = now(), [0], threading.Event()
def watch():
    while not stop.wait(0.005):
        peak[0] = max(peak[0], now())
watcher = threading.Thread(target=watch); watcher.start()
began = time.perf_counter(); ours(client, kind, frame); took = time.perf_counter() - began
stop.set(); watcher.join()
print(frame.estimated_size(), peak[0] - before, took)
"""


def large(client: redis.Redis, report: Report, rows: int) -> None:
    """Load a million rows in a process of its own, and watch its memory."""
    table = report.table("million", f"Loading {rows:,} rows", unit="rows/s", better="more")
    for kind in ("props", "features"):
        client.flushall()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            rows_of(kind, rows).write_parquet(path)
            command = [sys.executable, "-c", LARGE, str(port_of(client)), kind, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        size, extra, took = map(float, done.stdout.split())
        table.row(
            kind,
            rows / took,
            frame_mb=f"{size / 1e6:,.0f}",
            peak_over_it_mb=f"{extra / 1e6:,.0f}",
            share=f"{extra / size:.2f}",
        )
    client.flushall()


def main() -> None:
    """Run the parts that were asked for."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--feast", type=Path, help="Python of an environment with feast[redis]")
    parser.add_argument("--server", default="redis-server", help="or valkey-server, or valkey for the bundled one")
    parser.add_argument("--only", default="loading,reading,pauses", help="of these and `large`")
    parser.add_argument("--add", action="store_true", help="keep the tables of the file that this run does not make")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    if not shutil.which("redis-benchmark"):
        sys.exit("redis-benchmark, the limit beside ours, is not on the path; scripts/services installs it with Redis")
    report = Report("redis_load", options.record, add=options.add)
    peer = environments.python("feast", options.feast) if "loading" in parts else None
    with server(options.server) as client:
        about: Any = client.info("server")
        report.console.print(f"polars {pl.__version__}, redis-py {redis.__version__}, server {about['redis_version']}")
        if "loading" in parts:
            for kind in ("props", "features"):
                loading(client, report, kind, options.rows, options.rounds, peer)
        if "reading" in parts:
            reads(client, report, options.rows, options.rounds)
        if "pauses" in parts:
            pauses(client, report, options.rows)
        if options.large or "large" in parts:
            large(client, report, 10 * options.rows)
    report.close()


if __name__ == "__main__":
    main()
