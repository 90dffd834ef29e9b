"""The line to Redis: down until it answered, down at the first sign, up by a probe alone, and said in a sentence each time."""

from __future__ import annotations

import asyncio
import signal

import pytest
from redis import Redis

from backstop.cache.line import Line
from backstop.errors import StoreError, StoreUnavailable
from tests.cache.conftest import line_to
from tests.store.servers import Server


async def refused(work):
    """What a coroutine is refused with."""
    with pytest.raises(StoreError) as error:
        await work
    return error.value


async def use(line, *command):
    async with line.using("looking") as redis:
        return await redis.execute_command(*command)


def test_nothing_is_asked_of_a_line_before_it_was_probed(embedded_url, redis):
    async def run():
        line = line_to(embedded_url)
        for ask in (line.do, lambda *command: use(line, *command)):
            error = await refused(ask("GET", "a"))
            assert "it was not asked yet" in error.message
            assert error.retry_after_s == 1.0
        with pytest.raises(StoreUnavailable, match="was not asked yet"):
            _ = line.batcher
        client = await line.probe()
        assert (line.up, line.losses) == (True, 0)
        await line.do("SET", "a", "1")
        assert await use(line, "GET", "a") == b"1"
        assert await line.probe() is client
        await line.close()
        assert not line.up
        await line.close()

    asyncio.run(run())


def test_an_address_where_nobody_is_is_said_at_every_probe_and_counts_as_no_loss(tmp_path):
    async def run():
        line = line_to(f"unix://{tmp_path}/nobody.sock")
        for _ in range(2):
            error = await refused(line.probe())
            assert isinstance(error, StoreUnavailable)
            assert "nobody.sock" in error.message
            assert line.reason in error.message
        assert (line.up, line.losses) == (False, 0)
        await line.close()

    asyncio.run(run())


def test_a_connect_that_never_ends_is_given_up_after_the_time_for_an_answer():
    async def run():
        line = Line(lambda: asyncio.Event().wait(), answer_s=0.05)
        error = await refused(line.probe())
        assert "does not answer in time" in error.message
        assert not line.up

    asyncio.run(run())


def test_many_probes_at_once_connect_once(embedded_url, redis):
    async def run():
        whole, made = line_to(embedded_url), []

        async def connect():
            made.append(1)
            await asyncio.sleep(0.01)
            return await whole.connect()

        line = Line(connect)
        clients = await asyncio.gather(*(line.probe() for _ in range(20)))
        assert len(made) == 1
        assert len(set(map(id, clients))) == 1
        await line.close()

    asyncio.run(run())


def test_a_command_that_redis_refuses_is_no_loss_of_the_line(embedded_url, redis):
    redis.set("text", "a")

    async def run():
        line = line_to(embedded_url)
        await line.probe()
        for ask in (line.do, lambda *command: use(line, *command)):
            error = await refused(ask("LPUSH", "text", "b"))
            assert not isinstance(error, StoreUnavailable)
            assert "Redis refused: WRONGTYPE" in error.message
        assert (line.up, line.losses) == (True, 0)
        await line.close()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_a_server_that_goes_takes_the_line_down_for_everybody_once_and_a_probe_brings_it_back(tmp_path, how):
    async def run():
        with Server(tmp_path / "redis", appendonly="yes", appendfsync="always") as server:
            line = line_to(server.url, answer_s=60.0)
            await line.probe()
            await line.do("SET", "a", "1")
            if how == "killed":
                server.kill()
            else:
                server.process.send_signal(signal.SIGSTOP)
            line.answer_s = 0.4  # not before: a server that lives may be slow on a busy machine
            answers = await asyncio.gather(*(line.do("GET", "a") for _ in range(5)), return_exceptions=True)
            assert all(isinstance(each, StoreUnavailable) for each in answers), answers
            assert (line.up, line.losses) == (False, 1)
            # whoever comes now is told at once, without waiting for a server that is known to be gone
            asked = asyncio.ensure_future(refused(line.do("GET", "a")))
            for _ in range(10):  # turns of the loop, no time
                await asyncio.sleep(0)
            assert asked.done()
            assert "only what is cached is served" in asked.result().message
            await refused(line.probe())
            assert line.losses == 1
            if how == "killed":
                server.start()
            else:
                server.process.send_signal(signal.SIGCONT)
            line.answer_s = 60.0
            async with asyncio.timeout(60):
                while not line.up:
                    try:
                        await line.probe()
                    except StoreUnavailable:
                        await asyncio.sleep(0.01)
            assert await line.do("GET", "a") == b"1"
            await line.close()

    asyncio.run(run())


def test_a_server_that_wants_a_password_is_told_as_such(tmp_path):
    async def run():
        with Server(tmp_path / "redis") as server:
            with Redis.from_url(server.url) as client:
                client.config_set("requirepass", "open-sesame")
            line = line_to(server.url)
            error = await refused(line.probe())
            assert "Redis refused the login" in error.message
            assert "open-sesame" not in error.message
            assert not line.up
            await line.close()

    asyncio.run(run())
