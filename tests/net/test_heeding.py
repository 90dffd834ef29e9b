"""A cancellation that the standard library swallows while a command is sent is raised again, and the line is given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from redis.asyncio import Connection, Redis
from redis.asyncio.connection import UnixDomainSocketConnection

from backstop.heeding import heeding


class Line:
    """A connection whose sending loses a cancellation, as `asyncio.wait_for` of Python 3.11 does at its last turn."""

    def __init__(self) -> None:
        self.sent, self.disconnected = 0, 0
        self.sending = asyncio.Event()

    async def send_packed_command(self, *_: object, **__: object) -> None:
        self.sending.set()
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        self.sent += 1

    async def disconnect(self, *, nowait: bool) -> None:
        assert nowait
        self.disconnected += 1


def line() -> Line:
    pool = SimpleNamespace(connection_class=Line)
    return heeding(SimpleNamespace(connection_pool=pool)).connection_pool.connection_class()


def test_a_command_that_nobody_cancels_is_sent_and_the_line_kept():
    async def send() -> Line:
        made = line()
        await made.send_packed_command(b"PING")
        return made

    made = asyncio.run(send())
    assert (made.sent, made.disconnected) == (1, 0)


def test_a_cancellation_that_was_lost_ends_the_task_and_the_line():
    async def cancel() -> tuple[Line, bool]:
        made = line()
        task = asyncio.ensure_future(made.send_packed_command(b"PING"))
        await made.sending.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return made, task.cancelled()

    made, cancelled = asyncio.run(cancel())
    assert (made.sent, made.disconnected, cancelled) == (1, 1, True)


def test_without_heeding_the_cancellation_is_lost():
    async def cancel() -> bool:
        made = Line()
        task = asyncio.ensure_future(made.send_packed_command(b"PING"))
        await made.sending.wait()
        task.cancel()
        await task
        return task.cancelled()

    assert asyncio.run(cancel()) is False


def test_an_earlier_cancellation_that_was_dealt_with_does_not_count():
    async def send() -> Line:
        made = line()

        async def work() -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                await made.send_packed_command(b"PING")  # to say goodbye

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        await task
        return made

    made = asyncio.run(send())
    assert (made.sent, made.disconnected) == (1, 0)


@pytest.mark.parametrize(
    ("url", "kind"), [("redis://127.0.0.1:9/0", Connection), ("unix:///nowhere/s", UnixDomainSocketConnection)]
)
def test_every_kind_of_connection_stays_of_its_kind_and_is_made_once(url, kind):
    first, second = (heeding(Redis.from_url(url)).connection_pool.connection_class for _ in range(2))
    assert first is second
    assert issubclass(first, kind)
    assert first.__name__ == f"Heeding{kind.__name__}"


def test_a_clusters_nodes_that_are_known_and_those_to_come_heed():
    nodes = [SimpleNamespace(connection_class=Connection) for _ in range(2)]
    client = SimpleNamespace(connection_kwargs={"connection_class": Connection}, startup_nodes=nodes)
    assert heeding(client) is client
    made = {each.connection_class for each in nodes} | {client.connection_kwargs["connection_class"]}
    assert [each.__name__ for each in made] == ["HeedingConnection"]
