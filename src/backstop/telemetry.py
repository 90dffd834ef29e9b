"""What a run says of itself while it works: progress events within the process.

A stage announces what it does; whoever shows it (the terminal, a log) listens. Without a listener nothing happens.
Metrics for scraping are declared beside their rooms; this module only carries events.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage has come this far.

    Attributes:
        stage: Short name, e.g. `fetch pitches`.
        total: Units to do added by this event.
        done: Units finished by this event.
        note: What was last worked on.
    """

    stage: str
    total: int = 0
    done: int = 0
    note: str = ""


_listeners: list[Callable[[Progress], None]] = []
_lock = threading.Lock()


def emit(event: Progress) -> None:
    """Hand an event to every listener; called from any thread."""
    with _lock:
        listeners = tuple(_listeners)
    for listener in listeners:
        listener(event)


@contextlib.contextmanager
def listening(listener: Callable[[Progress], None]) -> Iterator[None]:
    """Call `listener` with every event inside the block."""
    with _lock:
        _listeners.append(listener)
    try:
        yield
    finally:
        with _lock:
            _listeners.remove(listener)
