"""A watcher while Redis is away: it waits as long as it was told to, tells nothing twice, and says what is wrong in the end."""

from __future__ import annotations

import threading
import time

import pytest

from backstop.client import Client, State
from backstop.client.answers import Watcher
from backstop.errors import StoreUnavailable, UsageError
from backstop.store.connection import connect_url
from backstop.store.views import SlateView
from tests.client.conftest import Waited
from tests.store.rows import DAY
from tests.store.servers import Server

PATIENT_S = 60


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "redis", appendonly="yes", appendfsync="always") as started:
        yield started


@pytest.fixture(params=["threads", "event loop"])
def watching(request, server, clock):
    opened = Waited(server.url, clock) if request.param == "event loop" else Client.open(server.url)
    yield opened
    opened.close()


def beside(work):
    """Do something in a thread; returns a function that waits for its end."""
    thread = threading.Thread(target=work)
    thread.start()
    return lambda: thread.join(60)


def test_a_watcher_waits_for_a_server_that_comes_back_and_tells_what_is_new(server, watching, publish):
    writer = connect_url(server.url)
    publish(DAY, into=writer)
    flips = watching.watch(DAY, patience_s=PATIENT_S)
    assert next(flips).version == 1
    server.kill()

    def come_back():
        server.start()
        publish(DAY, seed=2, into=connect_url(server.url))

    joined = beside(come_back)
    flip = next(flips)
    joined()
    assert (flip.version, flip.previous, flip.slate.state) == (2, 1, State.FRESH)
    flips.close()


def test_a_server_that_comes_back_empty_is_a_slate_that_is_gone_and_then_a_new_first_version(server, watching, publish):
    server.options |= {"appendonly": "no"}
    writer = connect_url(server.url)
    publish(DAY, into=writer)
    flips = watching.watch(DAY, patience_s=PATIENT_S)
    assert next(flips).version == 1
    server.kill()
    joined = beside(server.start)
    gone = next(flips)
    joined()
    assert (gone.version, gone.previous, gone.slate.state) == (None, 1, State.MISSING)
    publish(DAY, seed=2, into=connect_url(server.url))
    again = next(flips)
    assert (again.version, again.previous) == (1, None)
    flips.close()


def test_a_server_that_stays_away_is_told_when_the_patience_ends_and_not_before(server, watching, publish):
    publish(DAY, into=connect_url(server.url))
    flips = watching.watch(DAY, patience_s=0.6)
    assert next(flips).version == 1
    server.kill()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="Check that it runs"):
        next(flips)
    assert time.monotonic() - began >= 0.6


def test_a_watch_that_is_told_to_stop_while_redis_is_away_ends_without_an_error(server, publish):
    publish(DAY, into=connect_url(server.url))
    stop = threading.Event()
    with Client.open(server.url) as client:
        flips = client.watch(DAY, patience_s=PATIENT_S, stop=stop)
        assert next(flips).version == 1
        server.kill()
        joined = beside(stop.set)
        assert list(flips) == []
        joined()


@pytest.mark.parametrize(
    ("patience_s", "asked", "over"),
    [
        (0, [100.0], [True]),
        (1, [100.0, 100.9, 101.0], [False, False, True]),
        (1, [100.0, 100.5, None, 101.4, 102.4], [False, False, None, False, True]),
    ],
)
def test_patience_begins_with_the_first_failure_after_the_last_answer(patience_s, asked, over):
    watcher = Watcher(None, patience_s)
    told = [watcher.flip(SlateView(DAY, State.MISSING)) if at is None else watcher.waited_long(at) for at in asked]
    assert told == over


@pytest.mark.parametrize("patience_s", [-1, -0.001])
def test_patience_of_less_than_nothing_is_refused(patience_s):
    with pytest.raises(UsageError, match="expected 0 or more"):
        Watcher(None, patience_s)
