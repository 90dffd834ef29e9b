"""Servers of an installation that is spread over processes: started on loopback, killed with -9, started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import redis
import sqlalchemy as sa

from deployments.server import free_port
from tests.absent import absent
from tests.lake import postgres
from tests.operations.checkout import ROOT
from tests.operations.waiting import until

READY_S = 240.0
"""Generous: a busy machine starts a Prefect server in a minute."""


class Server:
    """A child process that can be killed and started again at the same place.

    Args:
        name: For its log and for messages.
        folder: Where its log and data lie.
        command: What is started.
        environment: Beside this process's own.
        account: User and group to run as, for servers that refuse root.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str | Path],
        environment: dict[str, str] | None = None,
        account: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.folder, self.command = name, folder, list(command)
        self.environment, self.account = environment or {}, account or {}
        self.process: subprocess.Popen[bytes] | None = None

    def ready(self) -> bool:
        """Return whether it answers."""
        return True

    def start(self) -> None:
        """Start it, and do not wait."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT if not self.account else self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.account,
            )

    def wait(self) -> None:
        """Return when it answers."""

        def answers() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}; see {self.folder}"
            return self.ready()

        until(answers, f"{self.name} to answer", READY_S)

    def kill(self) -> None:
        """Kill it with -9, and only it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """End it as one should, and with -9 when that takes too long."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


class Postgres(Server):
    """PostgreSQL on a unix socket."""

    def __init__(self, folder: Path) -> None:
        programs, account = postgres._programs(), postgres._account()
        folder.mkdir(parents=True)
        if account:
            os.chown(folder, account["user"], account["group"])
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "backstop", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **account,
        )  # fmt: skip
        command = [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-c", "max_connections=200"]
        super().__init__("postgres", folder, command, account=account)

    def url(self, database: str, driver: str = "psycopg") -> str:
        return f"postgresql+{driver}://backstop@/{database}?host={self.folder}"

    def ready(self) -> bool:
        with contextlib.suppress(sa.exc.OperationalError):
            self.ask("select 1")
            return True
        return False

    def ask(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(statement))
        finally:
            engine.dispose()

    def wait(self) -> None:
        """Return when it answers; it does not start again before the children of a killed one have noticed."""

        def answers() -> bool:
            if self.process is None or self.process.poll() is not None:
                self.start()
            return self.ready()

        until(answers, "PostgreSQL to answer", READY_S)


class Redis(Server):
    """A redis-server with an append-only file."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            absent("no redis-server on this machine")
        folder.mkdir(parents=True)
        self.port = free_port()
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
        super().__init__("redis", folder, [program, *options, "--databases", "64", "--save", ""])

    def url(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def ready(self) -> bool:
        with contextlib.suppress(redis.exceptions.RedisError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False


def messaging(database: Postgres, broker: Redis, home: Path) -> dict[str, str]:
    """Return what makes several Prefect servers one: as compose.yaml says it."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.url("prefect", "asyncpg"),
        "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_REDIS_MESSAGING_URL": broker.url(1),
        "PREFECT_SERVER_DOCKET_URL": broker.url(2),
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    }


class Replica(Server):
    """An API replica of Prefect."""

    def __init__(self, name: str, folder: Path, settings: dict[str, str], *options: str) -> None:
        self.port = free_port()
        program = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        settings = {**settings, "PREFECT_SERVER_API_PORT": str(self.port)}
        super().__init__(name, folder, [*program, *options], settings)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.api_url}/health", timeout=2).is_success
        return False


class Services(Server):
    """Prefect's scheduler, recorders and automations, in a process of their own."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        super().__init__("services", folder, [sys.executable, "-m", "prefect", "server", "services", "start"], settings)


class Worker(Server):
    """A worker of our pool."""

    def __init__(self, name: str, folder: Path, settings: dict[str, str], pool: str) -> None:
        program = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", name]
        super().__init__(name, folder, program, {"PREFECT_WORKER_QUERY_SECONDS": "2", **settings})


class Balancer:
    """Passes connections on to whichever of several servers takes them, in turns; one that is dead is passed over."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = list(ports)
        self.port = free_port()
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def start(self) -> None:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop
        )
        self._server = started.result(10)

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.ports:
            self._turn += 1
            with contextlib.suppress(OSError):
                theirs = await asyncio.open_connection("127.0.0.1", self.ports[self._turn % len(self.ports)])
                await asyncio.gather(_pump(reader, theirs[1]), _pump(theirs[0], writer), return_exceptions=True)
                return
        writer.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    finally:
        target.close()


def each(servers: Sequence[Server], do: Callable[[Server], None]) -> None:
    """Do something to every server, the last first, also when one of them objects."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.callback(do, server)
