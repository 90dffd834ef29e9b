"""A pipeline of bounded size whose keys always have a lifetime.

Rows go to Redis as plain commands, which cost the server half of what a script does. The first command for a key in
each flush is a script that refuses a version that takes no more rows, and that sets the key's lifetime with the same
stroke. The last one gives a lifetime to keys that lost theirs: a server that came back empty, or that evicted a key,
makes it anew without one when the pipeline is sent again.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from backstop.store import keys, scripts
from backstop.store.asking import ask

if TYPE_CHECKING:
    from types import TracebackType

    from backstop.store.asking import Command

PIPELINE_BYTES: Final = 4 * 1024 * 1024
"""Bytes sent before the answers are awaited: the back-pressure on a loader."""

COMMANDS: Final = 256
"""Commands sent before the answers are awaited."""


class StagePipe:
    """Sends commands that write to the keys of one draft; a context manager, at whose end everything was answered.

    What waits is sent by a thread while the caller prepares what comes next, one sending at a time: the next one waits
    for the answers to the one before, and raises its error.

    Args:
        redis: The client.
        meta: Key of the draft's meta.
    """

    def __init__(self, redis: Any, meta: str) -> None:
        self.redis = redis
        self.meta = meta
        self.commands: list[Command] = []
        self.staged: set[str] = set()
        self.plain: set[str] = set()
        self.waiting_bytes = 0
        self.sender = ThreadPoolExecutor(1, thread_name_prefix="stage-pipe")
        self.sending: Future[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.sender:
            if error is None:
                self.flush()
                self.settle()

    def send(self, size: int, command: str, key: str, arguments: list[Any]) -> None:
        """Queue a command of about so many bytes; sends everything when enough waits."""
        if key in self.staged:
            self.commands.append((command, key, *arguments))
            self.plain.add(key)
        else:
            self.commands.append(("EVAL", scripts.STAGE, 2, key, self.meta, keys.STAGE_TTL_S, command, *arguments))
            self.staged.add(key)
        self.waiting_bytes += size
        if self.waiting_bytes >= PIPELINE_BYTES or len(self.commands) >= COMMANDS:
            self.flush()

    def flush(self) -> None:
        """Begin to send what waits; the first error that Redis answered to what was sent before is raised."""
        self.settle()
        if not self.commands:
            return
        if self.plain:
            names = sorted(self.plain)
            self.commands.append(("EVAL", scripts.MORTAL, len(names), *names, keys.STAGE_TTL_S))
        self.sending = self.sender.submit(ask, self.redis, self.commands)
        self.commands = []
        self.staged.clear()
        self.plain.clear()
        self.waiting_bytes = 0

    def settle(self) -> None:
        """Wait for the answers to what was sent; the first error among them is raised."""
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.result()
