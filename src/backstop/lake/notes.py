"""What a partition's file says of itself, beside its rows: how the ledger was closed over them, and when.

The ledger is what everybody asks. Where its database is lost, or another lake was put in place, the notes tell what the
rows alone do not: how many were refused, what is missing, and whether they were fetched before the day was whole.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Self

import orjson

from backstop.lake.closing import Closing


@dataclass(frozen=True, slots=True)
class Note:
    """One partition's note.

    Attributes:
        closing: How the run that wrote the rows first closed the day.
        at: When they were written, UTC.
    """

    closing: Closing
    at: dt.datetime

    def dump(self) -> str:
        """Return it as text."""
        return orjson.dumps({**self.closing.dump(), "at": self.at}).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it back."""
        told = orjson.loads(text)
        return cls(Closing.parse(told), dt.datetime.fromisoformat(told["at"]))

    def says_what(self, text: str | None) -> bool:
        """Return whether an older note says the same: a run that finds the same rows writes nothing."""
        if text is None:
            return False
        return replace(self.parse(text).closing, run_id=self.closing.run_id) == self.closing
