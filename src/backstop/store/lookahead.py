"""Ask for much in turn: the server makes the next answer while the caller looks at this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from backstop.store.asking import ask, named, packed
from backstop.store.stream import LOST, node_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backstop.store.asking import Command


def answers(client: Any, key: str, commands: Iterable[Command]) -> Iterator[Any]:
    """Yield the answers to commands whose keys share a slot with `key`, in their order.

    Raises:
        RedisError: the server refused, or does not answer.
    """
    line = _Line(client, key)
    try:
        for command in commands:
            owed = bool(line.owed)
            answer = line.answer() if owed else None
            line.send(command)
            if owed:
                yield answer
        if line.owed:
            yield line.answer()
    finally:
        line.leave()


class _Line:
    """A connection to the node that holds a key, with at most one command on its way.

    When it breaks, or the slot moves, the command goes through redis-py's own pipeline, which connects and follows.
    """

    def __init__(self, client: Any, key: str) -> None:
        self.client: Any = client
        self.key = key
        self.node = node_of(client, key)
        self.connection: Any = None
        self.owed: list[Command] = []

    def send(self, command: Command) -> None:
        self.owed = [command]
        try:
            if self.connection is None:
                self.connection = self.node.connection_pool.get_connection()
            self.connection.send_packed_command(packed([command]))
        except LOST:
            self.leave()

    def answer(self) -> Any:
        command = self.owed[0]
        if self.connection is not None:
            try:
                answer = self.node.parse_response(self.connection, command[0])
            except LOST:
                self.leave()
            except ResponseError as error:
                self.owed = []
                raise named(error, command) from None
            else:
                self.owed = []
                return answer
        (answer,) = ask(self.client, self.owed)
        self.owed, self.node = [], node_of(self.client, self.key)
        return answer

    def leave(self) -> None:
        """Give the connection back; one that still owes an answer would give it to the next caller, so it is closed."""
        connection, self.connection = self.connection, None
        if connection is not None:
            if self.owed:
                connection.disconnect()
            self.node.connection_pool.release(connection)
