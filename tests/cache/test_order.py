"""The invariant of the cache: no reader ever gets a version that was served before one that he already got."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import RedisError

from backstop.cache.slates import Slates
from backstop.clock import SystemClock
from backstop.errors import BackstopError, StoreError
from backstop.store import keys
from backstop.store.slates import Slates as Versions
from tests.cache.conftest import cache_over, publish, until
from tests.store.rows import DAY, props
from tests.store.servers import Server

STEPS = st.lists(
    st.sampled_from(
        ["publish", "publish", "reprice twice", "roll back", "lose messages", "restart", "lose everything"]
    ),
    min_size=4,
    max_size=9,
)


class Reader:
    """Reads on and on, several reads at once, and notes what each gave at the instant it came back."""

    def __init__(self, url, clock):
        self.cache = cache_over(url, clock, poll_s=0.1, answer_s=1.0)
        self.slates = Slates(self.cache)
        self.seen = []

    async def read(self):
        # two awaits on one version, as a request does
        async def work(pointer):
            about = await self.slates.about(pointer)
            player = 600_000 + len(self.seen) % 30
            (rows,) = (await self.slates.rows(pointer, "props", [player])).values()
            assert {row["prop_id"]: row["prob_over"] for row in rows} == written(about.meta["seed"])[player]
            return about.meta["seed"]

        while True:
            with contextlib.suppress(BackstopError):
                found = await self.cache.read(DAY, work)
                if found is not None:
                    self.seen.append(found[1])
            await asyncio.sleep(0.001)


def is_dead(task):
    return task.done() and bool(task.exception())


class World:
    """A server and the history of what it served."""

    def __init__(self, server):
        self.server = server
        self.client = Redis.from_url(server.url)
        self.clock = SystemClock()
        self.history = []
        self.seed = 0

    def act(self, step):
        with contextlib.suppress(RedisError, StoreError):
            getattr(self, step.replace(" ", "_"))()

    def publish(self):
        self.seed += 1
        # noted first: a reader may see it before the publisher is told
        self.history.append(self.seed)
        publish(self.client, self.clock, seed=self.seed, cutoff=dt.datetime.now(dt.UTC), run_id=f"run {self.seed}")

    def reprice_twice(self):
        self.publish()
        self.publish()

    def roll_back(self):
        versions = Versions(self.client)
        kept = [each.version for each in versions.versions(DAY) if not each.served]
        if kept:
            meta = self.client.hget(keys.SlateKeys(DAY).meta(kept[0]), "meta")
            self.history.append(int(meta.split(b":")[1].rstrip(b"}")))
            versions.rollback(DAY, kept[0])

    def lose_messages(self):
        # the line of every listener is cut, and what is published before it is back is never heard
        self.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        self.publish()

    def restart(self):
        self.server.kill()
        self.server.start()

    def lose_everything(self):
        self.client.flushall()
        self.publish()


@functools.cache
def written(seed):
    """Return what a publish with this seed writes: probabilities by prop, by player."""
    frame = props(30, seed=seed, lines=1)
    by_player = frame.partition_by("player_id_mlbam", as_dict=True)
    return {player: dict(part.select("prop_id", "prob_over").iter_rows()) for (player,), part in by_player.items()}


def is_served_in_order(seen, history):
    """Return whether what was seen can be read off the history without ever going back."""
    place = 0
    for each in seen:
        while place < len(history) and history[place] != each:
            place += 1
        if place == len(history):
            return False
    return True


@pytest.mark.parametrize(
    ("seen", "right"), [([1, 1, 3], True), ([3, 2], False), ([1, 2, 1], True), ([2, 1, 2], False), ([], True)]
)
def test_the_judge_knows_order_from_disorder(seen, right):
    assert is_served_in_order(seen, [1, 2, 3, 1]) is right


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_nobody_ever_gets_an_older_version_than_he_got_before(tmp_path_factory, steps):
    async def run(server):
        world = World(server)
        readers = [Reader(server.url, world.clock) for _ in range(2)]
        async with contextlib.AsyncExitStack() as stack:
            for reader in readers:
                await stack.enter_async_context(reader.cache)
            reading = [asyncio.create_task(reader.read()) for reader in readers for _ in range(3)]
            for step in steps:
                await asyncio.to_thread(world.act, step)
                await asyncio.sleep(0.01)
            await asyncio.to_thread(world.publish)
            for reader in readers:
                # after all that everybody comes to the last version by himself
                await until(lambda reader=reader: reader.seen[-1:] == [world.seed] or any(map(is_dead, reading)))
                assert reader.cache.pointers.known(DAY) is not None
            for task in reading:
                assert not is_dead(task), task.exception()
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        world.client.close()
        for reader in readers:
            assert is_served_in_order(reader.seen, world.history), (steps, reader.seen, world.history)

    with Server(tmp_path_factory.mktemp("order"), appendonly="yes", appendfsync="always") as server:
        asyncio.run(run(server))
