"""Read hashes page by page: the server makes the next page while the caller looks at this one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from backstop.store.asking import ask, named
from backstop.store.stream import LOST, node_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstop.store.asking import Command

PAGE_FIELDS: Final = 1000
"""Fields of a page: half a MB of features, of which Redis makes a page in less than a millisecond."""


def pages(client: Any, names: Sequence[str]) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """Yield the fields of hashes that share a slot: name and page, hash after hash, as HSCAN tells them.

    A field may come twice, as in any scan. One that is missing yields an empty page.

    Raises:
        RedisError: the server refused, or does not answer.
    """
    waiting: deque[Command] = deque(_scan(name, 0) for name in names)
    line = _Line(client, names[0])
    try:
        line.send(waiting[0])
        while waiting:
            name = waiting.popleft()[1]
            cursor, page = line.answer()
            if cursor:
                waiting.appendleft(_scan(name, cursor))
            if waiting:
                line.send(waiting[0])
            yield name, page
    finally:
        line.leave()


def _scan(name: str, cursor: int) -> Command:
    return "HSCAN", name, cursor, "COUNT", PAGE_FIELDS


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
            self.connection.send_command(*command)
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
