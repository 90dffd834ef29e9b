"""The parts of the API; assembled where importing Prefect is allowed (`deployments.api`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from backstop.cache.cache import Cache
from backstop.clock import Clock
from backstop.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from backstop.stages.overdue import Overdue


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `slate-refresh` somewhere else.

    Attributes:
        id: Its id.
        url: Its page.
        state: Its state in one word: scheduled, pending, running, completed, failed, crashed, cancelled.
        over: Whether it will not change any more.
        good: Whether it ended as it should.
    """

    id: str
    url: str
    state: str
    over: bool
    good: bool


class Refresher(Protocol):
    """Starts runs that refresh a slate."""

    async def start(self, day: dt.date, key: str) -> Run:
        """Start a run, or return the one that was started with this key."""

    async def wait(self, run: Run, seconds: float) -> Run:
        """Return a run as it is when it is over, or as it was last seen when so many seconds have passed."""

    async def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, slots=True)
class Component:
    """How a part of the house does.

    Attributes:
        status: ok, degraded or down.
        detail: A sentence.
        more: Further figures.
    """

    status: str
    detail: str
    more: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return it as a document."""
        return {"status": self.status, "detail": self.detail, **self.more}


Probe = Callable[[], Awaitable[Component]]
Frames = Callable[[dt.date], "pl.DataFrame"]


@dataclass(frozen=True)
class Parts:
    """Everything that the API calls.

    Attributes:
        settings: Names, limits and keys.
        clock: Tells the time.
        cache: Opened with the app, closed with it.
        quotes: The matched quotes of a day, rows of `tables.QUOTES`; called in a thread.
        grades: Grades and settled props of the last so many days; called in a thread.
        refresher: Starts runs; without one a forced refresh is refused.
        probes: Further components of the health page by name.
        feeds: State of every feed as members of a document; called in a thread. None where no feed is known.
        overdue: What should have come by now; called in a thread. None where nobody knows what is due.
    """

    settings: Settings
    clock: Clock
    cache: Cache
    quotes: Frames
    grades: Callable[[int], dict[str, Any]]
    refresher: Refresher | None = None
    probes: dict[str, Probe] = field(default_factory=dict)
    feeds: Callable[[], list[dict[str, Any]]] | None = None
    overdue: Callable[[], Overdue] | None = None
