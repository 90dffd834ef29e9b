import asyncio
import contextlib
import time

import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from backstop.errors import StoreError, StoreUnavailable, UsageError
from backstop.store.batcher import Batcher
from tests.store.servers import Server


def with_batcher(url, body, **options):
    """Run a coroutine function with a batcher of its own."""

    async def run():
        client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
        try:
            async with Batcher(client, **options) as batcher:
                return await body(batcher)
        finally:
            await client.aclose()

    return asyncio.run(run())


def test_a_write_is_answered_and_can_be_read(redis, embedded_url):
    async def body(batcher):
        assert await batcher.do("HSET", "h", "a", "1") == 1
        return await batcher.do("HGET", "h", "a")

    assert with_batcher(embedded_url, body) == b"1"


def test_what_is_asked_at_once_goes_in_few_batches(redis, embedded_url):
    async def body(batcher):
        await asyncio.gather(*(batcher.do("HSET", "h", str(n), str(n)) for n in range(1000)))
        return batcher.batches, batcher.commands

    batches, commands = with_batcher(embedded_url, body)
    assert commands == 1000
    assert batches <= 5
    assert redis.hlen("h") == 1000


def test_equal_reads_that_wait_are_asked_once(redis, embedded_url):
    redis.hset("h", mapping={str(n): n for n in range(10)})

    async def body(batcher):
        answers = await asyncio.gather(*(batcher.do("HGET", "h", str(n % 10)) for n in range(500)))
        return answers, batcher.commands, batcher.shared

    answers, commands, shared = with_batcher(embedded_url, body)
    assert answers == [str(n % 10).encode() for n in range(500)]
    assert (commands, shared) == (10, 490)


def test_equal_writes_are_all_sent(redis, embedded_url):
    async def body(batcher):
        return await asyncio.gather(*(batcher.do("INCR", "n") for _ in range(300)))

    assert sorted(with_batcher(embedded_url, body)) == list(range(1, 301))


def test_an_error_reaches_exactly_the_caller_that_made_the_write(redis, embedded_url):
    redis.set("text", "x")

    async def body(batcher):
        commands = [("SET", "a", "1"), ("HSET", "text", "f", "1"), ("SET", "b", "2")]
        return await asyncio.gather(*(batcher.do(*command) for command in commands), return_exceptions=True)

    first, second, third = with_batcher(embedded_url, body)
    assert (first, third) == (True, True) or (first, third) == (b"OK", b"OK")
    assert isinstance(second, StoreError)
    assert "WRONGTYPE" in str(second)
    assert redis.mget("a", "b") == [b"1", b"2"]


def test_a_caller_that_is_cancelled_cancels_nobody_else(redis, embedded_url):
    redis.set("a", "1")

    async def body(batcher):
        readers = [asyncio.create_task(batcher.do("GET", "a")) for _ in range(10)]
        writer = asyncio.create_task(batcher.do("SET", "b", "2"))
        await asyncio.sleep(0)
        readers[0].cancel()
        writer.cancel()
        return await asyncio.gather(*readers, writer, return_exceptions=True)

    answers = with_batcher(embedded_url, body)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:-1] == [b"1"] * 9
    assert redis.get("b") == b"2"


def test_leaving_sends_what_waits(redis, embedded_url):
    async def body(batcher):
        tasks = [asyncio.create_task(batcher.do("SADD", "s", str(n))) for n in range(700)]
        await asyncio.sleep(0)
        await batcher.close()
        return await asyncio.gather(*tasks)

    assert with_batcher(embedded_url, body, window_ms=60_000) == [1] * 700
    assert redis.scard("s") == 700


def test_a_closed_batcher_takes_nothing(redis, embedded_url):
    async def body(batcher):
        await batcher.close()
        with pytest.raises(StoreError, match="closed"):
            await batcher.do("GET", "a")

    with_batcher(embedded_url, body)


def test_a_full_batch_does_not_wait_for_the_window(redis, embedded_url):
    async def body(batcher):
        began = time.monotonic()
        await asyncio.gather(*(batcher.do("SADD", "s", str(n)) for n in range(64)))
        return time.monotonic() - began

    assert with_batcher(embedded_url, body, window_ms=60_000, max_commands=64) < 30


def test_the_window_is_an_upper_bound(redis, embedded_url):
    async def body(batcher):
        began = time.monotonic()
        await batcher.do("GET", "a")
        return time.monotonic() - began

    assert 0.05 <= with_batcher(embedded_url, body, window_ms=50) < 10


def test_no_more_wait_than_there_is_room_for(redis, embedded_url):
    async def body(batcher):
        most = 0
        tasks = [asyncio.create_task(batcher.do("SADD", "s", str(n))) for n in range(400)]
        while not all(task.done() for task in tasks):
            most = max(most, len(batcher.queue))
            await asyncio.sleep(0)
        return most

    assert with_batcher(embedded_url, body, max_waiting=50, max_commands=20) <= 50
    assert redis.scard("s") == 400


def test_every_waiter_learns_that_redis_is_gone_and_the_batcher_works_again_when_it_is_back(tmp_path):
    with Server(tmp_path) as server:

        async def body(batcher):
            assert await batcher.do("SET", "a", "1")
            server.kill()
            answers = await asyncio.gather(*(batcher.do("SET", str(n), "1") for n in range(20)), return_exceptions=True)
            server.start()
            return answers, await batcher.do("SET", "a", "1")

        answers, again = with_batcher(server.url, body)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert again


@pytest.mark.parametrize("options", [{"window_ms": -1}, {"max_commands": 0}, {"max_waiting": 0}])
def test_sizes_that_make_no_sense_are_refused(options):
    with pytest.raises(UsageError, match="cannot be"):
        Batcher(None, **options)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    max_commands=st.integers(1, 40),
    max_waiting=st.integers(1, 60),
    window_ms=st.sampled_from([0, 0, 1]),
    cancelled=st.sets(st.integers(0, 59), max_size=5),
)
def test_no_write_is_ever_dropped(redis, embedded_url, counts, max_commands, max_waiting, window_ms, cancelled):
    redis.flushall()

    async def body(batcher):
        sent = set()
        for wave, count in enumerate(counts):
            tasks = [asyncio.create_task(batcher.do("SADD", "s", f"{wave}:{n}")) for n in range(count)]
            await asyncio.sleep(0)
            for n in cancelled & set(range(count)):
                tasks[n].cancel()
            for n, task in enumerate(tasks):
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                    sent.add(f"{wave}:{n}".encode())
        return sent

    sent = with_batcher(embedded_url, body, max_commands=max_commands, max_waiting=max_waiting, window_ms=window_ms)
    assert sent <= redis.smembers("s")


@pytest.mark.parametrize("odd", [None, True, {"a": 1}, ["a"], object, "half a letter \ud800"])
def test_an_argument_that_cannot_be_sent_is_refused_alone_and_the_others_go(redis, embedded_url, odd):
    async def body(batcher):
        async with asyncio.timeout(60):
            return await asyncio.gather(
                batcher.do("SET", "a", odd), batcher.do("SET", "b", "1"), batcher.do("GET", "c"), return_exceptions=True
            )

    refused, written, read = with_batcher(embedded_url, body)
    assert isinstance(refused, UsageError)
    assert "SET cannot be sent with" in str(refused)
    assert (written, read) == (True, None)
    assert (redis.get("a"), redis.get("b")) == (None, b"1")


def test_reads_that_only_python_takes_for_equal_are_two(redis, embedded_url):
    redis.hset("h", mapping={"1": "one", "1.0": "one point nought"})

    async def body(batcher):
        return await asyncio.gather(*(batcher.do("HGET", "h", field) for field in (1, 1.0, "1", b"1"))), batcher.shared

    answers, shared = with_batcher(embedded_url, body)
    assert answers == [b"one", b"one point nought", b"one", b"one"]
    assert shared == 2


def test_a_command_without_a_key_is_sent_and_an_unknown_one_is_named(redis, embedded_url):
    async def body(batcher):
        return await asyncio.gather(batcher.do("PING"), batcher.do("NOSUCH"), return_exceptions=True)

    pong, refused = with_batcher(embedded_url, body)
    assert pong in (True, b"PONG")
    assert isinstance(refused, StoreError)
    assert "(NOSUCH)" in str(refused)


def test_a_sender_that_is_cancelled_leaves_nobody_waiting(redis, embedded_url):
    async def body(batcher):
        redis.client_pause(400)
        asked = asyncio.create_task(batcher.do("GET", "a"))
        async with asyncio.timeout(60):
            while not batcher.batches:  # noqa: ASYNC110 - until it is on its way, which nobody announces
                await asyncio.sleep(0)
            batcher.sender.cancel()
            with pytest.raises(StoreError, match="was not sent"):
                await asked
            batcher.sender = None

    with_batcher(embedded_url, body)


def test_what_was_still_in_the_queue_of_a_cancelled_sender_is_refused_and_the_next_command_is_sent(redis, embedded_url):
    async def body(batcher):
        redis.client_pause(400)
        async with asyncio.timeout(60):
            first = asyncio.create_task(batcher.do("GET", "a"))
            while not batcher.batches:  # noqa: ASYNC110 - until it is on its way, which nobody announces
                await asyncio.sleep(0)
            # two are in the queue and a third joins one of them; the last waits for room
            waiting = [asyncio.create_task(batcher.do("GET", key)) for key in ("b", "c", "b", "d")]
            await asyncio.sleep(0)
            sender = batcher.sender
            sender.cancel()
            *refused, served = await asyncio.gather(first, *waiting, return_exceptions=True)
            assert [type(each) for each in refused] == [StoreError] * 4
            assert all("was not sent" in str(each) for each in refused)
            assert served is None
            assert batcher.sender is not sender
            assert await batcher.do("SET", "b", "1")
            assert await batcher.do("GET", "b") == b"1"

    with_batcher(embedded_url, body, max_commands=1, max_waiting=3)
