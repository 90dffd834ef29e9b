"""What a cluster's pipeline hands out that is neither an answer nor a RedisError: told as an error, never as success."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio
from redis.exceptions import ClusterCrossSlotError, RedisClusterException, SlotNotCoveredError

from backstop.errors import StoreError, StoreUnavailable
from backstop.store.batcher import Batcher


class Moving:
    """A client as one of a cluster whose slots move: the command about `lost` never finds its node.

    redis-py's cluster pipeline follows a MOVED with a command of its own and hands out whatever that raises.
    """

    def __init__(self, client, told: Exception, *, raises: bool) -> None:
        self.client, self.told, self.raises = client, told, raises

    def pipeline(self, transaction):
        inner, told, raises = self.client.pipeline(transaction=transaction), self.told, self.raises
        sent = []

        class Pipeline:
            def execute_command(self, *command):
                sent.append(command)
                if b"lost" not in command:
                    inner.execute_command(*command)

            async def execute(self, raise_on_error):
                lost = [b"lost" in command for command in sent]
                if raises and any(lost):
                    raise told
                answers = iter(await inner.execute(raise_on_error=raise_on_error))
                return [told if each else next(answers) for each in lost]

        return Pipeline()


def answers(url, told: Exception, *, raises: bool):
    async def run():
        client = redis.asyncio.Redis.from_url(url)
        try:
            async with Batcher(Moving(client, told, raises=raises)) as batcher:
                first = await asyncio.gather(
                    batcher.do("SET", "lost", "1"), batcher.do("SET", "kept", "1"), return_exceptions=True
                )
                return first, await batcher.do("SET", "after", "1")
        finally:
            await client.aclose()

    return asyncio.run(run())


TOLD = [RedisClusterException("TTL exhausted."), SlotNotCoveredError('Slot "7" is not covered by the cluster.')]


@pytest.mark.parametrize("told", TOLD)
def test_a_write_that_a_cluster_lost_is_an_error_to_the_one_that_made_it(redis, embedded_url, told):
    (lost, kept), after = answers(embedded_url, told, raises=False)
    assert isinstance(lost, StoreUnavailable)
    assert str(told) in lost.message
    assert lost.message.startswith("Redis does not answer, so SET lost failed")
    assert (kept, after) == (True, True)
    assert (redis.get("lost"), redis.get("kept")) == (None, b"1")


def test_a_batch_that_a_cluster_does_not_take_is_told_to_everybody_in_it_and_the_next_one_goes(redis, embedded_url):
    told = ClusterCrossSlotError("Keys in request don't hash to the same slot")
    (lost, kept), after = answers(embedded_url, told, raises=True)
    assert (type(lost), type(kept), after) == (StoreError, StoreError, True)
    assert "hash to the same slot" in str(lost)
    assert "SET kept" in str(kept)
    assert (redis.get("kept"), redis.get("after")) == (None, b"1")
