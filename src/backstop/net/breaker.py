"""The breaker of a feed: stop asking a server that is down, and find out gently when it is back.

    closed ──(share of failures in the window reached)──> open ──(pause over)──> half-open, one probe
      ^                                                    ^                        │        │
      └────────────────(probe succeeded)───────────────────┼────────────────────────┘        │
                                                           └──(probe failed: longer pause)───┘

Time is passed into every method, so that the rules can be tested without waiting.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class State(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """When a breaker opens, and for how long.

    Attributes:
        window_s: Outcomes older than this are forgotten.
        at_least: Outcomes in the window below which nothing is concluded.
        failing_share: Share of failures in the window at which it opens.
        first_pause_s: Pause of the first opening.
        longest_pause_s: Each failed probe doubles the pause up to here.
        probe_s: A probe that did not report within this time is taken for lost, and another may go.
    """

    window_s: float = 30.0
    at_least: int = 10
    failing_share: float = 0.5
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    probe_s: float = 90.0


DEFAULT: Final = BreakerTerms()


@dataclass(frozen=True, slots=True)
class Moved:
    """A breaker changed its state.

    Attributes:
        feed: Whose breaker.
        before: State it left.
        after: State it is in.
        reason: One line.
        pause_s: Seconds until it may be probed, 0 unless open.
    """

    feed: str
    before: State
    after: State
    reason: str
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to ask, or none.

    Attributes:
        granted: Whether to ask now.
        probe: Whether this is the one request of the half-open state.
        wait_s: Seconds after which another try makes sense when not granted.
    """

    granted: bool
    probe: bool = False
    wait_s: float = 0.0


@dataclass
class Breaker:
    """The state machine of one process.

    Attributes:
        feed: Name for messages.
        terms: When it opens.
        on_move: Called with every transition.
    """

    feed: str
    terms: BreakerTerms = DEFAULT
    on_move: Callable[[Moved], None] | None = None
    state: State = State.CLOSED
    opened_at: float = 0.0
    _outcomes: deque[tuple[float, bool]] = field(default_factory=deque)
    _failures: int = 0
    _openings: int = 0
    _open_until: float = 0.0
    _probe_until: float = 0.0

    def ask(self, now: float) -> Pass:
        """Say whether a request may go; in half-open only one may."""
        if self.state is State.CLOSED:
            return Pass(granted=True)
        if self.state is State.OPEN and now >= self._open_until:
            self._move(State.HALF_OPEN, f"the pause of {self.pause_s:g} s is over")
            return self._probe(now)
        if self.state is State.HALF_OPEN and now >= self._probe_until:
            return self._probe(now)
        return Pass(granted=False, wait_s=self.wait_s(now))

    def wait_s(self, now: float) -> float:
        """Seconds until a request may go at the earliest, 0 when closed."""
        until = {State.CLOSED: now, State.OPEN: self._open_until, State.HALF_OPEN: self._probe_until}[self.state]
        return max(0.0, until - now)

    def report(self, *, ok: bool, probe: bool, now: float) -> None:
        """Take in how a request went."""
        if self.state is State.HALF_OPEN and probe:
            self._close() if ok else self._open(now, "the probe failed")
        elif self.state is State.CLOSED:
            self._count(now, ok=ok)

    def give_up(self, now: float) -> None:
        """Take back a probe that was cancelled before it learned anything: another may go at once."""
        if self.state is State.HALF_OPEN:
            self._probe_until = now

    @property
    def pause_s(self) -> float:
        """Length of the pause at the present number of openings."""
        growth: float = 2.0 ** max(0, self._openings - 1)
        return min(self.terms.longest_pause_s, self.terms.first_pause_s * growth)

    def _probe(self, now: float) -> Pass:
        self._probe_until = now + self.terms.probe_s
        return Pass(granted=True, probe=True)

    def _count(self, now: float, *, ok: bool) -> None:
        self._outcomes.append((now, ok))
        self._failures += not ok
        while self._outcomes[0][0] < now - self.terms.window_s:
            _, forgotten = self._outcomes.popleft()
            self._failures -= not forgotten
        total = len(self._outcomes)
        if not ok and total >= self.terms.at_least and self._failures >= self.terms.failing_share * total:
            self._open(now, f"{self._failures} of the last {total} requests failed")

    def _open(self, now: float, reason: str) -> None:
        if self.state is State.CLOSED:
            self.opened_at = now
        self._openings += 1
        self._open_until = now + self.pause_s
        self._forget()
        self._move(State.OPEN, reason, self.pause_s)

    def _close(self) -> None:
        self._openings = 0
        self._forget()
        self._move(State.CLOSED, "the probe was answered")

    def _forget(self) -> None:
        self._outcomes.clear()
        self._failures = 0

    def _move(self, after: State, reason: str, pause_s: float = 0.0) -> None:
        before, self.state = self.state, after
        if self.on_move is not None:
            self.on_move(Moved(self.feed, before, after, reason, pause_s))
