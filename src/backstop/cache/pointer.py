"""What a slate's readers are served, as Redis tells it, and how far that may be relied on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from backstop.errors import StoreError

if TYPE_CHECKING:
    from backstop.store.reader import State

READ_POINTER: Final = """
-- KEYS: current   the pointer, and the server's clock at the same instant
local cur = redis.call('HMGET', KEYS[1], 'version', 'turn', 'published_at', 'server_at', 'pinned')
return {cur, redis.call('TIME')[1]}
"""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a slate's readers are served.

    Attributes:
        day: The slate.
        version: Number of the version.
        turn: Orders what was served, over rollbacks and lost data.
        published_us: When it was first published, microseconds since 1970, by the writer's clock.
        server_s: The same by the server's clock, seconds.
        pinned: Whether an operator holds it.
        server_ahead_s: Server's clock minus this process's monotonic one, when it was read.
        edition: Names the version's content; unlike its number never used twice, even after a loss of all data.
    """

    day: dt.date
    version: int
    turn: int
    published_us: int
    server_s: int
    pinned: bool
    server_ahead_s: float
    edition: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edition", f"{self.day}.v{self.version}.{self.published_us}")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far what is served may be relied on.

    Attributes:
        state: Fresh or stale.
        age_s: Seconds since it was published, by this process's clock or the server's, whichever says longer.
        confirmed: Whether Redis said lately that this is what it serves.
    """

    state: State
    age_s: float
    confirmed: bool


def pointer_of(day: dt.date, answer: Any, now: float) -> Pointer | None:
    """Return the answer to `READ_POINTER` at an instant of this process's clock; `None` for a slate without one.

    Raises:
        StoreError: it is not of a form that was ever written.
    """
    (version, turn, published_at, server_at, pinned), server_now = answer
    if version is None:
        return None
    try:
        number = int(version)
        # a pointer that was last turned before turns were counted has none; its number is smaller than any turn
        order = number if turn is None else int(turn)
        published_us, server_s = int(published_at), int(server_at)
    except (TypeError, ValueError) as error:
        seen = {"version": version, "turn": turn, "published_at": published_at, "server_at": server_at}
        raise StoreError(
            f"The pointer of the slate of {day} is spoilt: expected whole numbers, found {seen}. "
            "Publish the day again (`backstop redis rebuild` does it from the lake).",
            source="redis",
        ) from error
    return Pointer(day, number, order, published_us, server_s, pinned is not None, int(server_now) - now)
