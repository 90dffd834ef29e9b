"""What parsing an answer gives: the rows, the rows that could not be taken with the reason, and column drift."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from backstop.errors import ConservationBroken
from backstop.excerpt import excerpt, names
from backstop.tables import Table

REJECTED: dict[str, pl.DataType] = {"row": pl.String(), "rule": pl.String(), "reason": pl.String()}
"""Columns of the rows that were not taken: the raw row as JSON text, the rule it broke, the reason in words."""

MOST_DRIFTED = 150
"""Columns that are listed by name; more than any era has."""

MOST_OF_A_REASON = 500
"""Characters of a reason: it may quote a value of any length, which stands in the row as well."""

NOT_WRONG = frozenset({"other_day", "superseded", "in_play", "no_roster", "no_game"})
"""Rules under which sound rows are put aside: they were not asked for, or what they need is missing."""

LARGEST = {"Int16": 2**15 - 1, "Int32": 2**31 - 1, "Int64": 2**63 - 1}
"""The largest whole number that a column of the type holds."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How the columns of an answer differ from those known, by name, sorted.

    Attributes:
        added: Not known before; ignored.
        gone: Known but absent; null in the frame.
        retyped: Present, but most of the values cannot be read as the known type.
        duplicated: Named twice in the header; the first one counts.
    """

    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.gone or self.retyped or self.duplicated)

    def __or__(self, other: Drift) -> Drift:
        """Return what differs in either."""
        return Drift(
            *(
                tuple(sorted({*getattr(self, kind), *getattr(other, kind)}))
                for kind in ("added", "gone", "retyped", "duplicated")
            )
        )

    def sentence(self) -> str:
        """Say it in words, empty when nothing differs.

        >>> Drift(added=("miss_distance",)).sentence()
        'added: miss_distance'
        """
        kinds = ("added", "gone", "retyped", "duplicated")
        return "; ".join(f"{kind}: {names(found, MOST_DRIFTED)}" for kind in kinds if (found := getattr(self, kind)))


@dataclass(frozen=True)
class Parsed:
    """The rows of one answer, none lost.

    Attributes:
        frame: Rows taken, with exactly the columns of the table.
        rejected: Rows not taken: `row` (JSON text of the raw row), `rule`, `reason`.
        rows_in: Rows that the answer held.
        drift: How the columns differ from those known.

    Raises:
        ConservationBroken: rows taken plus rows rejected are not the rows that came in.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    rows_in: int
    drift: Drift = field(default_factory=Drift)

    def __post_init__(self) -> None:
        """Count."""
        if len(self.frame) + len(self.rejected) != self.rows_in:
            raise ConservationBroken(
                f"An answer held {self.rows_in} rows, but {len(self.frame)} were taken and {len(self.rejected)} "
                "rejected; this is a fault of the parser: keep the raw answer and report it."
            )

    @property
    def rejected_by_rule(self) -> dict[str, int]:
        """Rejected rows per rule, most frequent first."""
        counts = Counter(self.rejected["rule"].to_list())
        return dict(counts.most_common())


def rejections(rows: Sequence[tuple[Any, str, str]]) -> pl.DataFrame:
    """Make the frame of rejected rows from (raw row, rule, reason)."""
    if not rows:
        return pl.DataFrame(schema=REJECTED)
    texts = [raw_text(raw) for raw, _, _ in rows]
    return pl.DataFrame(
        {
            "row": texts,
            "rule": [rule for _, rule, _ in rows],
            "reason": [excerpt(reason, MOST_OF_A_REASON) for _, _, reason in rows],
        },
        schema=REJECTED,
    )


def raw_text(raw: Any) -> str:
    """Write a raw row as JSON text; what JSON does not know is written as its text."""
    return orjson.dumps(raw, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def merge(parts: Iterable[Parsed], table: Table, *, newest: str | None = None) -> Parsed:
    """Put the parts of one table together; of rows with the same key the last one counts.

    Args:
        parts: Answers in the order in which they were fetched.
        table: Names the columns and the key.
        newest: Column whose largest value decides instead of the order, nulls lose.

    Returns:
        All rows of all parts; an outdone row is among `rejected` under the rule `superseded`.
    """
    parts = list(parts)
    frame = pl.concat([table.empty(), *(part.frame for part in parts)])
    rejected = pl.concat([pl.DataFrame(schema=REJECTED), *(part.rejected for part in parts)])
    drift = Drift()
    for part in parts:
        drift |= part.drift
    kept, outdone = last_by_key(frame, table, newest=newest)
    return Parsed(kept, pl.concat([rejected, outdone]), rows_in=sum(part.rows_in for part in parts), drift=drift)


def last_by_key(frame: pl.DataFrame, table: Table, *, newest: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep one row per key: the last, or the one with the largest `newest`.

    Returns:
        The kept rows sorted by key, and the outdone ones as rejections under the rule `superseded`.
    """
    key = list(table.key)
    order = [*key, newest, "_nth"] if newest else [*key, "_nth"]
    ranked = frame.with_row_index("_nth").sort(order, nulls_last=False)
    last = ranked.select(pl.struct(key).is_last_distinct()).to_series()
    if last.all():
        return ranked.drop("_nth"), rejections([])
    outdone = ranked.filter(~last).drop("_nth")
    reason = f"Another row has the same key ({', '.join(key)}); the newer one counts."
    return ranked.filter(last).drop("_nth"), rejections([(row, "superseded", reason) for row in outdone.to_dicts()])


class Intake:
    """Rows of a JSON answer on their way into a table: each is loaded or rejected, none is lost."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._schema = table.schema
        self._checks = tuple((name, check_of(dtype)) for name, dtype in self._schema.items())
        self._records: list[tuple[Any, ...]] = []
        self._rejected: list[tuple[Any, str, str]] = []

    def load(self, record: Mapping[str, Any], raw: Any) -> None:
        """Take a record; one with a value of another type than its column's is rejected under the rule `type`."""
        values = []
        for name, is_sound in self._checks:
            value = record.get(name)
            if value is not None and not is_sound(value):
                self.reject(raw, "type", f"{name} is {value!r}, which is not {_word_for(self._schema[name])}.")
                return
            values.append(value)
        if missing := [name for name in self.table.key if record.get(name) is None]:
            self.reject(raw, "missing_key", f"No {', no '.join(missing)}: the row cannot be told from others.")
            return
        self._records.append(tuple(values))

    def reject(self, raw: Any, rule: str, reason: str) -> None:
        """Put a raw row aside with the rule it broke and the reason in words."""
        self._rejected.append((raw, rule, reason))

    def parsed(self, drift: Drift | None = None, *, newest: str | None = None) -> Parsed:
        """Return what was taken and what was not; of rows with one key the last counts."""
        columns = zip(*self._records, strict=True) if self._records else ([] for _ in self._schema)
        frame = pl.DataFrame(dict(zip(self._schema, columns, strict=True)), schema=self._schema)
        kept, outdone = last_by_key(frame, self.table, newest=newest)
        rejected = pl.concat([rejections(self._rejected), outdone])
        return Parsed(kept, rejected, rows_in=len(self._records) + len(self._rejected), drift=drift or Drift())


def check_of(dtype: pl.DataType) -> Callable[[Any], bool]:
    """Return what tells whether a value of a JSON answer can stand in a column of the type without change of meaning.

    >>> whole = check_of(pl.Int16())
    >>> whole(7), whole(7.5), whole("7"), whole(True), whole(40_000)
    (True, False, False, False, False)
    """
    if dtype.is_integer():
        largest = LARGEST[str(dtype)]
        return lambda value: type(value) is int and -largest <= value <= largest
    if dtype.is_float():
        return lambda value: type(value) in (int, float) and math.isfinite(value)
    if isinstance(dtype, pl.Datetime):
        return lambda value: isinstance(value, dt.datetime) and value.tzinfo is not None
    return _is_exactly({"String": str, "Boolean": bool, "Date": dt.date}[str(dtype)])


def _is_exactly(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind


def _word_for(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return f"a whole number ({dtype})"
    if dtype.is_float():
        return "a finite number"
    return {"String": "text", "Date": "a date", "Boolean": "true or false"}.get(str(dtype), "an instant with its zone")
