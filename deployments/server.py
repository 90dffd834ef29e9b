"""A Prefect server of our own on loopback, for a machine that has none.

Settings measured to matter: task runs recorded in batches (a third of the CPU, no lag in the UI), no telemetry,
leases of limits on disk so that a restart frees them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from backstop.errors import BackstopError

if TYPE_CHECKING:
    from pathlib import Path

STOP_LIMIT_S = 10.0
"""The guard kills a server that does not end after two seconds; this is for a machine that is slow to notice."""

SEND_LIMIT_S = 10.0
"""For what waits to be sent when a run is over; a local server takes a second."""

START_LIMIT_S = 180.0
"""A fresh database takes 7 s of migrations on an idle machine; on one with ten times the work of its cores over 90."""


@dataclass(frozen=True)
class PrefectServer:
    """A running server: its API address, and the process when it is ours.

    Attributes:
        api_url: Address that `PREFECT_API_URL` takes.
        process: The child, `None` for a server that somebody else runs.
    """

    api_url: str
    process: subprocess.Popen[bytes] | None

    @property
    def pid(self) -> int | None:
        """Id of the process, `None` when it is not ours."""
        return self.process.pid if self.process else None

    @property
    def ui_url(self) -> str:
        """Address of the pages."""
        return self.api_url.removesuffix("/api")

    def run_page(self, flow_run_id: str) -> str:
        """Address of a flow run's page."""
        return f"{self.ui_url}/runs/flow-run/{flow_run_id}"

    def wait_ready(self) -> None:
        """Return when the API answers.

        Raises:
            BackstopError: it did not within `START_LIMIT_S`, or the process ended.
        """
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.api_url}/health", timeout=2).is_success:
                    return
            if self.process is not None and self.process.poll() is not None:
                raise BackstopError(
                    f"The Prefect server ended with code {self.process.returncode} while starting; "
                    "see prefect/server.log in Backstop's home."
                )
            time.sleep(0.05)
        raise BackstopError(f"The Prefect server at {self.api_url} did not answer within {START_LIMIT_S:.0f} s.")

    def stop(self) -> None:
        """End the process that we started, and only that one."""
        if self.process is None or self.process.poll() is not None:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()  # its guard ends it
        else:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_LIMIT_S)


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_environment(home: Path, port: int) -> dict[str, str]:
    """Return the settings of the local server, as environment variables."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),  # the UI asks this for its own API address
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
    }


def start(home: Path, port: int | None = None, *, detached: bool = False) -> PrefectServer:
    """Start a server whose database lies under `home`; it is not ready yet (`wait_ready`).

    Args:
        home: Folder of the database and the log, made when it is missing.
        port: On loopback; a free one by default.
        detached: Whether it outlives this process; otherwise it ends with it, also when this one is killed.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    environment = {**os.environ, **server_environment(home, port)}
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command if detached else [sys.executable, "-m", "deployments.guard", *command],
            env=environment,
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt at the terminal ends the run first, and the run ends the server
        )
    return PrefectServer(f"http://127.0.0.1:{port}/api", process)


def send_what_is_left() -> None:
    """Send logs and events that wait in this process, before the server that takes them is stopped.

    Without this Prefect tries each at the interpreter's exit, against a server that is gone, for seconds.
    """
    from prefect.events.worker import EventsWorker  # noqa: PLC0415 - imported only where a flow ran
    from prefect.logging.handlers import APILogHandler  # noqa: PLC0415

    from tasks import artifacts  # noqa: PLC0415

    artifacts.flush()
    APILogHandler().flush()
    drain(EventsWorker)


def drain(service: Any, *, limit_s: float = SEND_LIMIT_S, longest_s: float = 6 * SEND_LIMIT_S) -> int:
    """Let a service of Prefect's send what waits, and have it forget what it cannot.

    Args:
        service: The class; all its instances end.
        limit_s: Seconds without a single one sent after which the rest is given up.
        longest_s: Seconds after which it is in any case: thousands of events must not keep a command from ending.

    Returns:
        How many were given up.
    """
    instances = list(service._instances.values())  # noqa: SLF001 - what is given up can be reached in no other way
    deadline, before = time.monotonic() + longest_s, _waiting(instances)
    _, left = service.drain_all(timeout=limit_s)
    while left and _waiting(instances) < before and time.monotonic() < deadline:
        before = _waiting(instances)
        _, left = concurrent.futures.wait(left, timeout=limit_s)
    return sum(_forget(each) for each in instances) if left else 0


def _waiting(instances: list[Any]) -> int:
    return sum(each._queue.qsize() for each in instances)  # noqa: SLF001


def _forget(instance: Any) -> int:
    """Empty the queue of a service that is ending, up to the mark of its end; return how many were in it."""
    forgotten = 0
    with contextlib.suppress(queue.Empty):
        while True:
            forgotten += instance._queue.get_nowait() is not None  # noqa: SLF001
    instance._queue.put_nowait(None)  # noqa: SLF001
    return forgotten


def at(api_url: str) -> PrefectServer:
    """Return the server that somebody else runs at this address."""
    return PrefectServer(api_url.rstrip("/"), None)
