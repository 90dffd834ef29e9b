"""Send commands in one round trip and drive a plan of such trips, with a client of either kind.

A plan is a generator: it yields the commands of a round trip, receives their answers, and returns its result. It does
no I/O, so the same plan serves `redis.Redis`, `RedisCluster` and both asyncio clients.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, NamedTuple, TypeVar

import hiredis
import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

JOINED_BYTES: Final = 16 * 1024
"""Below this a copy costs less than a system call of its own."""

MANY_PARTS: Final = 64
"""Parts of a command from which it is spelled here."""

Result = TypeVar("Result")
Command = tuple[Any, ...]
Plan = Generator[list[Command], list[Any], Result]


class Spelled(NamedTuple):
    """A command of many pairs that is RESP already.

    Attributes:
        name: Of the command.
        key: Its key.
        pairs: How many.
        text: The pairs, each with the end of what is before it.
    """

    name: str
    key: str
    pairs: int
    text: bytes | memoryview[int]

    def head(self) -> bytes:
        """Return what stands before the pairs."""
        key = self.key.encode()
        return b"*%d\r\n$%d\r\n%s\r\n$%d\r\n%s" % (
            2 + 2 * self.pairs, len(self.name), self.name.encode(), len(key), key,
        )  # fmt: skip

    def parts(self) -> Command:
        """Return the command as its parts."""
        reader = hiredis.Reader()
        reader.feed(b"".join([self.head(), self.text, b"\r\n"]))
        return (self.name, self.key, *reader.gets()[2:])


def drive(client: Any, plan: Plan[Result]) -> Result:
    """Run a plan on a synchronous client and return its result."""
    try:
        commands = next(plan)
        while True:
            commands = plan.send(ask(client, commands))
    except StopIteration as end:
        result: Result = end.value
        return result


async def drive_async(client: Any, plan: Plan[Result]) -> Result:
    """Run a plan on an asyncio client and return its result."""
    try:
        commands = next(plan)
        while True:
            pipeline = client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            commands = plan.send(await pipeline.execute())
    except StopIteration as end:
        result: Result = end.value
        return result


def ask(client: Any, commands: list[Command]) -> list[Any]:
    """Send commands in one round trip and return their answers; the first error among them is raised.

    A pipeline costs redis-py a third of a bare GET again, so a plain client's commands are written to a connection of
    its pool directly: over TCP, TLS or a unix socket, to a master that sentinels name. When that connection breaks they
    go through a pipeline all the same, which connects and tries again; a cluster's always do.
    """
    if isinstance(client, redis.Redis):
        connection: Any = client.connection_pool.get_connection()
        try:
            return _exchange(client, connection, commands)
        except (RedisConnectionError, RedisTimeoutError):
            connection.disconnect()
        finally:
            client.connection_pool.release(connection)
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    answers: list[Any] = pipeline.execute()
    return answers


def named(error: ResponseError, command: Command) -> ResponseError:
    """Return an error with the command that it answers, in the words that redis-py's pipeline puts before it."""
    key = command[3] if command[0] == "EVAL" else command[1]
    error.args = (f"{command[0]} {key} caused error: {error}", *error.args[1:])
    return error


def packed(commands: list[Command]) -> list[bytes | memoryview[int]]:
    """Return commands as they go over the wire: large ones by themselves, small ones joined.

    redis-py's own packer looks at every argument in Python first, which is a third of what loading a player costs.
    """
    packed: list[bytes | memoryview[int]] = []
    small: list[bytes] = []
    for command in commands:
        if isinstance(command, Spelled):
            packed += [b"".join([*small, command.head()]), command.text]
            small = [b"\r\n"]
            continue
        text = _spelled(command) if len(command) > MANY_PARTS else hiredis.pack_command(command)
        if len(text) < JOINED_BYTES:
            small.append(text)
        else:
            packed += [b"".join(small), text] if small else [text]
            small = []
    return [*packed, b"".join(small)] if small else packed


def _spelled(command: Command) -> bytes:
    """Return a command of many parts as RESP, in one copy of its bytes.

    hiredis lets its buffer grow, copies it, and takes three times as long for half a thousand players.
    """
    parts: list[bytes] = [str(command[0]).encode(), str(command[1]).encode(), *command[2:]]
    if set(map(type, parts)) != {bytes}:
        parts = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    sizes = list(map(len, parts))
    heads = {size: b"\r\n$%d\r\n" % size for size in set(sizes)}
    spelled = [b""] * (2 * len(parts))
    spelled[::2], spelled[1::2] = map(heads.__getitem__, sizes), parts
    return b"*%d%s\r\n" % (len(parts), b"".join(spelled))


def _exchange(client: redis.Redis, connection: Any, commands: list[Command]) -> list[Any]:
    try:
        connection.send_packed_command(packed(commands))
        answers: list[Any] = []
        for command in commands:
            try:
                answers.append(client.parse_response(connection, command[0]))  # type: ignore[no-untyped-call]
            except ResponseError as error:
                named(error, command)
                # every answer is read before one is raised: what stays on the wire would answer the next caller
                answers.append(error)
    except BaseException:
        connection.disconnect()
        raise
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    return answers
