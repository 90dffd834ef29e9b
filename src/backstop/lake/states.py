"""The states of a partition in the ledger, and which may follow which.

    expected ─► running ─► complete ─► stale ─► running
       │          ├──────► empty_ok ─► stale
       └► empty_ok├──────► degraded ─► running | stale
                  └──────► failed   ─► running

Whatever is done may be begun again: a repeated run finds the same rows and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """How far a (table, key) is."""

    EXPECTED = "expected"
    RUNNING = "running"
    COMPLETE = "complete"
    EMPTY_OK = "empty_ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    STALE = "stale"


FOLLOWS: Final[dict[State | None, frozenset[State]]] = {
    None: frozenset({State.EXPECTED, State.RUNNING}),
    State.EXPECTED: frozenset({State.EXPECTED, State.RUNNING, State.EMPTY_OK}),
    State.RUNNING: frozenset({State.RUNNING, State.COMPLETE, State.EMPTY_OK, State.DEGRADED, State.FAILED}),
    State.COMPLETE: frozenset({State.RUNNING, State.STALE}),
    State.EMPTY_OK: frozenset({State.RUNNING, State.STALE}),
    State.DEGRADED: frozenset({State.RUNNING, State.STALE}),
    State.FAILED: frozenset({State.RUNNING}),
    State.STALE: frozenset({State.RUNNING, State.STALE}),
}
"""What may come after a state; `None` is a key that the ledger has never heard of."""

DONE: Final = frozenset({State.COMPLETE, State.EMPTY_OK})
"""States that need no further work."""

WAS_DONE: Final = frozenset({State.COMPLETE, State.EMPTY_OK, State.DEGRADED, State.STALE})
"""States of a key that a run brought to its end, whatever is left to do since."""

CLOSING: Final = frozenset({State.COMPLETE, State.EMPTY_OK, State.DEGRADED, State.FAILED})
"""States that end a run's work on a key."""


def may_follow(before: State | None, after: State) -> bool:
    """Return whether a key in one state may go to another.

    >>> may_follow(State.FAILED, State.COMPLETE)
    False
    """
    return after in FOLLOWS[before]
