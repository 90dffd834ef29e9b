"""A task that is ended while it talks to Redis ends, at whatever turn of the loop that meets it."""

from __future__ import annotations

import asyncio
import contextlib

from backstop.settings import Settings
from backstop.store import connection
from tests.store.servers import cluster

ROUNDS = 20
TURNS = 12
"""A ping is sent and answered within so many turns of the loop."""


async def ask_on_and_on(client):
    while True:
        await client.ping()


async def loses(client, turns):
    """Cancel after so many turns of the loop; return whether nothing came of it."""
    task = asyncio.create_task(ask_on_and_on(client))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=30)
    lost = not done
    while not done:
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=0.01)
    return lost


async def turns_that_lose(url):
    async with contextlib.aclosing(await connection.connect_async(Settings(redis_url=url))) as client:
        for turns in [*range(TURNS)] * ROUNDS:
            if await loses(client, turns):
                return turns
    return None


def test_no_cancellation_is_lost(embedded_url):
    assert asyncio.run(turns_that_lose(embedded_url)) is None


async def answers_that_are_anothers(url):
    """Cancel what is asked at every turn of the loop; return the answers that were not to the question after it."""
    answers = set()
    async with contextlib.aclosing(await connection.connect_async(Settings(redis_url=url))) as client:
        for name in ("before", "after"):
            await client.set(f"{{cancelled}}:{name}", name, ex=60)
        for turns in [*range(TURNS)] * ROUNDS:
            task = asyncio.create_task(client.get("{cancelled}:before"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=30)
            answers.add(await client.get("{cancelled}:after"))
    return answers - {b"after"}


def test_what_was_asked_by_a_cancelled_task_is_not_answered_to_the_next(embedded_url):
    assert asyncio.run(answers_that_are_anothers(embedded_url)) == set()


def test_in_a_cluster_no_cancellation_is_lost_and_no_answer_is_anothers(tmp_path):
    with cluster(tmp_path, "valkey") as url:
        assert asyncio.run(turns_that_lose(url)) is None
        assert asyncio.run(answers_that_are_anothers(url)) == set()
