"""Retries: where they can help, with exponential backoff and jitter, within one time budget.

`stamina` does the waiting. It is entered only after a first failure, so that a request that succeeds at once pays
nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import stamina

from backstop.errors import DeadlineExceeded, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_CHANCE: Final = random.SystemRandom()
"""Not the process's own generator: processes forked from one would add the same seconds."""


@dataclass(frozen=True, slots=True)
class RetryTerms:
    """How often and how patiently to try again.

    Attributes:
        attempts: Requests at most, the first one included.
        first_wait_s: Pause before the second; doubled each time.
        longest_wait_s: Pause at most, unless the feed names a longer one.
        jitter_s: Random seconds added at most, so that failed requests do not come back together.
    """

    attempts: int = 6
    first_wait_s: float = 0.25
    longest_wait_s: float = 10.0
    jitter_s: float = 0.5


DEFAULT: Final = RetryTerms()


def _worded(record: logging.LogRecord) -> bool:
    """Say what stamina's log line keeps in its extras, and say it as information: whoever asks deals with it."""
    if hasattr(record, "stamina.callable"):
        details = [getattr(record, f"stamina.{name}") for name in ("wait_for", "retry_num", "caused_by")]
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = "asking again in %s s, after try %s: %s", tuple(details)
    return True


logging.getLogger("stamina").addFilter(_worded)


class Deadline:
    """A time budget that starts when it is first asked for, not while the request waits before the gate.

    Args:
        budget_s: Seconds for the request with its retries.

    Attributes:
        ticket: Place in the gate's queue, kept over retries: who failed once does not stand at the end again.
        failure: What went wrong last; quoted when time or the breaker ends the tries, which are not the cause.
    """

    def __init__(self, budget_s: float) -> None:
        self.budget_s = budget_s
        self.ticket: int | None = None
        self.failure: UpstreamError | None = None
        self._ends_at: float | None = None

    def patience_s(self) -> float:
        """Seconds that may be waited for a pause to end: what is left, or all of it before the clock started."""
        return self.budget_s if self._ends_at is None else self.left_s()

    def left_s(self) -> float:
        """Seconds left; the first call starts the clock."""
        now = asyncio.get_running_loop().time()
        if self._ends_at is None:
            self._ends_at = now + self.budget_s
        return self._ends_at - now


def wait_after(error: Exception, deadline: Deadline, jitter_s: float = 0.0) -> bool | float:
    """Say whether an error is worth another try, and after how many seconds when the other side named them.

    A pause that is longer than what is left of the budget is not begun: the caller gets the error, with the pause in
    it, and can come back later.
    """
    if not isinstance(error, UpstreamError) or not error.retryable:
        return False
    left = deadline.left_s()
    if left <= 0 or (error.retry_after_s or 0.0) >= left:
        return False
    return True if error.retry_after_s is None else error.retry_after_s + jitter_s * _CHANCE.random()


async def with_retries(
    call: Callable[[], Awaitable[T]], deadline: Deadline, terms: RetryTerms = DEFAULT, *, source: str = ""
) -> T:
    """Call until it succeeds, until another try makes no sense, or until the budget is spent.

    Raises:
        UpstreamError: the last error, or `DeadlineExceeded` when only the budget stood in the way.
    """
    try:
        return await call()
    except UpstreamError as error:
        deadline.failure = error
        if wait_after(error, deadline) is False:
            raise
        first: UpstreamError | None = error
    last: UpstreamError | None = None
    try:
        async for attempt in stamina.retry_context(
            on=lambda error: wait_after(error, deadline, terms.jitter_s),
            attempts=terms.attempts,
            timeout=deadline.left_s(),
            wait_initial=terms.first_wait_s,
            wait_max=terms.longest_wait_s,
            wait_jitter=terms.jitter_s,
        ):
            with attempt:
                if first is not None:  # the call above was attempt 1: stamina only waits
                    failed, first = first, None
                    raise failed
                try:
                    return await call()
                except UpstreamError as error:
                    last = deadline.failure = error
                    raise
    except UpstreamError as error:
        if error.retryable and deadline.left_s() <= 0:
            raise spent(deadline, source, error) from last
        raise
    raise AssertionError("stamina ends by returning or raising")


def spent(deadline: Deadline, source: str, last: Exception | None = None) -> DeadlineExceeded:
    """Return the error for a spent time budget."""
    last = last or deadline.failure
    word = f"; the last error was: {last}" if last is not None else "."
    return DeadlineExceeded(
        f"{source} was given {deadline.budget_s:g} s and did not answer rightly{word} Ask again later or raise "
        "BACKSTOP_REQUEST_BUDGET_S.",
        source=source,
    )
