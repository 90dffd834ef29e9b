"""A Redis of its own for every test process, emptied before every test."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from tests.store.rows import DAY, features, props
from tests.store.servers import deaf_port

CUTOFF = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def unused_port():
    with deaf_port() as port:
        yield port


@pytest.fixture
def clock():
    # the server's own clock takes part in every age, so a test starts from the real instant
    return FixedClock(dt.datetime.now(dt.UTC))


@pytest.fixture
def writer(redis, clock):
    return SlateWriter(redis, clock)


@pytest.fixture
def reader(redis, clock):
    return SlateReader(redis, clock)


@pytest.fixture
def publish(writer):
    """Publish a slate and return what came of it."""

    def publish(day=DAY, *, cutoff=CUTOFF, run_id="r1", players=60, seed=1, meta=None):
        some, more = features(players, seed=seed), props(players, seed=seed)
        draft = writer.open(day, cutoff=cutoff, run_id=run_id)
        writer.load(draft, "features", some)
        writer.load(draft, "props", more)
        return writer.publish(draft, {"features": len(some), "props": len(more)}, meta or {})

    return publish
