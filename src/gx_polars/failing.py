"""The rows that break a condition: of a data frame by their numbers, of a lazy frame by looking once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from gx_polars.ask import ROW, Ask, Probe, follow
from gx_polars.batch import PolarsBatchData

if TYPE_CHECKING:
    from gx_polars.domain import Domain


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
    """Failing rows of a data frame, found through the mask that the first select gave."""

    def __init__(self, found: pl.Series, frame: pl.DataFrame, domain: Domain) -> None:
        mask = found.dtype == pl.Boolean
        super().__init__(int(found.sum() or 0) if mask else len(found))
        self._found = found
        self._frame = frame
        self._domain = domain

    def rows(self) -> pl.Series:
        """Return the row numbers, which the mask tells."""
        if not self.count:
            return pl.Series([], dtype=pl.UInt32)
        if self._found.dtype == pl.Boolean:
            self._found = self._found.arg_true()
        return self._found

    def take(self, names: Sequence[str], limit: int | None) -> list[list[Any]]:
        """Gather the columns at the failing rows."""
        if not self.count:
            return [[] for _ in names]
        rows = self.rows() if limit is None else self.rows().head(limit)
        return [self._domain.clean(self._frame.get_column(name).gather(rows)).to_list() for name in names]


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
        return taken.and_then(lambda columns: [column.to_list() for column in columns])

    def rows(self) -> pl.Series | Ask:
        """Ask for the row numbers."""
        if not self.count:
            return super().rows()
        return self._ask([pl.col(ROW)], None, (ROW,)).and_then(lambda columns: columns[0])

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
        return FailingOfFrame(values[0], batch.frame, domain)  # type: ignore[arg-type] # eager: a DataFrame

    def of_scan(values: list[Any], _batch: PolarsBatchData) -> Failing:
        return FailingOfScan(int(values[0] or 0), unexpected, domain, key)

    if not domain.eager:
        return Probe(("failing", *key), (unexpected.sum(),), of_scan, domain.rows)
    found = unexpected if domain.rows.keep is None else pl.col(ROW).filter(unexpected)
    return Probe(("failing", *key), (found.implode(),), of_frame, domain.rows)
