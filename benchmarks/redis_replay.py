"""The bytes of a load, taken down once and sent again ready-made: what is left of a load without making them."""

from __future__ import annotations

import socket
from collections import deque
from typing import Any

import hiredis
import redis

from backstop.store.stream import IN_FLIGHT_BYTES

ANSWER_BYTES = 64 * 1024

Write = tuple[bytes, int]
"""What was sent in one go, and how many commands that is."""


class _Taken(redis.Connection):
    """A connection that takes down what is sent over it."""

    writes: list[Write]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        chunks = [command] if isinstance(command, str | bytes) else list(command)
        text = b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)
        reader, commands = hiredis.Reader(), 0
        reader.feed(text)
        while reader.gets() is not False:
            commands += 1
        self.writes.append((text, commands))
        super().send_packed_command(chunks, check_health)  # type: ignore[no-untyped-call]


def taking(port: int) -> tuple[redis.Redis, list[Write]]:
    """Return a client of one connection, and the list in which it takes down what it sends."""
    writes: list[Write] = []
    taken = type("Taken", (_Taken,), {"writes": writes})
    pool = redis.ConnectionPool(port=port, connection_class=taken, max_connections=1)
    client = redis.Redis(connection_pool=pool)
    client.ping()
    # how redis-py greets a server is no part of a load, and holds questions that an older server does not know
    writes.clear()
    return client, writes


def replay(port: int, writes: list[Write]) -> int:
    """Send what was taken down, as many bytes unanswered as a load has, and return how many answers came.

    Raises:
        ReplyError: an answer is an error.
        ConnectionError: the server left before it had answered all.
    """
    reader, unanswered, in_flight, answers = hiredis.Reader(), deque[Write](), 0, 0
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for write in writes:
            line.sendall(write[0])
            unanswered.append(write)
            in_flight += len(write[0])
            most = IN_FLIGHT_BYTES // 2 if in_flight > IN_FLIGHT_BYTES else in_flight
            while in_flight > most:
                text, commands = unanswered.popleft()
                _read(line, reader, commands)
                in_flight, answers = in_flight - len(text), answers + commands
        for _, commands in unanswered:
            _read(line, reader, commands)
            answers += commands
    return answers


def _read(line: socket.socket, reader: hiredis.Reader, count: int) -> None:
    while count:
        answer = reader.gets()
        if answer is False:
            received = line.recv(ANSWER_BYTES)
            if not received:
                raise ConnectionError(f"The server closed the connection with {count} answers to come.")
            reader.feed(received)
            continue
        if isinstance(answer, hiredis.ReplyError):
            raise answer
        count -= 1
