"""Text: regular expressions and LIKE patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import polars as pl

from gx_polars.distinct import each_distinct
from gx_polars.domain import Column
from gx_polars.patterns import rust_pattern
from gx_polars.registry import polars_condition


def matches(column: Column, pattern: str) -> pl.Expr:
    """Return whether a pattern is found anywhere in the text of a column; null for a missing value.

    Patterns run in Rust. Those that only Python's `re` understands run once for each distinct value.

    Raises:
        ValueError: The pattern is not a regular expression.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        msg = f"The pattern {pattern!r} is not a regular expression: {error}."
        raise ValueError(msg) from error
    rust = rust_pattern(pattern)
    if rust is None:
        return each_distinct(column.text, lambda value: compiled.search(value) is not None)
    return column.text.str.contains(rust)


def _any(checks: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(list(checks))


@polars_condition("column_values.match_regex", nulls="propagate")
def match_regex(column: Column, *, regex: str) -> pl.Expr:
    """A regular expression is found in the value."""
    return matches(column, regex)


@polars_condition("column_values.not_match_regex", nulls="propagate")
def not_match_regex(column: Column, *, regex: str) -> pl.Expr:
    """A regular expression is not found in the value."""
    return ~matches(column, regex)


@polars_condition("column_values.match_regex_list", nulls="propagate")
def match_regex_list(column: Column, *, regex_list: Sequence[str], match_on: str = "any") -> pl.Expr:
    """Any, or all, of several regular expressions are found in the value."""
    return _match_on([matches(column, regex) for regex in regex_list], match_on)


@polars_condition("column_values.not_match_regex_list", nulls="propagate")
def not_match_regex_list(column: Column, *, regex_list: Sequence[str]) -> pl.Expr:
    """None of several regular expressions is found in the value."""
    return ~_any(matches(column, regex) for regex in regex_list)


def _match_on(checks: list[pl.Expr], match_on: str) -> pl.Expr:
    if match_on not in ("any", "all"):
        msg = f"match_on must be either 'any' or 'all', it is {match_on!r}"
        raise ValueError(msg)
    return pl.all_horizontal(checks) if match_on == "all" else _any(checks)


def like_regex(pattern: str, escape: str | None = None) -> str:
    r"""Return a LIKE pattern of SQL as a regular expression of Rust's regex crate.

    >>> like_regex("a%_.")
    '^a(?s:.*)(?s:.)\\.$'
    """
    parts = []
    characters = iter(pattern)
    for character in characters:
        if escape is not None and character == escape:
            parts.append(re.escape(next(characters, character)))
        else:
            parts.append({"%": "(?s:.*)", "_": "(?s:.)"}.get(character) or re.escape(character))
    return f"^{''.join(parts)}$"


def _like(column: Column, pattern: str, escape: str | None = None) -> pl.Expr:
    return column.text.str.contains(like_regex(pattern, escape))


@polars_condition("column_values.match_like_pattern", nulls="propagate")
def match_like_pattern(column: Column, *, like_pattern: str, escape: str | None = None) -> pl.Expr:
    """The whole value matches a LIKE pattern (`%` any text, `_` one character), case-sensitive."""
    return _like(column, like_pattern, escape)


@polars_condition("column_values.not_match_like_pattern", nulls="propagate")
def not_match_like_pattern(column: Column, *, like_pattern: str, escape: str | None = None) -> pl.Expr:
    """The value does not match a LIKE pattern."""
    return ~_like(column, like_pattern, escape)


@polars_condition("column_values.match_like_pattern_list", nulls="propagate")
def match_like_pattern_list(
    column: Column, *, like_pattern_list: Sequence[str], match_on: str = "any", escape: str | None = None
) -> pl.Expr:
    """The value matches any, or all, of several LIKE patterns."""
    return _match_on([_like(column, pattern, escape) for pattern in like_pattern_list], match_on)


@polars_condition("column_values.not_match_like_pattern_list", nulls="propagate")
def not_match_like_pattern_list(
    column: Column, *, like_pattern_list: Sequence[str], escape: str | None = None
) -> pl.Expr:
    """The value matches none of several LIKE patterns."""
    return ~_any(_like(column, pattern, escape) for pattern in like_pattern_list)
