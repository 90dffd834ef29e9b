"""The rows that break a condition: of a data frame by their numbers, of a lazy frame by looking once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from gx_polars.ask import Ask, Probe, follow, row_number
from gx_polars.batch import PolarsBatchData
from gx_polars.nanoseconds import exact_values, has_nanoseconds

if TYPE_CHECKING:
    from gx_polars.domain import Domain


def shown(taken: pl.Series) -> list[Any]:
    """Return values as results carry them: durations as text, since JSON has none, all others as Python has them."""
    values: list[Any] = exact_values(taken) if has_nanoseconds(taken.dtype) else taken.to_list()
    if taken.dtype == pl.Duration:
        return [None if value is None else str(value) for value in values]
    return values


class Failing:
    """How many rows break a condition, and access to them.

    `take` and `rows` answer at once for a data frame, with an `Ask` for a lazy frame.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def take(self, names: Sequence[str], limit: int | None) -> list[list[Any]] | Ask:
        """Return the values of columns in the failing rows, one list for each column, at most `limit` rows."""
        del limit
        return [[] for _ in names]

    def rows(self) -> pl.Series | Ask:
        """Return the 0-based numbers of the failing rows in the whole frame."""
        return pl.Series([], dtype=pl.UInt32)

    def row_numbers(self, limit: int | None) -> list[int] | Ask:
        """Return the numbers of the failing rows as a list, at most `limit`."""
        numbers: list[int] | Ask = follow(
            self.rows(), lambda rows: (rows if limit is None else rows.head(limit)).to_list()
        )
        return numbers


class FailingOfFrame(Failing):
    """Failing rows of a data frame.

    Args:
        found: The mask of failing rows, or their numbers.
        batch: The data frame they are of.
        domain: Tells whether NaN is a missing value.
    """

    def __init__(self, found: pl.Series, batch: PolarsBatchData, domain: Domain) -> None:
        self._mask = found if found.dtype == pl.Boolean else None
        super().__init__(len(found) if self._mask is None else int(found.sum() or 0))
        self._rows = found
        self._batch = batch
        self._domain = domain

    def take(self, names: Sequence[str], limit: int | None) -> list[list[Any]]:
        """Gather the columns at the failing rows."""
        if not self.count or not isinstance(self._batch.frame, pl.DataFrame):
            return [[] for _ in names]
        rows = self.rows() if limit is None else self.rows().head(limit)
        return [self._values(self._batch.frame.get_column(name)[rows]) for name in names]

    def _values(self, taken: pl.Series) -> list[Any]:
        values = shown(taken)
        if self._domain.nan_is_missing and taken.dtype.is_float():
            return [None if value != value else value for value in values]  # noqa: PLR0124 - only NaN is not itself
        return values

    def rows(self) -> pl.Series:
        """Return the row numbers, which the mask tells."""
        if self._mask is not None:
            self._rows = self._batch.row_numbers.filter(self._mask)
            self._mask = None
        return self._rows


class FailingOfScan(Failing):
    """Failing rows of a lazy frame: counted by the first pass, fetched by a second one that filters."""

    def __init__(self, count: int, unexpected: pl.Expr, domain: Domain, key: tuple[Any, ...]) -> None:
        super().__init__(count)
        self._unexpected = unexpected
        self._domain = domain
        self._key = key

    def take(self, names: Sequence[str], limit: int | None) -> list[list[Any]] | Ask:
        """Ask for the columns of the failing rows."""
        if not self.count:
            return [[] for _ in names]
        taken = self._ask([self._domain.column(name).expr for name in names], limit, tuple(names))
        return taken.and_then(lambda columns: [shown(column) for column in columns])

    def rows(self) -> pl.Series | Ask:
        """Ask for the row numbers."""
        if not self.count:
            return super().rows()
        name = row_number(self._domain.schema)
        return self._ask([pl.col(name)], None, (name,)).and_then(lambda columns: columns[0])

    def _ask(self, columns: list[pl.Expr], limit: int | None, names: tuple[str, ...]) -> Ask:
        rows = [column.filter(self._unexpected) for column in columns]
        exprs = tuple((row if limit is None else row.head(limit)).implode() for row in rows)
        key = ("taken", names, limit, *self._key)
        probe = Probe(key, exprs, lambda values, _: values, self._domain.rows)
        return Ask(probe, lambda taken: taken)


def failing_probe(unexpected: pl.Expr, domain: Domain, key: tuple[Any, ...]) -> Probe:
    """Return the probe for the rows that break a condition.

    Of a data frame it asks for the mask itself (a bit for each row), so that nothing is computed twice when rows fail;
    under a row condition for the numbers of the failing rows, since a mask would be that of the filtered rows; of a
    lazy frame, which may be larger than memory, for the count only.

    Args:
        unexpected: True where a row breaks the condition.
        domain: The rows asked about.
        key: Identity of the condition on its rows.
    """

    def of_frame(values: list[Any], batch: PolarsBatchData) -> Failing:
        return FailingOfFrame(values[0], batch, domain)

    def of_scan(values: list[Any], _batch: PolarsBatchData) -> Failing:
        return FailingOfScan(int(values[0] or 0), unexpected, domain, key)

    if not domain.eager:
        return Probe(("failing", *key), (unexpected.sum(),), of_scan, domain.rows)
    found = unexpected if domain.rows.keep is None else pl.col(row_number(domain.schema)).filter(unexpected)
    return Probe(("failing", *key), (found.implode(),), of_frame, domain.rows)


def repeated_probe(
    keys: pl.Expr, unexpected: pl.Expr, names: Sequence[str], domain: Domain, key: tuple[Any, ...]
) -> Probe:
    """Return the probe for rows that fail because another row has the same key; of a data frame without row condition.

    One sort of the keys finds the repeated ones, whether there are none or many. Only the rows that have them are then
    looked at closely, so keys may be hashes. One thread sorts: two take twice the processor time for it.

    The sort is not a Python function inside the `select`: Polars' threads would wait for the interpreter lock there,
    and methods that hold it while they wait for those threads (`hash_rows`) would never return.

    Args:
        keys: Equal for rows that fail together; null for rows that cannot fail.
        unexpected: True where a row breaks the condition; the same of the suspects alone as of the whole frame.
        names: The columns that `unexpected` reads.
        domain: The rows asked about.
        key: Identity of the condition on its rows.
    """

    def read(values: list[Any], batch: PolarsBatchData) -> Failing:
        in_order = values[0].sort(multithreaded=False)
        repeated = in_order.slice(1).filter(in_order.slice(1) == in_order.head(-1))
        if not len(repeated) or not isinstance(batch.frame, pl.DataFrame):
            return Failing(0)
        suspects = batch.row_numbers.filter(values[0].is_in(repeated.unique().implode()))
        looked_at = pl.DataFrame([batch.frame.get_column(name)[suspects] for name in names])
        guilty = looked_at.select(unexpected.alias("guilty")).to_series()
        return FailingOfFrame(suspects.filter(guilty), batch, domain)

    return Probe(("repeated", *key), (keys.implode(),), read, domain.rows)
