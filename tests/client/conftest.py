"""A Redis with slates in it, and a client of either kind that is called the same way."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from backstop.client import AsyncClient, Client
from backstop.clock import FixedClock
from backstop.store.loader import SlateWriter
from tests.store.rows import DAY, features, props

CUTOFF = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def redis_url(embedded_url):
    return embedded_url


@pytest.fixture
def clock():
    return FixedClock(dt.datetime.now(dt.UTC))


@pytest.fixture
def publish(redis, clock):
    """Publish a day's slate and return its version."""
    runs = iter(range(1000))

    def publish(day=DAY, *, players=30, seed=1, into=redis):
        writer = SlateWriter(into, clock)
        some, more = features(players, seed=seed), props(players, seed=seed)
        cutoff = CUTOFF + dt.timedelta(minutes=next(runs))
        draft = writer.open(day, cutoff=cutoff, run_id=f"r{next(runs)}")
        writer.load(draft, "features", some)
        writer.load(draft, "props", more)
        return writer.publish(draft, {"features": len(some), "props": len(more)}, {}).version

    return publish


class Waited:
    """An `AsyncClient` whose methods are called as those of a `Client` are."""

    def __init__(self, url, clock):
        self.runner = asyncio.Runner()
        self.client = self.runner.run(AsyncClient.open(url))
        self.client.reading.clock = clock

    def __getattr__(self, name):
        def call(*args, **options):
            async def work():
                return await getattr(self.client, name)(*args, **options)

            return self.runner.run(work())

        return call

    def watch(self, *args, **options):
        flips = self.client.watch(*args, **options)
        try:
            while True:
                yield self.runner.run(anext(flips))
        finally:
            self.runner.run(flips.aclose())

    def close(self):
        self.runner.run(self.client.close())
        self.runner.close()


@pytest.fixture(params=["threads", "event loop"])
def client(request, redis, redis_url, clock):
    opened = Waited(redis_url, clock) if request.param == "event loop" else Client.open(redis_url)
    if isinstance(opened, Client):
        opened.reading.clock = clock
    yield opened
    opened.close()
