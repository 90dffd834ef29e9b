"""What a run says of itself while it works: events within the process.

A stage announces what it does, the network room what a breaker does (`net.breaker.Moved`); whoever shows it (the
terminal, a log, Prefect) listens for the kind of event that it knows. Without a listener nothing happens.
Metrics for scraping are declared beside their rooms; this module only carries events.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

E = TypeVar("E")


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


_listeners: list[tuple[type, Callable[[Any], None]]] = []
_lock = threading.Lock()


def emit(event: object) -> None:
    """Hand an event to every listener for its kind; called from any thread."""
    with _lock:
        listeners = tuple(listener for kind, listener in _listeners if isinstance(event, kind))
    for listener in listeners:
        listener(event)


def attach(listener: Callable[[E], None], kind: type[E]) -> None:
    """Call `listener` with every event of a kind from now on; attaching it again changes nothing."""
    with _lock:
        if (kind, listener) not in _listeners:
            _listeners.append((kind, listener))


@overload
@contextlib.contextmanager
def listening(listener: Callable[[Progress], None]) -> Iterator[None]: ...
@overload
@contextlib.contextmanager
def listening(listener: Callable[[E], None], kind: type[E]) -> Iterator[None]: ...
@contextlib.contextmanager
def listening(listener: Callable[[Any], None], kind: type = Progress) -> Iterator[None]:
    """Call `listener` with every event of a kind inside the block; progress by default."""
    with _lock:
        _listeners.append((kind, listener))
    try:
        yield
    finally:
        with _lock:
            _listeners.remove((kind, listener))
