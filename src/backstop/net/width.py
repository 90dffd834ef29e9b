"""How many requests a host takes at once, learned from how it answers.

Additive increase, multiplicative decrease (Chiu and Jain, 1989), with the doubling start of TCP (Jacobson, 1988): until
the first refusal each good answer admits one more, so the width doubles per round; after it, each round adds one. A
refusal halves, at most once for requests that were under way together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

SHORT_WEIGHT: Final = 1 / 8
"""Weight of the newest answer in the recent latency."""

LONG_WEIGHT: Final = 1 / 64
"""Weight of the newest answer in the usual latency."""

STEADY_RATIO: Final = 1.5
"""Recent over usual latency up to which the host counts as unhurt."""

SLACK_S: Final = 0.1
"""Added to both sides of the ratio: tens of milliseconds are noise of this machine, not distress of the host."""

FLOOR: Final = 1


@dataclass
class Latency:
    """Tells whether a host answers as fast as usual, request kinds apart: a Savant day takes ten schedules' time."""

    _usual_s: dict[str, float] = field(default_factory=dict)
    _recent_ratio: float = 1.0

    def observe(self, kind: str, seconds: float) -> bool:
        """Take a latency in; return whether the host is steady."""
        usual = self._usual_s.get(kind)
        if usual is None:
            self._usual_s[kind] = seconds
            return True
        self._recent_ratio += SHORT_WEIGHT * ((seconds + SLACK_S) / (usual + SLACK_S) - self._recent_ratio)
        self._usual_s[kind] = usual + LONG_WEIGHT * (seconds - usual)
        return self._recent_ratio <= STEADY_RATIO


@dataclass
class Width:
    """The number of requests admitted at once, between 1 and the cap.

    Attributes:
        cap: Never more than this.
        value: The width; its whole part counts.
    """

    cap: int
    value: float
    _doubling: bool = True
    _halved_at: float = float("-inf")

    @property
    def slots(self) -> int:
        """The whole number of requests admitted at once."""
        return int(self.value)

    def good(self) -> None:
        """Take in a good answer given in steady time while the width was used up."""
        self.value = min(float(self.cap), self.value + (1.0 if self._doubling else 1.0 / self.value))

    def bad(self, *, started_at: float, now: float) -> None:
        """Take in a 429, a 503 or a timeout of a request that started at that time."""
        if started_at < self._halved_at:
            return  # it was under way when the width was halved: the same congestion
        self._doubling = False
        self._halved_at = now
        self.value = max(float(FLOOR), self.value / 2)
