"""How long another client of Redis waits while slates are loaded and flipped, and while old versions expire."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import redis

from backstop.clock import SystemClock
from backstop.store.keys import SlateKeys
from backstop.store.loader import SlateWriter
from benchmarks.redis_rows import DAY, port_of, rows_of
from benchmarks.report import Report

PUBLISHES = 6
IDLE_S = 3.0

PINGER = """
import sys, threading, time, redis
client, stop, taken = redis.Redis(port=int(sys.argv[1])), threading.Event(), []
client.ping()
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
while not stop.is_set():
    began = time.monotonic(); client.ping(); taken.append((began, time.monotonic() - began)); time.sleep(0.0005)
print("\\n".join(f"{began:.6f} {took * 1e3:.3f}" for began, took in taken))
"""


def slowest_script(client: redis.Redis) -> float:
    """Milliseconds that the longest flip since the last call took the server."""
    entries: Any = client.slowlog_get(128)
    client.slowlog_reset()
    return max((e["duration"] for e in entries if b"local function serve" in e["command"]), default=0) / 1e3


def longest_event(client: redis.Redis) -> float:
    """Milliseconds of the longest event that the server itself noted since the last call."""
    latest: Any = client.execute_command("LATENCY", "LATEST")
    client.execute_command("LATENCY", "RESET")
    return float(max((event[3] for event in latest), default=0))


def pauses(client: redis.Redis, report: Report, rows: int) -> None:
    """Publish a slate of many rows again and again while another process pings; then let the old versions expire."""
    client.flushall()
    client.config_set("slowlog-log-slower-than", 0)
    client.config_set("latency-monitor-threshold", 1)
    frame = rows_of("props", rows)
    writer = SlateWriter(client, SystemClock(), keep=1)
    pinger = subprocess.Popen(
        [sys.executable, "-c", PINGER, str(port_of(client))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert pinger.stdout is not None
    pinger.stdout.readline()
    phases: dict[str, tuple[float, float, float]] = {}
    began = time.monotonic()
    time.sleep(IDLE_S)
    phases["nothing happens"] = (began, time.monotonic(), longest_event(client))
    flips, publishes, began = [], [], time.monotonic()
    for n in range(PUBLISHES):
        draft = writer.open(DAY, cutoff=DAY, run_id=f"flip{n}", rows={"props": rows})
        writer.load(draft, "props", frame)
        start = time.perf_counter()
        writer.publish(draft, {"props": rows}, {})
        publishes.append((time.perf_counter() - start) * 1e3)
        flips.append(slowest_script(client))
    phases["slates are loaded, checked and flipped"] = (began, time.monotonic(), longest_event(client))
    began = time.monotonic()
    current: Any = client.hget(SlateKeys(DAY).current, "version")
    doomed = [key for key in client.scan_iter("*:v:*") if f":v:{int(current)}:".encode() not in key]
    for key in doomed:
        client.pexpire(key, 200)
    while any(client.exists(key) for key in doomed):
        time.sleep(0.1)
    time.sleep(0.5)
    phases["the old versions expire together"] = (began, time.monotonic(), longest_event(client))
    out, _ = pinger.communicate("stop\n")
    pings = [(float(at), float(took)) for at, took in (line.split() for line in out.split("\n") if line)]
    title = (
        f"PING of another process, longest of a phase; {PUBLISHES} slates of {rows:,} props, {len(doomed)} keys expire"
    )
    table = report.table("pauses", title, unit="ms")
    for name, (first, last, event) in phases.items():
        some = sorted(took for at, took in pings if first <= at <= last)
        table.row(
            f"while {name}", some[-1], median_ms=f"{some[len(some) // 2]:.2f}",
            p999_ms=f"{some[int(len(some) * 0.999)]:.2f}", pings=f"{len(some):,}", server_longest_event_ms=f"{event:.0f}",
        )  # fmt: skip
    flipped = report.table("flip", f"Flip of {rows:,} props", unit="ms")
    flipped.row("the flip, by the server's own clock", flips)
    flipped.row("the whole publish: count, read back, flip", publishes)
