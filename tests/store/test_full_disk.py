"""An embedded server whose disk is full: reads go on, what cannot be written is told in a sentence, and it recovers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shlex
import signal

import pytest
from redis.exceptions import ResponseError

from backstop.errors import StoreError
from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded, process
from backstop.store.connection import connect_async, connect_url
from backstop.store.faults import explained
from tests.store.servers import wait_for

LARGEST_FILE = 64 * 1024


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "redis"
    embedded.stop(tmp_path / "redis")


@pytest.fixture
def full(home, tmp_path):
    """A server that may write no more to its file, with a value in it; yields its process id."""
    path = tmp_path / "server"
    server = shlex.quote(str(embedded.find_server()))
    path.write_text(f"#!/bin/sh\ntrap '' XFSZ\nulimit -S -f {LARGEST_FILE // 512}\nexec {server} \"$@\"\n")
    path.chmod(0o755)
    with contextlib.closing(connect_url(embedded.ensure(home, server=path))) as client:
        client.set("kept", "yes")
        pid = client.info("server")["process_id"]
        limit = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        assert limit[0] in {LARGEST_FILE, 2 * LARGEST_FILE}, "a shell counts in blocks of 512 or 1024 bytes"

        wait_for(lambda: not written(client, "x" * LARGEST_FILE))
    return pid


def written(client, value: str) -> bool:
    """Whether a server takes a value."""
    with contextlib.suppress(ResponseError):
        return bool(client.set("filler", value))
    return False


def more_room(pid: int) -> None:
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_server_with_a_full_disk_serves_reads_and_says_why_it_takes_no_writes(home, full):
    assert embedded.is_running(home)
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        assert client.get("kept") == b"yes"
        message = r"cannot write its data to disk, so writing failed.*Free some space"
        with pytest.raises(StoreError, match=message), explained("writing"):
            client.set("more", "x")
        more_room(full)
        wait_for(lambda: written(client, "x"))
        assert client.info("server")["process_id"] == full


def test_an_event_loop_reads_from_it_too(home, full):
    async def read() -> bytes:
        client = await connect_async(Settings(_env_file=None, redis_url=process.address_of(home)))
        try:
            return await client.get("kept")
        finally:
            await client.aclose()

    assert asyncio.run(read()) == b"yes"


def test_who_asked_nothing_for_long_reads_from_it_too(home, full):
    with contextlib.closing(connect_url(process.address_of(home))) as client:
        assert client.get("kept") == b"yes"
        for connection in client.connection_pool._available_connections:
            connection.next_health_check = float("-inf")  # as if it had been idle for an hour
        assert client.get("kept") == b"yes"


def test_a_house_opens_on_it_and_closes(home, full):
    house = House(Settings(_env_file=None, home=home.parent))
    assert house.reader.days() == []
    house.close()
    assert embedded.is_running(home)


def test_its_supervisor_lives_on_and_starts_it_again_when_it_dies(home, full):
    with embedded.supervised(home, every_s=0.01) as url, contextlib.closing(connect_url(url)) as client:
        more_room(full)
        os.kill(full, signal.SIGKILL)
        wait_for(lambda: embedded.is_running(home))
        assert client.get("kept") == b"yes"
        assert client.info("server")["process_id"] != full


def test_a_supervisor_that_cannot_open_the_log_tries_again(home):
    with embedded.supervised(home, every_s=0.01) as url, contextlib.closing(connect_url(url)) as client:
        first = client.info("server")["process_id"]
        (home / "log").unlink()
        (home / "log").mkdir()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: process.pid_of(home) is None)
        with pytest.raises(IsADirectoryError):
            embedded._revive(home)
        (home / "log").rmdir()
        wait_for(lambda: embedded.is_running(home))
