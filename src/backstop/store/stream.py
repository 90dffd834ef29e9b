"""A stream of commands over one connection: sent while the caller prepares the next ones, answers read as they come.

Commands are spelled as RESP here (`asking.packed`) and written to a connection of redis-py's pool, which keeps login,
TLS, unix sockets, sentinels and timeouts as they are set there. What was sent and not yet answered is bounded, and is
kept: when the connection breaks, or a cluster moves the slot, it goes through redis-py's own pipeline once more, which
connects again and follows. So a command may be carried out twice, and must mean the same then.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

from redis.cluster import RedisCluster
from redis.exceptions import AskError, ResponseError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from backstop.store.asking import Spelled, ask, named, packed

if TYPE_CHECKING:
    from types import TracebackType

    from backstop.store.asking import Command

IN_FLIGHT_BYTES: Final = 4 * 1024 * 1024
"""Bytes sent before the answers are awaited: the back-pressure on a loader."""

WRITE_BYTES: Final = 128 * 1024
"""Bytes from which commands are written: fewer would cost a system call each."""

LOST: Final = (RedisConnectionError, RedisTimeoutError, AskError, TryAgainError)
"""What is mended by sending again through redis-py's pipeline; a MOVED is an AskError to redis-py."""


class Stream:
    """Sends commands to the node that holds a key; a context manager, at whose end everything was answered.

    Args:
        client: `redis.Redis` or `RedisCluster`.
        key: A key that shares its slot with those of all commands.
    """

    def __init__(self, client: Any, key: str) -> None:
        self.client: Any = client
        self.key = key
        self.node = node_of(client, key)
        self.connection: Any = None
        self.waiting: list[Command] = []
        self.waiting_bytes = 0
        self.unanswered: deque[tuple[Command, int]] = deque()
        self.in_flight = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.drain()
        finally:
            self._leave()

    def send(self, size: int, command: Command) -> None:
        """Send a command of about so many bytes, now or with the next ones.

        Raises:
            RedisError: the server refused this command or an earlier one, or does not answer.
        """
        self.waiting.append(command)
        self.unanswered.append((command, size))
        self.waiting_bytes += size
        self.in_flight += size
        if self.waiting_bytes >= WRITE_BYTES:
            self._write()
            if self.in_flight > IN_FLIGHT_BYTES:
                self._read(IN_FLIGHT_BYTES // 2)

    def drain(self) -> None:
        """Send what waits and read every answer; the first error among them is raised."""
        self._write()
        self._read(0)

    def _write(self) -> None:
        commands, self.waiting, self.waiting_bytes = self.waiting, [], 0
        if not commands:
            return
        try:
            if self.connection is None:
                self.connection = self.node.connection_pool.get_connection()
            # a health check would take the answer to an earlier command for that to its PING
            is_first = len(self.unanswered) == len(commands)
            self.connection.send_packed_command(packed(commands), check_health=is_first)
        except LOST:
            self._again()

    def _read(self, most: int) -> None:
        """Read answers until no more than so many bytes are unanswered; after an error, all of them."""
        refused: ResponseError | None = None
        while self.unanswered and (self.in_flight > most or not most):
            command, size = self.unanswered[0]
            try:
                self.node.parse_response(self.connection, command[0])
            except LOST:
                self._again()
                break
            except ResponseError as error:
                refused, most = refused or named(error, command), 0
            self.unanswered.popleft()
            self.in_flight -= size
        if refused is not None:
            raise refused

    def _again(self) -> None:
        """Send what was not answered through redis-py's own pipeline, which connects anew and follows a moved slot."""
        unanswered = [command for command, _ in self.unanswered]
        commands = [command.parts() if isinstance(command, Spelled) else command for command in unanswered]
        self.unanswered.clear()
        self.waiting, self.waiting_bytes, self.in_flight = [], 0, 0
        self._leave(broken=True)
        ask(self.client, commands)
        self.node = node_of(self.client, self.key)

    def _leave(self, *, broken: bool = False) -> None:
        """Give the connection back; one that still owes answers would give them to the next caller, so it is closed."""
        connection, self.connection = self.connection, None
        if connection is not None:
            if broken or self.unanswered:
                connection.disconnect()
            self.node.connection_pool.release(connection)


def node_of(client: Any, key: str) -> Any:
    """Return the client of the node that holds a key."""
    if isinstance(client, RedisCluster):
        return client.get_redis_connection(client.get_node_from_key(key))  # type: ignore[no-untyped-call]
    return client
