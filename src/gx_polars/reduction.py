"""Aggregates: metrics that are one value of a column or a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import polars as pl

from gx_polars.ask import Ask, Known, Probe
from gx_polars.domain import Column, Domain

Aggregate: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Reduction:
    """An aggregate made of several expressions.

    Attributes:
        exprs: Each yields one row.
        finish: Makes the metric's value of the expressions' values, or a further `Reduction` that depends on them;
            a list value arrives as a `pl.Series`.
    """

    exprs: tuple[pl.Expr, ...]
    finish: Callable[..., Any]


def plain(value: Any) -> Any:
    """Return a value as Python knows it: a series becomes a list."""
    return value.to_list() if isinstance(value, pl.Series) else value


def arguments(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metric's own arguments: those that are set, without the result format."""
    return {key: value for key, value in kwargs.items() if key != "result_format" and value is not None}


def aggregate_provider(name: str, function: Aggregate, kind: Literal["column", "table"]) -> Callable[..., Any]:
    """Return the provider that Great Expectations calls for an aggregate."""

    def provider(
        *, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> Ask | Known:
        domain = Domain.of(execution_engine, metric_domain_kwargs)
        own = arguments(metric_value_kwargs)
        subject = domain if kind == "table" else domain.column(metric_domain_kwargs["column"])
        made = ask_of(domain, (name, metric_domain_kwargs.get("column"), repr(own)), function(subject, **own))
        if isinstance(made, Ask) and isinstance(subject, Column) and subject.dtype == pl.Duration:
            return made.and_then(_spans_as_text)
        return made

    return provider


def _spans_as_text(value: Any) -> Any:
    """Return a metric of durations as results carry it: JSON has no durations."""
    if isinstance(value, list | set):
        return type(value)(map(_spans_as_text, value))
    return str(value) if isinstance(value, dt.timedelta) else value


def ask_of(domain: Domain, key: tuple[Any, ...], made: Any) -> Ask | Known:
    """Return what an aggregate function made as an ask, or as known where it needed no rows."""
    if isinstance(made, pl.Expr):
        made = Reduction((made,), plain)
    if not isinstance(made, Reduction):
        return Known(made)
    finish = made.finish

    def settle(values: list[Any]) -> Any:
        answer = ask_of(domain, (*key, "further"), finish(*values))
        return answer.value if isinstance(answer, Known) else answer

    return Ask(Probe(key, made.exprs, lambda values, _: values, domain.rows), settle)
