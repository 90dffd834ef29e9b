"""What became of the rows of a table in a run: the numbers that must add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backstop.errors import ConservationBroken
from backstop.sources.parsed import NOT_WRONG

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing, named: a day, a game, an event, a player; and why."""

    table: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that lies in quarantine.

    Attributes:
        rule: The rules that it broke, joined by `; `.
        reason: Why they exist, likewise.
        row: The row as JSON.
    """

    rule: str
    reason: str
    row: str


WORST_KEPT: Final = 10
WORST_OF_A_RULE: Final = 3


def worst(refused: Iterable[Refused]) -> tuple[Refused, ...]:
    """Return the worst rows: those that broke most rules first, a few of each rule, rows only put aside last."""
    ranked = sorted(refused, key=lambda each: (each.rule in NOT_WRONG, -each.rule.count("; ")))
    of_rule = Counter[str]()
    kept = []
    for each in ranked:
        of_rule[each.rule] += 1
        if of_rule[each.rule] <= WORST_OF_A_RULE:
            kept.append(each)
    return tuple(kept[:WORST_KEPT])


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows of one table in one step, or in several steps added up.

    Attributes:
        table: Name of the table.
        keys: Days, games or batches that were worked on.
        rows_in: Rows that came in.
        loaded: Rows that were kept.
        quarantined: Rows that broke a rule and lie in quarantine with the reason.
        failed: Rows of batches that were blocked as a whole.
        gaps: What is missing, named.
        rules: Rows by broken rule, `warning: ` before those that only report.
        drift: Columns that appeared, vanished, changed type or stand twice.
        worst: Quarantined rows with their reasons, the worst first, at most ten.
        notes: What a reader of the result should know although nothing is missing: who answered instead of whom.
        suite_version: Version of the rules that the rows were checked by; empty where none were applied.
    """

    table: str
    keys: int = 0
    rows_in: int = 0
    loaded: int = 0
    quarantined: int = 0
    failed: int = 0
    gaps: tuple[Gap, ...] = ()
    rules: dict[str, int] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    worst: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    suite_version: str = ""

    def __add__(self, other: Outcome) -> Outcome:
        """Add up two steps on the same table."""
        return Outcome(
            table=self.table,
            keys=self.keys + other.keys,
            rows_in=self.rows_in + other.rows_in,
            loaded=self.loaded + other.loaded,
            quarantined=self.quarantined + other.quarantined,
            failed=self.failed + other.failed,
            gaps=self.gaps + other.gaps,
            rules=dict(Counter(self.rules) + Counter(other.rules)),
            drift=tuple(sorted({*self.drift, *other.drift})),
            worst=worst((*self.worst, *other.worst)),
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            suite_version=self.suite_version or other.suite_version,
        )

    def balanced(self) -> Outcome:
        """Return itself.

        Raises:
            ConservationBroken: rows went missing.
        """
        accounted = self.loaded + self.quarantined + self.failed
        if accounted != self.rows_in:
            raise ConservationBroken(
                f"{self.table}: {self.rows_in} rows came in, but {self.loaded} loaded + {self.quarantined} quarantined "
                f"+ {self.failed} in failed batches are {accounted}; the run's data cannot be trusted.",
                source=self.table,
            )
        return self


def total(table: str, outcomes: Iterable[Outcome]) -> Outcome:
    """Add up the outcomes of a table's batches.

    Raises:
        ConservationBroken: rows went missing.
    """
    return sum(outcomes, Outcome(table)).balanced()
