"""What may be wrong with Savant's rows although the answer itself is whole."""

from __future__ import annotations

from dataclasses import dataclass

from backstop.demo.dialects import savant
from backstop.demo.world import PitchAsk, World


@dataclass(frozen=True, slots=True)
class RowFaults:
    """Faults in the content of pitch answers.

    Attributes:
        row_cap: Rows after which an answer stops without a word.
    """

    row_cap: int = savant.ROW_CAP

    def csv(self, world: World, ask: PitchAsk) -> bytes:
        """Return the answer to a search with its faults."""
        return savant.csv(world.pitches(ask), cap=self.row_cap)
