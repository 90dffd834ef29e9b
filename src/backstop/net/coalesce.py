"""Coalescing: identical requests share one call, those under way and those answered within the last 100 ms.

Nobody waits for a timer: the first caller starts at once, whoever comes while it is under way joins, whoever comes
within the window after it takes the answer as it is. A failure reaches all who waited for it, nobody who comes later.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from backstop.errors import BackstopError
from backstop.limits import COALESCE_WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


@dataclass(eq=False)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    passengers: int = 0


class Coalescer(Generic[T]):
    """Calls by key, each made once at a time.

    Args:
        window_s: How long an answer is given to those who come after it.
    """

    def __init__(self, window_s: float = COALESCE_WINDOW_S) -> None:
        self.window_s = window_s
        self._flights: dict[Hashable, _Flight[T]] = {}

    def under_way(self, key: Hashable) -> bool:
        """Tell whether a call of that key is under way or was answered within the window."""
        return key in self._flights

    async def share(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns; make it only if no identical one is under way or just answered.

        Cancelling one caller leaves the others undisturbed; the call itself is cancelled with its last caller.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, call)
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task)
        except BackstopError as error:
            raise _copy(error) from error.__cause__  # one exception raised by many tasks would collect their tracebacks
        finally:
            flight.passengers -= 1
            if flight.passengers == 0 and not flight.task.done():
                self._land(key, flight)
                flight.task.cancel()

    def _start(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> _Flight[T]:
        async def run() -> T:
            return await call()

        flight = _Flight(asyncio.get_running_loop().create_task(run()))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._done(key, flight, task))
        return flight

    def _done(self, key: Hashable, flight: _Flight[T], task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._land(key, flight)
        else:
            task.get_loop().call_later(self.window_s, self._land, key, flight)

    def _land(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _copy(error: BackstopError) -> BackstopError:
    return type(error)(error.message, source=error.source, retry_after_s=error.retry_after_s)
