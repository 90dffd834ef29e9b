"""What is overdue, checked once a minute for the metrics, so that readers of a slate never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from backstop.api.repeated import repeated
from backstop.errors import BackstopError

if TYPE_CHECKING:
    import datetime as dt

    from backstop.clock import Clock
    from backstop.stages.overdue import Overdue

LOOK_S: Final = 60.0
"""A look reads the ledger, the day's games and the newest schedule: some 20 ms."""


class Dues:
    """What is known of what is due.

    Args:
        overdue: Says what should have come by now; called in a thread.
        clock: Tells when it was asked.
    """

    def __init__(self, overdue: Callable[[], Overdue] | None, clock: Clock) -> None:
        self.overdue, self.clock = overdue, clock
        self.last: Overdue | None = None
        self.looked_at: dt.datetime = clock.now()

    async def look(self) -> None:
        """Ask once; what cannot be told is not known, and not as it was before."""
        if self.overdue is None:
            return
        try:
            self.last = await asyncio.to_thread(self.overdue)
            self.looked_at = self.clock.now()
        except BackstopError:
            self.last = None

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Look once a minute inside the block."""
        return repeated(self.look, LOOK_S)
