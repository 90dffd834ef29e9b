"""How a run closes a key of the ledger, in a form that is left beside the rows: after a crash they tell it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from backstop.lake.entries import Counts
from backstop.lake.states import State

if TYPE_CHECKING:
    from backstop.lake.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run closes a key.

    Attributes:
        run_id: The run.
        counts: What became of the rows.
        reason: What is missing; empty when nothing is.
        content_hash: Of the partition that holds the rows.
        suite_version: Of the rules that the rows were checked by.
    """

    run_id: str
    counts: Counts
    reason: str
    content_hash: str | None
    suite_version: str | None = None

    @property
    def state(self) -> State:
        """The state that the key gets."""
        return State.DEGRADED if self.reason else State.COMPLETE

    def of(self, content_hash: str | None) -> Self:
        """Return the same of a partition."""
        return replace(self, content_hash=content_hash)

    def dump(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "run_id": self.run_id,
            "reason": self.reason,
            "content_hash": self.content_hash,
            "suite_version": self.suite_version,
            "rows": asdict(self.counts),
        }

    @classmethod
    def parse(cls, told: dict[str, Any]) -> Self:
        """Read it back; a release before this one left no version of the rules."""
        rules = told.get("suite_version")
        return cls(told["run_id"], Counts(**told["rows"]), told["reason"], told["content_hash"], rules)

    def close(self, ledger: Ledger, table: str, key: str, run_id: str) -> None:
        """Close a key that `run_id` has begun.

        Raises:
            ConservationBroken: rows went missing.
            LeaseHeld: another run has taken the key over.
        """
        known: dict[str, Any] = {
            "run_id": run_id,
            "content_hash": self.content_hash,
            "suite_version": self.suite_version,
        }
        known |= asdict(self.counts)
        if self.reason:
            ledger.degrade(table, key, reason=self.reason, **known)
        else:
            ledger.complete(table, key, **known)
