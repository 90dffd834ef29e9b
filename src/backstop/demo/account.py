"""Credits of The Odds API: what an answer costs, what is left, and who is refused."""

from __future__ import annotations

import threading

from backstop.demo.dialects.theodds import SPORT, Refusal

MONTHLY_CREDITS = 5_000_000
"""The third-largest plan."""


class Account:
    """A customer's credits.

    Args:
        granted: Credits that he may spend.
        key_required: Whether a request without `apiKey` is refused.
    """

    def __init__(self, granted: int = MONTHLY_CREDITS, *, key_required: bool = False) -> None:
        self._left = granted
        self._used = 0
        self._key_required = key_required
        self._lock = threading.Lock()

    def admit(self, key: str | None, sport: str | None) -> None:
        """Let a request in.

        Raises:
            Refusal: 401 without a key where one is required, and when nothing is left; 404 for an unknown sport.
        """
        if self._key_required and not key:
            raise Refusal(401, "MISSING_KEY", "API key is missing")
        if sport is not None and sport != SPORT:
            raise Refusal(404, "UNKNOWN_SPORT", f"Unknown sport: {sport}")

    def spend(self, cost: int) -> dict[str, str]:
        """Take credits for an answer and return its headers.

        Raises:
            Refusal: 401, when fewer are left than the answer costs; nothing is taken then.
        """
        with self._lock:
            if cost > self._left:
                raise Refusal(
                    401,
                    "OUT_OF_USAGE_CREDITS",
                    "Usage quota has been reached. See usage plans at https://the-odds-api.com",
                )
            self._left -= cost
            self._used += cost
            return self._shown(cost)

    def headers(self, last: int) -> dict[str, str]:
        """Return the quota headers of an answer that cost `last`."""
        with self._lock:
            return self._shown(last)

    def _shown(self, last: int) -> dict[str, str]:
        return {
            "x-requests-remaining": str(self._left),
            "x-requests-used": str(self._used),
            "x-requests-last": str(last),
        }
