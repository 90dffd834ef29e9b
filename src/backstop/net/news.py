"""What workers tell each other of breakers."""

from __future__ import annotations

from backstop.net.breaker import Moved, State

KIND = "breaker"


def moved(message: str, worker: str = "") -> Moved | None:
    """Read a message: the transition of a breaker that it tells, `None` for every other message.

    Args:
        message: As it came on the channel.
        worker: Who reads; `here` is true of what he caused himself.
    """
    kind, _, rest = message.partition("|")
    if kind != KIND:
        return None
    feed, cause, before, after, wait_ms, _, reason = rest.split("|", 6)
    if before == after:
        return None
    pause_s = float(wait_ms) / 1000 if after == State.OPEN else 0.0
    return Moved(feed, State(before), State(after), reason, pause_s, here=cause == worker)
