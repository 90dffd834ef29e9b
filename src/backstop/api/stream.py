"""The messages of one slate, numbered and kept for a while; a reader's bounded queue of them."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    import datetime as dt

    from backstop.cache.pointer import Pointer
    from backstop.store.reader import State

WAITING: Final = 64
"""Messages that may wait for one reader: a minute of flips every second."""

KEPT: Final = 256
"""Messages of a slate that are kept for readers who come back."""

KEPT_BYTES: Final = 4 * 1024 * 1024
"""Bytes of them; older ones go first."""

TOO_SLOW: Final = 4408
"""The code with which a reader is closed who does not take his messages."""


@dataclass(slots=True, eq=False)
class Reader:
    """One open WebSocket.

    Attributes:
        greeting: What he is sent first: a hello and all that he missed, which may be more than the queue holds.
        queue: Messages that wait for him.
        slow: Set when he is to be sent away.
        code: Why.
    """

    greeting: tuple[bytes, ...] = ()
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING))
    slow: asyncio.Event = field(default_factory=asyncio.Event)
    code: int = TOO_SLOW

    def give(self, message: bytes) -> bool:
        """Queue a message; a full queue marks the reader as too slow."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.slow.set()
            return False
        return True


@dataclass(slots=True)
class Counts:
    """What happened since the start."""

    sent: int = 0
    dropped: int = 0
    resumed: int = 0
    opened: int = 0


class Stream:
    """The messages of one slate.

    Args:
        day: The slate.

    Attributes:
        turns: What readers of the slate are served from now on, to be told one after the other.
        told: What the messages have told of last: behind what is served while a difference is worked out.
    """

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self.name = secrets.token_hex(6)
        self.seq = 0
        self.readers: set[Reader] = set()
        self.kept: deque[tuple[int, bytes]] = deque()
        self.kept_bytes = 0
        self.turns: asyncio.Queue[Pointer] = asyncio.Queue()
        self.told: Pointer | None = None
        self.worker: asyncio.Task[None] | None = None
        self.state: State | None = None

    def publish(self, message: dict[str, Any], counts: Counts) -> None:
        """Number a message, keep it, and give it to every reader."""
        self.seq += 1
        kind = message.pop("type")
        body = orjson.dumps({"type": kind, "seq": self.seq, **message})
        self.kept.append((self.seq, body))
        self.kept_bytes += len(body)
        while len(self.kept) > KEPT or (self.kept_bytes > KEPT_BYTES and len(self.kept) > 1):
            self.kept_bytes -= len(self.kept.popleft()[1])
        for reader in list(self.readers):
            if not reader.give(body):
                self.readers.discard(reader)
                counts.dropped += 1

    def since(self, seq: int) -> list[bytes] | None:
        """Return the messages after a number, `None` when some of them are not kept any more."""
        if seq > self.seq or seq < 0:
            return None
        if seq == self.seq:
            return []
        if not self.kept or self.kept[0][0] > seq + 1:
            return None
        return [body for number, body in self.kept if number > seq]
