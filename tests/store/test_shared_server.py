"""A server that several processes use ends with the last of them, whoever started it and however the others ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from backstop.store.connection import connect_url

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.store.test_shared_server"])


@pytest.fixture
def settings(tmp_path):
    yield Settings(_env_file=None, home=tmp_path)
    embedded.stop(tmp_path / "redis")


@pytest.fixture
def home(settings):
    return settings.home / "redis"


def use_until_told(settings: Settings, told) -> None:
    """Use the home's Redis as a command does, say so, and end when told; nothing is told to one that is killed."""
    house = House(settings)
    assert house.redis.ping()
    told.send("uses")
    told.recv()
    house.close()


@contextlib.contextmanager
def other_command(settings: Settings):
    """Another process that uses the home's Redis; yields it with the line that ends it."""
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=use_until_told, args=(settings, there))
    process.start()
    try:
        assert here.poll(60)
        assert here.recv() == "uses"
        yield process, here
    finally:
        process.kill()
        process.join(60)


def test_a_command_that_started_the_server_and_ends_leaves_it_to_the_one_that_uses_it(settings, home):
    with (
        other_command(settings) as (starter, line),
        embedded.meanwhile(settings) as named,
        contextlib.closing(connect_url(named.redis_url)) as client,
    ):
        line.send("end")
        starter.join(60)
        assert starter.exitcode == 0
        client.set("kept", "yes")
        assert client.get("kept") == b"yes"
    assert not embedded.is_running(home)


def test_one_that_is_killed_holds_nothing_and_the_next_one_ends_the_server(settings, home):
    with other_command(settings) as (starter, _):
        os.kill(starter.pid, signal.SIGKILL)
        starter.join(60)
    assert embedded.is_running(home)
    House(settings).close()
    assert embedded.is_running(home), "a house that never asked for Redis has nothing to end"
    with embedded.meanwhile(settings):
        pass
    assert not embedded.is_running(home)


def test_of_many_that_start_at_once_the_last_one_ends_the_server(settings, home):
    with ThreadPoolExecutor(6) as pool:
        houses = list(pool.map(House, [settings] * 6))
        pids = set(pool.map(lambda house: house.redis.info("server")["process_id"], houses))
        assert len(pids) == 1
        *others, last = houses
        list(pool.map(House.close, others))
    assert last.redis.info("server")["process_id"] in pids
    last.close()
    assert not embedded.is_running(home)


def test_a_house_that_is_closed_may_be_used_again(settings, home):
    house = House(settings)
    for _ in range(2):
        assert house.redis.ping()
        house.close()
        assert not embedded.is_running(home)


def test_a_server_that_somebody_asked_to_keep_outlives_its_users(settings, home):
    first = embedded.Use(home)
    url = embedded.ensure(home)
    first.end()
    with contextlib.closing(connect_url(url)) as client:
        assert client.ping()
    second = embedded.Use(home)
    assert second.url == url
    second.end()
    assert embedded.is_running(home)


def test_a_server_that_is_stopped_on_purpose_ends_under_its_users_and_is_theirs_when_they_start_it_again(
    settings, home
):
    first, second = embedded.Use(home), embedded.Use(home)
    assert embedded.stop(home)
    first.end()
    assert not embedded.is_running(home)
    third = embedded.Use(home)
    second.end()
    assert embedded.is_running(home)
    third.end()
    assert not embedded.is_running(home)


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_server_up(home):
    use = embedded.Use(home)
    # what a child has after a fork: another descriptor of the same open file
    inherited = os.dup(use.claim.fileno())
    use.end()
    assert not embedded.is_running(home)
    os.close(inherited)
