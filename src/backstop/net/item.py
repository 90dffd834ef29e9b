"""What a feed asks for and what came back: plain values that travel between tasks."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from backstop.settings import Feed


class Body(StrEnum):
    """The kind of content that an answer must have."""

    CSV = "csv"
    JSON = "json"


class Secret(StrEnum):
    """Where a feed wants its key; it is added at the last moment and never kept."""

    NONE = "none"
    QUERY_API_KEY = "apiKey"
    HEADER_X_API_KEY = "x-api-key"


class Priority(StrEnum):
    """Who goes first when a gate is contended."""

    LIVE = "live"
    PROPS = "props"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a feed, described without doing it.

    Attributes:
        feed: Whose server is asked.
        table: The table that the answer fills, e.g. `pitches`.
        key: Unique within the table: a date, a game_pk, an event id.
        path: Path under the feed's base address, starting with a slash.
        params: Query parameters in the order in which they are sent; never a secret.
        body: The kind of content expected.
        secret: Where the feed wants its key.
        credits: What the answer costs at most on a paid feed.
        priority: Who goes first when the gate is contended.
        settled_at: An answer from then on will never change, so that one in the archive is as good as a request;
            null where the feed may still correct itself.
    """

    feed: Feed
    table: str
    key: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: Body = Body.JSON
    secret: Secret = Secret.NONE
    credits: int = 0
    priority: Priority = Priority.HISTORY
    settled_at: dt.datetime | None = None

    @property
    def fingerprint(self) -> str:
        """Identify the request regardless of host and key: 32 hexadecimal characters."""
        text = "\n".join([self.feed, self.path, *(f"{name}={value}" for name, value in sorted(self.params))])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer to an item.

    Attributes:
        item: What was asked.
        status: HTTP status, 200 or 304 turned into the archived 200.
        body: Decoded content as sent, byte for byte.
        fetched_at: When the answer was complete, UTC.
        content_hash: SHA-256 of the body, hexadecimal; its name in the archive.
        headers: Response headers worth keeping, lower-case names, secrets removed.
        from_archive: Whether no network was needed.
        attempts: Requests that it took, 0 from the archive.
        revalidated: Whether the feed said that the archived body still holds (304).
    """

    item: Item
    status: int
    body: bytes
    fetched_at: dt.datetime
    content_hash: str
    headers: tuple[tuple[str, str], ...] = ()
    from_archive: bool = False
    attempts: int = 1
    revalidated: bool = False
