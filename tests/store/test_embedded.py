import contextlib
import datetime as dt
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from backstop.errors import ConfigurationError, StoreError, StoreUnavailable
from backstop.settings import Settings
from backstop.store import embedded
from backstop.store.connection import connect, connect_async, connect_url
from tests.store.servers import wait_for


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "redis"
    embedded.stop(tmp_path / "redis")


def test_ensuring_twice_gives_one_server(home):
    assert embedded.ensure(home) == embedded.ensure(home)
    assert embedded.is_running(home)


def test_six_processes_at_once_get_one_server(home):
    with ProcessPoolExecutor(6, mp_context=get_context("spawn")) as pool:
        urls = set(pool.map(embedded.ensure, [home] * 6))
    assert len(urls) == 1
    assert connect_url(urls.pop()).info("server")["process_id"] == int((home / "pid").read_text())


def test_data_survives_a_stop(home):
    client = connect_url(embedded.ensure(home))
    client.set("kept", "yes")
    client.close()
    assert embedded.stop(home)
    assert not embedded.is_running(home)
    assert connect_url(embedded.ensure(home)).get("kept") == b"yes"


def test_stopping_what_does_not_run_is_no_error(home):
    assert not embedded.stop(home)


def test_a_long_path_is_no_obstacle(tmp_path):
    home = tmp_path / ("a" * 60) / ("b" * 60)
    try:
        client = connect_url(embedded.ensure(home))
        assert client.ping()
        client.close()
    finally:
        assert embedded.stop(home)


def test_a_server_that_cannot_start_is_a_clear_error(tmp_path):
    with pytest.raises(StoreError, match="died at its start"):
        embedded.ensure(tmp_path / "redis", server=Path("/bin/false"))


def test_a_machine_without_any_server_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "find_server", lambda: None)
    with pytest.raises(ConfigurationError, match="BACKSTOP_REDIS_URL"):
        embedded.ensure(tmp_path / "redis")


def test_settings_without_a_url_get_the_embedded_server(tmp_path):
    settings = Settings(home=tmp_path, redis_url=None, _env_file=None)
    try:
        assert connect(settings).ping()
    finally:
        embedded.stop(tmp_path / "redis")


async def _ping(url: str) -> bool:
    client = await connect_async(Settings(redis_url=url, _env_file=None))
    try:
        return await client.ping()
    finally:
        await client.aclose()


def test_asyncio_reaches_the_same_server(embedded_url):
    import asyncio

    assert asyncio.run(_ping(embedded_url))


def test_nobody_at_the_address_is_a_clear_error(unused_port):
    began = dt.datetime.now(dt.UTC)
    with pytest.raises(StoreUnavailable, match="Check that it runs"):
        connect_url(f"redis://:secret@127.0.0.1:{unused_port}/0")
    assert (dt.datetime.now(dt.UTC) - began).total_seconds() < 10


def test_a_password_is_never_shown(unused_port):
    with pytest.raises(StoreUnavailable) as failure:
        connect_url(f"redis://:secret@127.0.0.1:{unused_port}/0")
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", ""])
def test_an_address_of_another_kind_is_a_clear_error(url):
    with pytest.raises(ConfigurationError, match=r"redis\+sentinel"):
        connect_url(url)


@pytest.mark.parametrize("url", ["redis+sentinel://a:1,b:2", "redis+sentinel://a:x/service", "redis+cluster://:7000"])
def test_an_incomplete_address_is_a_clear_error(url):
    with pytest.raises(ConfigurationError, match="expected"):
        connect_url(url)


def test_a_supervised_server_that_is_killed_comes_back_with_its_data(home):
    with embedded.supervised(home, every_s=0.05) as url, contextlib.closing(connect_url(url)) as client:
        client.config_set("appendfsync", "always")  # what is written must be there after the kill
        client.set("kept", "yes")
        first = client.info("server")["process_id"]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: embedded.is_running(home))
        assert client.get("kept") == b"yes"
        assert client.info("server")["process_id"] != first
    assert embedded.is_running(home)


def test_a_supervised_server_that_is_stopped_on_purpose_stays_stopped(home):
    """Its supervisor looks every few milliseconds, also while the server is going down."""
    with embedded.supervised(home, every_s=0.005) as url, contextlib.closing(connect_url(url)) as client:
        first = client.info("server")["process_id"]
        assert embedded.stop(home)
        wait_for(lambda: not Path(f"/proc/{first}").exists())
        assert not watched_for(lambda: embedded.is_running(home), rounds=20)
    assert not embedded.is_running(home)


def watched_for(condition, rounds: int) -> bool:
    """Whether a condition came true while a supervisor, which is asked in between, had so many turns."""
    turns = threading.Event()
    for _ in range(rounds):
        if condition():
            return True
        turns.wait(0.01)
    return condition()
