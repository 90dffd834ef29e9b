"""The rate limit: a token bucket per caller (Turner 1986)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

CALLERS: Final = 10_000
"""Callers that are remembered; one who was forgotten begins with a full bucket."""

BURST: Final = 2.0
"""Seconds' worth of requests that may come at once."""

WHOLE: Final = 1 - 1e-6
"""A request's worth: whoever waited as long as he was told is not refused for the last bit of a sum."""


class Limit:
    """Counts requests per caller.

    Args:
        per_s: Requests a second that a caller may make for ever.
        now: Seconds of a clock that does not go back.
    """

    def __init__(self, per_s: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.per_s = per_s
        self.burst = max(1.0, per_s * BURST)
        self.refused = 0
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count a request; return 0 when it may go, otherwise the seconds until one may."""
        now = self._now()
        left = self._left(caller, now)
        wait_s = self._wait_s(left)
        self._buckets[caller] = (left - 1 if not wait_s else left, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > CALLERS:
            self._buckets.popitem(last=False)
        self.refused += bool(wait_s)
        return wait_s

    def look(self, caller: str) -> float:
        """Return what `take` would, without counting a request that may go."""
        wait_s = self._wait_s(self._left(caller, self._now()))
        self.refused += bool(wait_s)
        return wait_s

    def _left(self, caller: str, now: float) -> float:
        left, at = self._buckets.get(caller, (self.burst, now))
        return min(self.burst, left + (now - at) * self.per_s)

    def _wait_s(self, left: float) -> float:
        return 0.0 if left >= WHOLE else min(1 - left, 1.0) / self.per_s
