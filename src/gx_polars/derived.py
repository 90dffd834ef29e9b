"""What follows from a condition: how many rows break it, which ones, with what values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import polars as pl
from great_expectations.constants import MAX_RESULT_RECORDS

from gx_polars.ask import Ask, Probe, follow
from gx_polars.domain import Column, Domain
from gx_polars.failing import Failing, failing_probe, repeated_probe
from gx_polars.reduction import arguments

Kind: TypeAlias = Literal["column", "pair", "multicolumn"]
Condition: TypeAlias = Callable[..., pl.Expr]


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """A condition on rows, as registered.

    Attributes:
        name: The map metric, for example "column_values.between".
        kind: What the function gets: one `Column`, two, or a list of them.
        meets: Makes the boolean expression that is true where a row meets the condition, false where it is unexpected.
        screen: Makes a cheap expression that is 0 when no row can be unexpected; `meets` is then not computed.
        keys: For conditions that rows fail together: makes an expression that is equal in such rows. For data frames it
            replaces `screen`.
        nulls: "skip" leaves rows without a value to no judgement (for a pair or several columns: what `ignore_row_if`
            says); "judge" asks the condition about them too; "propagate" promises that the expression is null for
            a missing value, so that no guard is needed. A null answer is never unexpected.
    """

    name: str
    kind: Kind
    meets: Condition
    screen: Condition | None = None
    keys: Condition | None = None
    nulls: Literal["skip", "judge", "propagate"] = "skip"


class BoundCondition:
    """A condition on the columns of one domain, with its arguments.

    Args:
        spec: The condition.
        domain: Where it is to hold.
        value_kwargs: Its arguments; the result format among them is not one.
    """

    def __init__(self, spec: ConditionSpec, domain: Domain, value_kwargs: Mapping[str, Any]) -> None:
        self.spec = spec
        self.domain = domain
        self.arguments = arguments(value_kwargs)
        self.names = column_names(spec.kind, domain.kwargs)
        self.columns = [domain.column(name) for name in self.names]
        self.judged = judged_rows(spec.kind, self.columns, domain.kwargs.get("ignore_row_if"))

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the condition on its rows."""
        ignored = self.domain.kwargs.get("ignore_row_if")
        return (self.spec.name, tuple(self.names), ignored, repr(sorted(self.arguments.items(), key=lambda kv: kv[0])))

    def _make(self, function: Condition) -> pl.Expr:
        subject = [self.columns] if self.spec.kind == "multicolumn" else self.columns
        return function(*subject, **self.arguments)

    def unexpected(self) -> pl.Expr:
        """Return the expression that is true where a row breaks the condition; null and false mean it does not.

        It has one value for each row, also where the condition is a literal or an aggregate, which alone has one.
        """
        broken = ~self._make(self.spec.meets)
        if self.spec.kind == "column":
            judged = self.columns[0].present if self.spec.nulls == "skip" else self._every_row()
        else:
            judged = self._every_row() if self.judged is None else self.judged
        return broken & judged

    def _every_row(self) -> pl.Expr:
        """Return true for each row: the answer of `is_null` is never null."""
        return self.columns[0].expr.is_null().is_not_null()

    def _looks_for_repeats(self) -> bool:
        flat = not any(column.dtype.is_nested() for column in self.columns)
        return self.spec.keys is not None and flat and self.domain.eager and self.domain.rows.keep is None

    def failing(self) -> Ask:
        """Return the ask for the failing rows; with a screen, the rows are looked for only where it says so."""
        if self.spec.keys is not None and self._looks_for_repeats():
            present = self.columns[0].present if self.spec.kind == "column" else self.judged
            keys = self._make(self.spec.keys)
            keys = keys if present is None else pl.when(present).then(keys)
            names = list(dict.fromkeys(self.names))
            return Ask(repeated_probe(keys, self.unexpected(), names, self.domain, self.key), lambda failing: failing)
        found = Ask(failing_probe(self.unexpected(), self.domain, self.key), lambda failing: failing)
        if self.spec.screen is None:
            return found
        expr = self._make(self.spec.screen)
        screen = Probe(("screen", *self.key), (expr,), lambda values, _: values[0], self.domain.rows)
        return Ask(screen, lambda suspects: found if suspects else Failing(0))


def column_names(kind: Kind, kwargs: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that a map metric's domain is about."""
    if kind == "column":
        return [kwargs["column"]]
    if kind == "pair":
        return [kwargs["column_A"], kwargs["column_B"]]
    return list(kwargs["column_list"])


def judged_rows(kind: Kind, columns: Sequence[Column], ignore_row_if: str | None) -> pl.Expr | None:
    """Return which rows `ignore_row_if` leaves to be judged, None for all.

    Raises:
        ValueError: `ignore_row_if` has no such value for this kind of condition.
    """
    if kind == "column":
        return None
    default, any_word, never = (
        ("both_values_are_missing", "either_value_is_missing", "neither")
        if kind == "pair"
        else ("all_values_are_missing", "any_value_is_missing", "never")
    )
    wanted = ignore_row_if or default
    if wanted == never:
        return None
    if wanted not in (default, any_word):
        msg = f'Unrecognized value of ignore_row_if ("{wanted}"): expected {default}, {any_word} or {never}.'
        raise ValueError(msg)
    present = [column.present for column in columns]
    return pl.any_horizontal(present) if wanted == default else pl.all_horizontal(present)


Answer: TypeAlias = Callable[[BoundCondition, Failing, Mapping[str, Any]], Any]


def _limit(result_format: Mapping[str, Any]) -> int:
    if result_format["result_format"] == "COMPLETE":
        return int(MAX_RESULT_RECORDS)
    return min(int(result_format["partial_unexpected_count"]), int(MAX_RESULT_RECORDS))


def unexpected_count(_condition: BoundCondition, failing: Failing, _kwargs: Mapping[str, Any]) -> int:
    """Return how many rows break the condition."""
    return failing.count


def unexpected_values(condition: BoundCondition, failing: Failing, kwargs: Mapping[str, Any]) -> Any:
    """Return the first unexpected values: of a pair as tuples, of several columns as dictionaries."""

    def shape(taken: list[list[Any]]) -> list[Any]:
        if condition.spec.kind == "column":
            return taken[0]
        rows = zip(*taken, strict=True)
        return (
            list(rows)
            if condition.spec.kind == "pair"
            else [dict(zip(condition.names, row, strict=True)) for row in rows]
        )

    return follow(failing.take(condition.names, _limit(kwargs["result_format"])), shape)


def unexpected_index_list(condition: BoundCondition, failing: Failing, kwargs: Mapping[str, Any]) -> Any:
    """Return the numbers of the failing rows (0-based, of the whole frame), or their key columns as dictionaries."""
    wanted = kwargs["result_format"]
    limit = None if wanted["result_format"] == "COMPLETE" else int(wanted["partial_unexpected_count"])
    keys = wanted.get("unexpected_index_column_names")
    if not keys:
        return failing.row_numbers(limit)
    keys = [keys] if isinstance(keys, str) else list(keys)
    if not failing.count:
        return []
    for key in keys:
        condition.domain.column(key)
    excluded = wanted.get("exclude_unexpected_values")
    names = list(dict.fromkeys(keys if excluded else [*condition.names, *keys]))

    def shape(taken: list[list[Any]]) -> list[dict[str, Any]]:
        if excluded:
            return [dict(zip(names, taken, strict=True))]
        return [dict(zip(names, row, strict=True)) for row in zip(*taken, strict=True)]

    return follow(failing.take(names, limit), shape)


def unexpected_index_query(_condition: BoundCondition, failing: Failing, kwargs: Mapping[str, Any]) -> Any:
    """Return an expression in text that selects the failing rows, where the result format shows one."""
    wanted = kwargs["result_format"]
    asked = wanted.get("return_unexpected_index_query")
    if asked is False or (not asked and wanted["result_format"] != "COMPLETE"):
        return None  # the result would not show it
    return follow(failing.row_numbers(None), lambda rows: f"df.with_row_index().filter(pl.col('index').is_in({rows}))")


def unexpected_rows(condition: BoundCondition, failing: Failing, kwargs: Mapping[str, Any]) -> Any:
    """Return the first failing rows with all their columns, as dictionaries."""
    names = list(condition.domain.schema)

    def shape(taken: list[list[Any]]) -> list[dict[str, Any]]:
        return [dict(zip(names, row, strict=True)) for row in zip(*taken, strict=True)]

    return follow(failing.take(names, _limit(kwargs["result_format"])), shape)


def unexpected_value_counts(condition: BoundCondition, failing: Failing, _kwargs: Mapping[str, Any]) -> Any:
    """Return each unexpected value of a column with how often it occurs, most frequent first."""

    def count(taken: list[list[Any]]) -> list[dict[str, Any]]:
        dtype = condition.columns[0].dtype
        counted = pl.Series("value", taken[0], dtype=pl.String if dtype == pl.Duration else dtype).value_counts(
            sort=True
        )
        return counted.to_dicts()

    return follow(failing.take(condition.names[:1], None), count)


DERIVED: dict[str, Answer] = {
    "unexpected_count": unexpected_count,
    "unexpected_values": unexpected_values,
    "unexpected_index_list": unexpected_index_list,
    "unexpected_index_query": unexpected_index_query,
    "unexpected_rows": unexpected_rows,
    "unexpected_value_counts": unexpected_value_counts,
}


def condition_provider(spec: ConditionSpec, answer: Answer) -> Callable[..., Ask]:
    """Return the provider that Great Expectations calls for one metric of a condition."""

    def provider(*, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Ask:
        condition = BoundCondition(spec, Domain.of(execution_engine, metric_domain_kwargs), metric_value_kwargs)
        return condition.failing().and_then(lambda failing: answer(condition, failing, metric_value_kwargs))

    return provider


def filtered_count_provider(spec: ConditionSpec) -> Callable[..., Ask]:
    """Return the provider of how many rows `ignore_row_if` leaves to be judged."""

    def provider(*, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> Ask:
        domain = Domain.of(execution_engine, metric_domain_kwargs)
        columns = [domain.column(name) for name in column_names(spec.kind, metric_domain_kwargs)]
        ignored = metric_domain_kwargs.get("ignore_row_if")
        judged = judged_rows(spec.kind, columns, ignored)
        key = ("judged", tuple(column.name for column in columns), ignored)
        expr = pl.len() if judged is None else judged.sum()
        return Ask(Probe(key, (expr,), lambda values, _: int(values[0]), domain.rows), lambda count: count)

    return provider
