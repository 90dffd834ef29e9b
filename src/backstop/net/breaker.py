"""The circuit breaker of a feed: stop asking a server that is down, and find out gently when it is back.

    closed ──(share of failures in the window reached)──> open ──(pause over)──> half-open, one probe
      ^                                                    ^                        │        │
      └────────────────(probe succeeded)───────────────────┼────────────────────────┘        │
                                                           └──(probe failed: longer pause)───┘

Time is passed into every method, so that the rules can be tested without waiting.
"""

from __future__ import annotations

import math
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

SLICES: Final = 10
"""The window moves in tenths, so that it costs ten numbers however many requests there are."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A breaker changed its state.

    Attributes:
        feed: Whose breaker.
        before: State it left.
        after: State it is in.
        reason: One line.
        pause_s: Seconds until it may be probed, 0 unless open.
        here: Whether this worker's request moved it; a transition is here in exactly one worker.
    """

    feed: str
    before: State
    after: State
    reason: str
    pause_s: float = 0.0
    here: bool = True


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to ask, or none.

    Attributes:
        granted: Whether to ask now.
        probe: Whether this is the one request of the half-open state.
        wait_s: Seconds after which another try makes sense when not granted.
        token: Names a probe among all workers'.
    """

    granted: bool
    probe: bool = False
    wait_s: float = 0.0
    token: str = ""


@dataclass
class Breaker:
    """The state machine of one process.

    Attributes:
        feed: Name for messages.
        terms: When it opens.
        on_move: Called with every transition.
        state: Where it stands.
    """

    feed: str
    terms: BreakerTerms = DEFAULT
    on_move: Callable[[Moved], None] | None = None
    state: State = State.CLOSED
    _slices: dict[int, tuple[int, int]] = field(default_factory=dict)
    _openings: int = 0
    _until: float = 0.0
    _probes: int = 0

    def ask(self, now: float) -> Pass:
        """Say whether a request may go; in half-open only one may."""
        if self.state is State.CLOSED:
            return Pass(granted=True)
        if now < self._until:
            return Pass(granted=False, wait_s=self._until - now)
        self._until = now + self.terms.probe_s
        self._probes += 1
        if self.state is State.OPEN:
            self._move(State.HALF_OPEN, f"the pause of {self.pause_s:g} s is over")
        return Pass(granted=True, probe=True, token=str(self._probes))

    async def leave(self, now: float) -> Pass:
        """Say whether a request may go, as `ask`; a breaker that is shared has to wait for the answer."""
        return self.ask(now)

    def wait_s(self, now: float) -> float:
        """Seconds until a request may go at the earliest, 0 when closed."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._until - now)

    def report(self, leave: Pass, *, ok: bool, now: float) -> None:
        """Take in how a request went; a probe that was taken for lost is not listened to any more."""
        if leave.probe:
            if self.state is State.HALF_OPEN and leave.token == str(self._probes):
                self._close() if ok else self._open(now, "the probe failed")
        elif self.state is State.CLOSED:
            self._count(now, ok=ok)

    def give_up(self, leave: Pass, now: float) -> None:
        """Take back a probe that was cancelled before it learned anything: another may go at once."""
        if self.state is State.HALF_OPEN and leave.token == str(self._probes):
            self._until = now
            self._probes += 1

    @property
    def pause_s(self) -> float:
        """Length of the pause at the present number of openings."""
        growth: float = 2.0 ** max(0, self._openings - 1)
        return min(self.terms.longest_pause_s, self.terms.first_pause_s * growth)

    def _count(self, now: float, *, ok: bool) -> None:
        current = math.floor(now * SLICES / self.terms.window_s)
        good, bad = self._slices.get(current, (0, 0))
        self._slices[current] = (good + ok, bad + (not ok))
        for at in [at for at in self._slices if at <= current - SLICES]:
            del self._slices[at]
        failed = sum(bad for _, bad in self._slices.values())
        total = failed + sum(good for good, _ in self._slices.values())
        if not ok and total >= self.terms.at_least and failed >= self.terms.failing_share * total:
            self._open(now, f"{failed} of the last {total} requests failed")

    def _open(self, now: float, reason: str) -> None:
        self._openings += 1
        self._until = now + self.pause_s
        self._slices.clear()
        self._move(State.OPEN, reason, self.pause_s)

    def _close(self) -> None:
        self._openings = 0
        self._slices.clear()
        self._move(State.CLOSED, "the probe was answered")

    def _move(self, after: State, reason: str, pause_s: float = 0.0) -> None:
        before, self.state = self.state, after
        if self.on_move is not None:
            self.on_move(Moved(self.feed, before, after, reason, pause_s))
