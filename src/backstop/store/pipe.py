"""A pipeline of bounded size whose keys always have a lifetime.

Rows go to Redis as plain commands, which cost the server half of what a script does. The first command for a key in
each flush is a script that refuses a version that takes no more rows, and that sets the key's lifetime with the same
stroke. The last one gives a lifetime to keys that lost theirs: a server that came back empty, or that evicted a key,
makes it anew without one when the pipeline is sent again.
"""

from __future__ import annotations

from typing import Any, Final

from backstop.store import keys, scripts

PIPELINE_BYTES: Final = 4 * 1024 * 1024
"""Bytes sent before the answers are awaited: the back-pressure on a loader."""

COMMANDS: Final = 256
"""Commands sent before the answers are awaited."""


class StagePipe:
    """Sends commands that write to the keys of one draft.

    Args:
        redis: The client.
        meta: Key of the draft's meta.
    """

    def __init__(self, redis: Any, meta: str) -> None:
        self.pipeline: Any = redis.pipeline(transaction=False)
        self.meta = meta
        self.staged: set[str] = set()
        self.plain: set[str] = set()
        self.waiting_bytes = 0
        self.waiting = 0

    def send(self, size: int, command: str, key: str, arguments: list[Any]) -> None:
        """Queue a command of about so many bytes; sends everything when enough waits."""
        if key in self.staged:
            self.pipeline.execute_command(command, key, *arguments)
            self.plain.add(key)
        else:
            self.pipeline.execute_command(
                "EVAL", scripts.STAGE, 2, key, self.meta, keys.STAGE_TTL_S, command, *arguments
            )
            self.staged.add(key)
        self.waiting_bytes += size
        self.waiting += 1
        if self.waiting_bytes >= PIPELINE_BYTES or self.waiting >= COMMANDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits; the first error that Redis answered is raised."""
        if not self.waiting:
            return
        if self.plain:
            names = sorted(self.plain)
            self.pipeline.execute_command("EVAL", scripts.MORTAL, len(names), *names, keys.STAGE_TTL_S)
        self.staged.clear()
        self.plain.clear()
        self.waiting_bytes = self.waiting = 0
        self.pipeline.execute(raise_on_error=True)
