"""From text to the types of a table: what cannot be read as its column's type is set apart with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from backstop.errors import SchemaDrift
from backstop.excerpt import excerpt
from backstop.sources.csvtext import Text, fault_of, numbered
from backstop.sources.parsed import Drift, Parsed, rejections
from backstop.tables import Table


def to_table(
    text: Text,
    table: Table,
    *,
    needed: frozenset[str],
    known: frozenset[str],
    source: str,
    nullable: frozenset[str] = frozenset(),
) -> Parsed:
    """Bind the columns of a CSV answer to a table by name and cast them.

    Args:
        text: The answer as text, with the feed's names.
        table: Names, feed's names and types of the columns.
        needed: The feed's names of columns without which a row means nothing; a null in one rejects the row.
        known: The feed's names that are known, also those that the table does not take.
        source: Named in errors.
        nullable: The feed's names of columns that must be there, though a value may be null.

    Returns:
        Rows of the table in the order of the answer; absent columns are null. Rejected under the rules `field_count`
        (a line with too many or too few fields, or a stray quotation mark), `missing_value` (a needed value is null),
        `cast` (a value is not of its column's type).

    Raises:
        SchemaDrift: a needed column is gone, or most of its values cannot be read.
    """
    require(text.header, needed | nullable, table, source)
    names = {upstream: name for upstream, name in table.upstream_names.items() if upstream in text.frame.columns}
    typed = _cast(text.frame, table, names)
    broken = _broken(text.frame, typed, names, needed)
    drift = _drift(text, known, broken)
    if lost := sorted((needed | nullable) & set(drift.retyped)):
        raise SchemaDrift(
            f"{source} answered {', '.join(lost)} with values that are mostly not of the known type, for example "
            f"{excerpt(str(_first(text.frame[lost[0]].filter(broken[lost[0]]))))!r}; {table.name} needs them.",
            source=source,
        )
    bad_lines = rejections(
        [({"line": line}, "field_count", f"The line {fault_of(line, len(text.header))}.") for line in text.misshapen]
    )
    rows_in = len(text.frame) + len(text.misshapen)
    if not broken:
        return Parsed(typed, bad_lines, rows_in, drift)
    mask = pl.Series(values=[False]).new_from_index(0, len(typed))
    for series in broken.values():
        mask |= series
    bad = _reasons(text.frame, broken, table, names)
    return Parsed(typed.filter(~mask), pl.concat([bad_lines, bad]), rows_in, drift)


def require(header: tuple[str, ...], needed: frozenset[str], table: Table, source: str) -> None:
    """Check that a header has the columns needed.

    Raises:
        SchemaDrift: one is gone.
    """
    if lost := sorted(needed - set(numbered(header))):
        raise SchemaDrift(
            f"{source} answered without the column{'s' * (len(lost) > 1)} {', '.join(lost)}, which {table.name} needs; "
            f"the answer has {len(header)} columns: compare them with the ones known.",
            source=source,
        )


def _cast(frame: pl.DataFrame, table: Table, names: Mapping[str, str]) -> pl.DataFrame:
    """Cast what can be cast; what cannot becomes null, absent columns too."""
    upstream_of = {name: upstream for upstream, name in names.items()}
    exprs = []
    for name, dtype in table.schema.items():
        upstream = upstream_of.get(name)
        if upstream is None:
            exprs.append(pl.lit(None, dtype=dtype).alias(name))
        else:
            exprs.append(_as(pl.col(upstream), dtype).alias(name))
    typed = frame.select(exprs)
    if len(typed) != len(frame):
        return typed.clear()
    # pandas writes the whole numbers of a column with nulls as 7.0
    decimals = [
        pl.col(upstream).str.strip_suffix(".0").cast(table.schema[name], strict=False).alias(name)
        for upstream, name in names.items()
        if table.schema[name].is_integer() and typed[name].null_count() != frame[upstream].null_count()
    ]
    return typed.with_columns(frame.select(decimals)) if decimals else typed


def _as(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return value
    if dtype == pl.Date:
        return value.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    number = value.cast(dtype, strict=False)
    # "nan" and "inf" are numbers to the reader and to nobody else
    return pl.when(number.is_finite()).then(number) if dtype.is_float() else number


def _broken(
    text: pl.DataFrame, typed: pl.DataFrame, names: Mapping[str, str], needed: frozenset[str]
) -> dict[str, pl.Series]:
    """Return, per feed's column with any such row, the rows whose value is unreadable, or null where it is needed."""
    broken = {}
    for upstream, name in names.items():
        had, has = text[upstream], typed[name]
        unreadable = had.null_count() != has.null_count()
        if unreadable or (upstream in needed and had.null_count()):
            broken[upstream] = has.is_null() if upstream in needed else has.is_null() & had.is_not_null()
    return broken


def _drift(text: Text, known: frozenset[str], broken: Mapping[str, pl.Series]) -> Drift:
    """Compare an answer's columns with the known ones; a column is retyped when most of its values are unreadable."""
    return Drift(
        added=tuple(sorted(set(text.header) - known)),
        gone=tuple(sorted(known - set(numbered(text.header)))),
        retyped=tuple(sorted(name for name, bad in broken.items() if _mostly(bad, text.frame[name]))),
        duplicated=tuple(sorted(name for name in text.duplicated if f"{name}#2" not in known)),
    )


def _mostly(bad: pl.Series, values: pl.Series) -> bool:
    unreadable = int((bad & values.is_not_null()).sum())
    return unreadable * 2 > len(values) - values.null_count()


def _first(values: pl.Series) -> str | None:
    filled = values.drop_nulls()
    return str(filled[0]) if len(filled) else None


def _reasons(
    text: pl.DataFrame, broken: Mapping[str, pl.Series], table: Table, names: Mapping[str, str]
) -> pl.DataFrame:
    """Say for each broken row which of its values broke it."""
    masks = text.with_row_index("_nth").with_columns(
        [series.alias(f"_broken_{upstream}") for upstream, series in broken.items()]
    )
    masks = masks.filter(pl.any_horizontal(f"_broken_{upstream}" for upstream in broken))
    rows = []
    for row in masks.to_dicts():
        values = {name: row[name] for name in text.columns}
        upstream = next(name for name in broken if row[f"_broken_{name}"])
        if values[upstream] is None:
            rows.append((values, "missing_value", f"{upstream} is null, but no row can do without it."))
        else:
            dtype = table.schema[names[upstream]]
            rows.append((values, "cast", f"{upstream} is {values[upstream]!r}, which cannot be read as {dtype}."))
    return rejections(rows)
