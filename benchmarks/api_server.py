"""The API in a process of its own, as benchmarks ask it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from deployments.server import free_port


@contextlib.contextmanager
def serving(home: Path, url: str, port: int | None = None) -> Iterator[tuple[int, int]]:
    """Run the server in a process of its own, on a free port where none is given; yield port and process id."""
    port = port or free_port()
    environment = {
        **os.environ,
        "BACKSTOP_HOME": str(home),
        "BACKSTOP_REDIS_URL": url,
        "BACKSTOP_API_REQUESTS_PER_S": "100000",
    }
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-c", "from backstop.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    if client.get("/health/ready").status_code == 200:
                        break
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def server_cpu_s(pid: int) -> float:
    spent = psutil.Process(pid).cpu_times()
    return spent.user + spent.system
