"""The vocabulary in which the suites are written.

Each rule is an ordinary Great Expectations object that carries its name and the reason for it in `meta`. A rule about
rows with severity `critical` sends the rows that break it to quarantine; with severity `warning` it only reports them.
A rule about the table blocks what depends on the table.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.metadata_types import FailureSeverity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backstop.tables import Table

CRITICAL, WARNING = FailureSeverity.CRITICAL, FailureSeverity.WARNING

LARGEST = 1e300
"""No quantity of ours comes near; what lies above is infinite or not a number."""


def meta(rule: str, reason: str) -> dict[str, str]:
    """Name a rule and give the reason for it."""
    return {"rule": rule, "reason": reason}


def columns_of(table: Table) -> gxe.ExpectTableColumnsToMatchSet:
    """Expect exactly the columns that `tables.py` declares."""
    return gxe.ExpectTableColumnsToMatchSet(
        column_set=list(table.schema),
        exact_match=True,
        meta=meta("columns as declared", "every room downstream binds these columns by name"),
    )


def required(
    column: str, reason: str, *, mostly: float = 1.0, rule: str | None = None
) -> gxe.ExpectColumnValuesToNotBeNull:
    """Expect a value in every row (NaN counts as none)."""
    return gxe.ExpectColumnValuesToNotBeNull(
        column=column, mostly=mostly, meta=meta(rule or f"{column} is known", reason)
    )


def within(
    column: str, low: Any, high: Any, reason: str, *, severity: FailureSeverity = CRITICAL, strict_low: bool = False
) -> gxe.ExpectColumnValuesToBeBetween:
    """Expect every value that is there to lie from `low` to `high`."""
    bound = f"above {low}" if strict_low else f"from {low}"
    return gxe.ExpectColumnValuesToBeBetween(
        column=column,
        min_value=low,
        max_value=high,
        strict_min=strict_low,
        severity=severity,
        meta=meta(f"{column} {bound} to {high}", reason),
    )


def on_day(day: dt.date, reason: str) -> gxe.ExpectColumnValuesToBeBetween:
    """Expect every row to be of one baseball day."""
    return gxe.ExpectColumnValuesToBeBetween(
        column="game_date", min_value=day, max_value=day, meta=meta("game_date is the day asked for", reason)
    )


def one_of(
    column: str, values: Iterable[Any], reason: str, *, severity: FailureSeverity = CRITICAL
) -> gxe.ExpectColumnValuesToBeInSet:
    """Expect every value that is there to be a known one."""
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=sorted(values), severity=severity, meta=meta(f"{column} is a known value", reason)
    )


def unique(columns: Sequence[str], reason: str) -> gxe.Expectation:
    """Expect no two rows with the same key."""
    name = meta(f"{', '.join(columns)} unique", reason)
    if len(columns) == 1:
        return gxe.ExpectColumnValuesToBeUnique(column=columns[0], meta=name)
    return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(columns), meta=name)


def differ(first: str, second: str, reason: str) -> gxe.Expectation:
    """Expect two columns never to hold the same value in a row."""
    return gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(
        column_list=[first, second], ignore_row_if="any_value_is_missing", meta=meta(f"{first} is not {second}", reason)
    )


def later(column: str, than: str, reason: str) -> gxe.Expectation:
    """Expect one instant after another, where both are known."""
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=column,
        column_B=than,
        ignore_row_if="either_value_is_missing",
        meta=meta(f"{column} after {than}", reason),
    )


def never(condition: str, rule: str, reason: str) -> gxe.Expectation:
    """Expect no row for which an SQL condition holds: for rules over several columns of a row.

    Great Expectations counts such rows for the table as a whole; `check` finds them by the condition in `meta`, so that
    one bad row goes to quarantine and does not take its batch with it.
    """
    return gxe.UnexpectedRowsExpectation(
        unexpected_rows_query=f"SELECT * FROM {{batch}} WHERE {condition}",  # noqa: S608 - our own text
        meta=meta(rule, reason) | {"never": condition},
    )


def finite(columns: Iterable[str], reason: str) -> gxe.Expectation:
    """Expect neither NaN nor infinity, which ranges over optional columns take for a missing value."""
    condition = " OR ".join(f"abs({column}) > {LARGEST}" for column in columns)
    return never(condition, "numbers are finite", reason)  # NaN sorts above every number


def volume(games: int, low: int, high: int) -> list[gxe.Expectation]:
    """Expect the rows of so many games: each game there, and from `low` to `high` rows a game.

    A day that lacks some is kept and named as a gap (severity `warning`): what came is right, and the ledger asks for
    the day again until it is whole. A day without a single row is blocked: it would replace what an earlier run kept.
    """
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1, meta=meta("any rows", "an empty answer for a day with games is no answer")
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="game_pk",
            min_value=games,
            max_value=games,
            severity=WARNING,
            meta=meta("every finished game is there", "the schedule's finished games: fewer means an incomplete day"),
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=low * games,
            max_value=high * games,
            severity=WARNING,
            meta=meta(f"{low} to {high} rows a game", "the volume of the schedule's finished games"),
        ),
    ]


def version_of(suite: gx.ExpectationSuite) -> str:
    """Return the suite's name with a digest of its rules, the same for every day: the ledger notes what was checked."""
    rules = sorted((each.expectation_type, str(each.severity), str(each.meta)) for each in suite.expectations)
    return f"{suite.name}@{hashlib.sha256(repr(rules).encode()).hexdigest()[:8]}"


def suite(name: str, expectations: Iterable[gxe.Expectation]) -> gx.ExpectationSuite:
    """Put rules together under the name of their table."""
    return gx.ExpectationSuite(name=name, expectations=list(expectations))
