"""A Redis that is back and still reads its data from disk: said in a sentence, waited for, and nothing is lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import random

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError
from redis.retry import Retry

from backstop.client import Client
from backstop.clock import FixedClock
from backstop.errors import StoreUnavailable
from backstop.store.connection import connect_url
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props
from tests.store.servers import Server, answers, wait_for

ONCE = Retry(NoBackoff(), 0)
SENTENCE = r"^Redis is still loading its data, so {} failed\. Try again in a moment\.$"


def is_loading(port: int) -> bool:
    with contextlib.closing(redis.Redis(port=port, retry=ONCE)) as client, contextlib.suppress(redis.ConnectionError):
        try:
            client.ping()
        except BusyLoadingError:
            return True
    return False


@pytest.fixture
def loading(tmp_path, request):
    """A server with a slate of version 1, started again, that takes a while to read it from disk."""
    server = Server(tmp_path / "redis")
    with server, contextlib.closing(connect_url(server.url)) as client:
        writer = SlateWriter(client, FixedClock(dt.datetime.now(dt.UTC)))
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
        writer.load(draft, "props", props())
        writer.publish(draft, {"props": 720}, {})
        # it looks at what is asked of it after every kilobyte
        client.mset({f"filler:{n}": random.randbytes(2048) for n in range(100)})
        client.save()
    server.options |= {"key_load_delay": str(request.param * 10_000), "loading_process_events_interval_bytes": "1024"}
    server.launch()
    try:
        wait_for(lambda: is_loading(server.port))
        yield server
    finally:
        server.kill()


@pytest.mark.parametrize("loading", [6], indirect=True, ids=["until it is hurried"])
def test_who_asks_meanwhile_is_told_that_it_loads_and_afterwards_gets_the_slate(loading):
    client = redis.Redis.from_url(loading.url, retry=ONCE)
    clock = FixedClock(dt.datetime.now(dt.UTC))
    reader, writer = SlateReader(client, clock), SlateWriter(client, clock)
    with pytest.raises(StoreUnavailable, match=SENTENCE.format(f"reading the slate of {DAY}")) as refused:
        reader.slate(DAY)
    assert refused.value.retryable
    with pytest.raises(StoreUnavailable, match=SENTENCE.format(f"opening the slate of {DAY}")):
        writer.open(DAY, cutoff=CUTOFF, run_id="r2")
    with pytest.raises(StoreUnavailable, match="is still loading its data"):
        connect_url(loading.url)
    client.config_set("key-load-delay", 0)
    wait_for(lambda: answers(loading.port))
    assert (reader.slate(DAY).version, reader.props(DAY).height) == (1, 720)
    client.close()


@pytest.mark.parametrize("loading", [1], indirect=True, ids=["a second"])
def test_who_watches_waits_until_it_has_loaded(loading):
    with Client(redis.Redis.from_url(loading.url, retry=ONCE)) as client:
        flip = next(client.watch(DAY))
    assert (flip.version, flip.slate.props_count) == (1, 720)
