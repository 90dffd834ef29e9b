"""A watcher sees the served version, and every later one that stays."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import signal
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.client import AsyncClient, Client, State
from backstop.client.answers import Watcher
from backstop.errors import StoreUnavailable, UsageError
from backstop.store import embedded
from backstop.store.connection import connect_url
from backstop.store.slates import Slates
from backstop.store.views import SlateView
from tests.store.rows import DAY

LATER = DAY + dt.timedelta(days=1)


def test_the_first_flip_is_what_is_served_already(client, publish):
    publish(DAY)
    flip = next(client.watch(DAY))
    assert (flip.version, flip.previous, flip.slate.state) == (1, None, State.FRESH)


def test_a_version_that_the_caller_has_is_not_told_again(client, publish):
    first = publish(DAY)
    flips = client.watch(DAY, since=first)
    publish(DAY, seed=2)
    flip = next(flips)
    assert (flip.version, flip.previous) == (2, 1)


def test_each_publish_and_a_rollback_are_flips(client, publish, redis):
    flips = client.watch(DAY)
    publish(DAY)
    assert next(flips).version == 1
    publish(DAY, seed=2)
    assert next(flips).version == 2
    Slates(redis).rollback(DAY)
    back = next(flips)
    assert (back.version, back.previous) == (1, 2)


def test_without_a_day_the_newest_is_followed_to_the_next_one(client, publish):
    publish(DAY)
    flips = client.watch()
    assert next(flips).slate.day == DAY
    publish(LATER)
    assert next(flips).slate.day == LATER


def test_a_slate_that_is_gone_is_a_flip_to_missing(client, publish, redis):
    publish(DAY)
    flips = client.watch(DAY)
    assert next(flips).version == 1
    redis.flushall()
    gone = next(flips)
    assert (gone.slate.state, gone.version, gone.previous) == (State.MISSING, None, 1)


def test_a_lost_announcement_is_made_up_for(client, publish, redis):
    publish(DAY)
    flips = client.watch(DAY)
    assert next(flips).version == 1
    redis.client_kill_filter(_type="pubsub")
    publish(DAY, seed=2)
    assert next(flips).version == 2


@pytest.fixture
def own(tmp_path):
    """A Redis that the test may kill."""
    home = tmp_path / "redis"
    yield home, embedded.ensure(home)
    embedded.stop(home)


def kill(home):
    # its append-only file is written every second: what the test needs to find again must be in it
    client = connect_url(embedded.ensure(home))
    client.config_set("appendfsync", "always")
    os.kill(client.info("server")["process_id"], signal.SIGKILL)
    client.close()


def test_a_watch_outlives_a_restart_of_redis(own, publish):
    home, url = own
    writer = connect_url(url)
    publish(DAY, into=writer)
    with Client.open(url) as client:
        flips = client.watch(DAY)
        assert next(flips).version == 1
        kill(home)
        embedded.ensure(home)
        publish(DAY, seed=2, into=writer)
        assert next(flips).version == 2
    writer.close()


def test_a_watch_on_an_event_loop_outlives_a_restart_too(own, publish):
    home, url = own
    writer = connect_url(url)
    publish(DAY, into=writer)

    async def watch():
        async with await AsyncClient.open(url) as client:
            flips = client.watch(DAY)
            first = await anext(flips)
            await asyncio.to_thread(kill, home)
            await asyncio.to_thread(embedded.ensure, home)
            await asyncio.to_thread(lambda: publish(DAY, seed=2, into=writer))
            second = await anext(flips)
            await flips.aclose()
            return first.version, second.version

    assert asyncio.run(watch()) == (1, 2)
    writer.close()


def test_patience_has_an_end(own):
    home, url = own
    with Client.open(url) as client:
        embedded.stop(home)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            next(client.watch(DAY, patience_s=0))

    async def watch():
        client = await AsyncClient.open(embedded.ensure(home))
        embedded.stop(home)
        try:
            await anext(client.watch(DAY, patience_s=0))
        finally:
            await client.close()

    with pytest.raises(StoreUnavailable, match="does not answer"):
        asyncio.run(watch())


def test_a_watch_ends_when_it_is_told_to(redis, redis_url):
    stop, ended = threading.Event(), threading.Event()

    def watch():
        with Client.open(redis_url) as client:
            for _ in client.watch(DAY, stop=stop):
                pass
        ended.set()

    thread = threading.Thread(target=watch)
    thread.start()
    stop.set()
    assert ended.wait(60)
    thread.join()


def test_negative_patience_makes_no_sense(redis_url):
    with Client.open(redis_url) as client, pytest.raises(UsageError, match="expected 0 or more"):
        next(client.watch(patience_s=-1))


VIEWS = st.builds(
    lambda version: SlateView(DAY, State.MISSING if version is None else State.FRESH, version),
    st.none() | st.integers(1, 4),
)


@given(seen=st.lists(VIEWS), since=st.none() | st.integers(1, 4))
def test_no_version_is_told_twice_in_a_row_and_the_last_one_always_is(seen, since):
    watcher = Watcher(since, 0)
    told = [flip for flip in map(watcher.flip, seen) if flip is not None]
    versions = [since, *(flip.version for flip in told)]
    assert all(before != after for before, after in itertools.pairwise(versions))
    assert [flip.previous for flip in told] == versions[:-1]
    if seen:
        assert versions[-1] == seen[-1].version
