"""Commands to the keys of one draft, which always have a lifetime.

Rows go to Redis as plain commands, which cost the server half of what a script does. The first row for a key in each
batch is written by a script that refuses a version that takes no more rows or is another run's, and that sets the key's
lifetime with the same stroke. The end of a batch gives a lifetime to keys that lost theirs: a server that came back
empty, or that evicted a key, makes it anew without one when what it had not answered is sent again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from redis.exceptions import RedisError

from backstop.store import keys, scripts
from backstop.store.asking import Spelled, ask
from backstop.store.stream import Stream

if TYPE_CHECKING:
    from types import TracebackType

    from backstop.store.asking import Command
    from backstop.store.drafts import Draft
    from backstop.store.pairs import Pairs

BATCH_BYTES: Final = 8 * 1024 * 1024
"""Bytes after which lifetimes are seen to again."""

COMMANDS: Final = 256
"""Commands after which they are."""


class StagePipe:
    """Sends commands that write to the keys of one draft; a context manager, at whose end everything was answered.

    Args:
        redis: The client.
        draft: The version that is written.
    """

    def __init__(self, redis: Any, draft: Draft) -> None:
        self.redis = redis
        self.meta = draft.keys.meta(draft.version)
        self.run_id = draft.run_id
        self.stream = Stream(redis, self.meta)
        self.staged: set[str] = set()
        self.plain: set[str] = set()
        self.commands = self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self.stream:
                self.flush()
            return
        self.stream.__exit__(kind, error, trace)
        # what was sent in vain must not stay for ever; a server that is gone has nothing left to give a lifetime
        with contextlib.suppress(RedisError):
            if mortal := self._mortal():
                ask(self.redis, mortal)

    def send(self, size: int, command: str, key: str, pairs: list[Any]) -> None:
        """Send a command of pairs, about so many bytes; waits while too much is unanswered.

        Raises:
            RedisError: what Redis answered to this or to an earlier command.
        """
        if key not in self.staged:
            self._stage(command, key, *pairs[:2])
            pairs = pairs[2:]
        self._plain(size, key, (command, key, *pairs) if pairs else None)

    def send_rows(self, key: str, pairs: Pairs) -> bytes:
        """Send pairs for a hash and return them as they were sent.

        Raises:
            RedisError: what Redis answered to this or to an earlier command.
        """
        text, count = pairs.text(), len(pairs)
        rest = memoryview(text)
        if key not in self.staged:
            self._stage("HSET", key, *pairs.first())
            rest, count = rest[len(pairs[:1].text()) :], count - 1
        self._plain(len(text), key, Spelled("HSET", key, count, rest) if count else None)
        return text

    def _stage(self, command: str, key: str, *first: Any) -> None:
        about = (key, self.meta, keys.STAGE_TTL_S, self.run_id)
        self.stream.send(100, ("EVAL", scripts.STAGE, 2, *about, command, *first))
        self.staged.add(key)

    def _plain(self, size: int, key: str, command: Command | None) -> None:
        if command is not None:
            # noted first: it may be sent and the sending fail all the same
            self.plain.add(key)
            self.stream.send(size, command)
        self.commands += 1
        self.bytes += size
        if self.bytes >= BATCH_BYTES or self.commands >= COMMANDS:
            self.flush()

    def flush(self) -> None:
        """End a batch: every key that was written to has a lifetime after it."""
        for command in self._mortal():
            self.stream.send(100, command)
        self.staged.clear()
        self.plain.clear()
        self.commands = self.bytes = 0

    def _mortal(self) -> list[Command]:
        names = sorted(self.plain)
        return [("EVAL", scripts.MORTAL, len(names), *names, keys.STAGE_TTL_S)] if names else []
