"""The servers that all seeds of a session share: Prefect, the demo feeds, Redis without persistence, PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import Self, TypeVar

import httpx
import redis

from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.store.connection import connect_url
from deployments.server import free_port, server_environment
from tests.operations.checkout import ROOT
from tests.operations.nursery import Nursery
from tests.operations.pools import Given, register
from tests.operations.servers import Postgres, Replica, Server, Worker

POOL = "chaos"

KEY = "chaos-key"
"""The demo feeds take any."""


class Forgetful(Server):
    """A Redis that keeps nothing on disk: killed, it comes back empty."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "no redis-server on this machine"
        folder.mkdir(parents=True)
        self.socket = folder / "s"
        options = ["--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no", "--dir", folder]
        super().__init__("redis", folder, [program, *options, "--maxmemory-policy", "noeviction"])

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def ready(self) -> bool:
        with contextlib.suppress(redis.exceptions.RedisError), connect_url(self.url) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        super().kill()
        self.socket.unlink(missing_ok=True)


class Prefect(Replica):
    """A Prefect server as `backstop refresh` starts it, on an address that stays."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        super().__init__("prefect", folder, server_environment(folder, 0))


class Feeds(Server):
    """The demo upstream on an address that stays."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            "feeds", folder, [sys.executable, "-m", "backstop.demo.serve", "demo", "--port", str(self.port)]
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.base_url}/_upstream/stats", timeout=2).is_success
        return False

    def set_faults(self, text: str) -> None:
        assert self.process is not None
        Upstream(self.base_url, self.process.pid, self.process).set_faults(text)  # type: ignore[arg-type]


S = TypeVar("S", bound=Server)


def tied(server: S) -> S:
    """Let a server die with this process, also when this one is killed, where the system can."""
    program = shutil.which("setpriv")
    if program:
        server.command = [program, "--pdeathsig", "KILL", *server.command]
    return server


class Site:
    """Everything up; a context manager.

    Args:
        folder: Where everything is kept; short, for the sockets, and open to others, for PostgreSQL's own account.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.homes = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def _start(self, stack: contextlib.ExitStack) -> None:
        self.feeds, self.redis = Feeds(self.folder), Forgetful(self.folder / "redis")
        self.prefect = Prefect(self.folder / "prefect")
        self._postgres: Postgres | None = None
        for server in (self.prefect, self.feeds, self.redis):
            stack.callback(server.stop)
            tied(server).start()
        for server in (self.redis, self.feeds, self.prefect):
            server.wait()
        self._worker: Worker | None = None
        environment = {
            "PREFECT_API_URL": self.prefect.api_url,
            "PREFECT_HOME": str(self.folder / "client"),
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
        }
        self._environment = {**environment, **_quiet()}
        self.nursery = stack.enter_context(Nursery(self._environment))
        self.client = stack.enter_context(connect_url(self.redis.url))

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def postgres(self) -> Postgres:
        """PostgreSQL, started when the first seed wants it."""
        if self._postgres is None:
            self._postgres = tied(Postgres(self.folder / "pg"))
            self._stack.callback(self._postgres.stop)
            self._postgres.start()
            self._postgres.wait()
        return self._postgres

    @property
    def worker(self) -> Worker:
        """A worker of Prefect's with a pool of its own, started when the first seed wants it."""
        if self._worker is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Great Expectations imports modules that Python has deprecated
                from flows.backfill import backfill
                from flows.slate import slate_refresh

            register(self.prefect.api_url, POOL, slate_refresh, backfill)
            self._worker = tied(Worker("worker", self.folder, self._environment, POOL))
            self._stack.callback(self._worker.stop)
            self._worker.start()
        return self._worker

    def give(self, client: httpx.Client, settings: Settings, job: Path) -> Given:
        """Let the worker start a run: a job as the nursery takes it, in a file."""
        said = json.loads(job.read_text())
        name = said["flow"].partition(":")[2].replace("_", "-")
        command = f"{sys.executable} -m tests.chaos.engine {job}"
        variables = {"env": {**self._environment, **environment_of(settings)}, "command": command}
        return Given(client, f"{name}/{POOL}", said["parameters"], {**variables, "working_dir": str(ROOT)})

    def home(self, *, postgres: bool) -> Settings:
        """Return settings of a home that nobody used; Redis is empty and the feeds are well."""
        self.homes += 1
        folder = self.folder / f"h{self.homes}"
        folder.mkdir()
        self.lift()
        self.client.flushall()
        ledger = None
        if postgres:
            self.postgres.ask(f"create database h{self.homes}")
            ledger = self.postgres.url(f"h{self.homes}")
        return Settings(
            home=folder,
            redis_url=self.redis.url,
            ledger_url=ledger,
            upstream=self.feeds.base_url,
            history_first_season=2025,
            theodds_key=KEY,
        )

    def drop(self, settings: Settings) -> None:
        """Remove a home."""
        shutil.rmtree(settings.home, ignore_errors=True)
        if settings.ledger_url:
            self.postgres.ask(f"drop database if exists {settings.home.name} with (force)")

    def lift(self) -> None:
        """End every fault: servers that were killed are up, feeds are calm, Redis takes what comes."""
        for server in (self.redis, self.feeds, self.prefect, *self._wanted()):
            if server.process is None or server.process.poll() is not None:
                server.start()
            server.wait()
        self.feeds.set_faults("calm")
        self.client.config_set("maxmemory", 0)

    def _wanted(self) -> list[Server]:
        """Return the servers that not every seed needs, as far as one did."""
        return [server for server in (self._postgres, self._worker) if server is not None]

    def named(self, name: str) -> Server:
        return {"server": self.prefect, "upstream": self.feeds, "redis": self.redis, "postgres": self.postgres}[name]


def _quiet() -> dict[str, str]:
    return {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", "2")}


def environment_of(settings: Settings) -> dict[str, str]:
    """Return settings as a process reads them."""
    said = settings.model_dump(mode="json", exclude_defaults=True)
    return {
        **{f"BACKSTOP_{name.upper()}": str(value) for name, value in said.items() if value is not None},
        "BACKSTOP_THEODDS_KEY": KEY,  # a dump hides secrets
    }


__all__ = ["Site", "environment_of"]
