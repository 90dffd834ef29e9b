"""A Redis that a test may kill, slates in it, and a cache over it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import pytest

from backstop.cache.cache import Cache
from backstop.cache.line import Line
from backstop.clock import FixedClock
from backstop.settings import Settings
from backstop.store import connection
from backstop.store.loader import SlateWriter
from tests.store.rows import DAY, features, props

CUTOFF = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock():
    return FixedClock(dt.datetime.now(dt.UTC))


def publish(client, clock, *, day=DAY, seed=1, players=30, run_id=None, cutoff=None):
    """Publish a slate and return its version."""
    writer = SlateWriter(client, clock)
    some, more = features(players, seed=seed), props(players, seed=seed, lines=1)
    draft = writer.open(day, cutoff=cutoff or CUTOFF + dt.timedelta(seconds=seed), run_id=run_id or f"r{seed}")
    writer.load(draft, "features", some)
    writer.load(draft, "props", more)
    return writer.publish(draft, {"features": len(some), "props": len(more)}, {"seed": seed}).version


def line_to(url, **options):
    return Line(lambda: connection.connect_async(Settings(redis_url=url)), **options)


def cache_over(url, clock, *, answer_s=2.0, **options):
    return Cache(line_to(url, answer_s=answer_s), clock, used=lambda: 0.1, **options)


async def until(condition, seconds=60.0):
    """Wait until a condition holds; fail when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of other rooms have no event
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def settled(cache):
    """Open a cache and wait until it hears what is published."""
    async with cache:
        await until(lambda: cache.pointers.counts.resubscribed)
        yield cache
