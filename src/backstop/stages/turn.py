"""Taking turns: of two runs that need the same day of a table at once, the second waits for the first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from backstop.errors import LeaseHeld
from backstop.lake.states import State

if TYPE_CHECKING:
    from backstop.stages.house import House

PATIENCE_S: Final = 30.0
"""A day is held while its rows are written, which takes a second at most; a run that holds it longer is stuck."""

LOOK_EVERY_S: Final = 0.05


def take(house: House, table: str, key: str, run_id: str, *, unless_made_of: str | None = None) -> bool:
    """Take a key for a run, waiting for the run that holds it.

    Args:
        house: The opened rooms.
        table: Of the key.
        key: What is to be made.
        run_id: For whom.
        unless_made_of: Content that it is made from: a key that is complete and made of the same is left as it is.

    Returns:
        Whether the key was taken; false when it is there already.

    Raises:
        LeaseHeld: the other run still holds it after `PATIENCE_S`.
    """
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        if unless_made_of is not None and _is_made_of(house, table, key, unless_made_of):
            return False
        try:
            house.ledger.begin(table, key, run_id=run_id)
        except LeaseHeld:
            if time.monotonic() >= ends_at:
                raise
            time.sleep(LOOK_EVERY_S)
        else:
            return True


def _is_made_of(house: House, table: str, key: str, content: str) -> bool:
    entry = house.ledger.entry(table, key)
    return entry is not None and entry.state is State.COMPLETE and entry.content_hash == content
