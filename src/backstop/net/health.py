"""The state of each feed, as `backstop sources` and the health page show it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed's state.

    Attributes:
        feed: Name of the feed.
        host: Scheme, host and port where it is found.
        breaker: closed, open or half-open.
        open_since: When the breaker left `closed`, UTC; null while closed.
        retry_in_s: Seconds until it may be asked again, 0 when closed.
        gate_width: Requests that may be in flight now.
        gate_cap: Requests that may ever be in flight.
        in_flight: Requests in flight from this process.
        waiting: Requests of this process before the gate.
        last_success_at: When it last answered rightly, UTC; null when never seen.
        last_error: Its last failure in a sentence; null without one.
        credits_left: Credits of a paid feed by its own word; null when it never said.
    """

    feed: str
    host: str
    breaker: str
    open_since: dt.datetime | None
    retry_in_s: float
    gate_width: int
    gate_cap: int
    in_flight: int
    waiting: int
    last_success_at: dt.datetime | None
    last_error: str | None
    credits_left: int | None
