"""Row conditions: strings mean what `DataFrame.query` of pandas makes of them, objects what they say, all else is refused."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest
from great_expectations.expectations.row_conditions import Column, Condition, PassThroughCondition
from hypothesis import given, settings
from hypothesis import strategies as st

from gx_polars.domain import Domain
from gx_polars.errors import NotSupported
from gx_polars.row_condition import row_filter

SCHEMA: dict[str, Any] = {
    "n": pl.Int64,
    "m": pl.Int64,
    "x": pl.Float64,
    "two words": pl.Int64,
    "t": pl.String,
    "u": pl.String,
    "flag": pl.Boolean,
}
NUMBERS = st.integers(-3, 3) | st.none()
TEXTS = st.sampled_from(["a", "b", "it's", "é", ""]) | st.none()
CELLS = {
    **dict.fromkeys(("n", "m", "two words"), NUMBERS),
    "x": st.sampled_from([-1.5, 0.0, 0.5, 2.0]) | st.none(),
    **dict.fromkeys(("t", "u"), TEXTS),
    "flag": st.booleans(),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6)


def kept(rows: list[dict[str, Any]], condition: Any) -> list[int]:
    """The numbers of the rows that our expression keeps."""
    frame = pl.DataFrame(rows, schema=SCHEMA)
    domain = Domain(frame.schema, {}, eager=True, nan_is_missing=True)
    return frame.with_row_index("row").filter(row_filter(condition, domain.column))["row"].to_list()


def as_pandas(rows: list[dict[str, Any]]) -> pd.DataFrame:
    kinds = {pl.Int64: "float64", pl.Float64: "float64", pl.String: "str", pl.Boolean: "bool"}
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=kinds[dtype]) for name, dtype in SCHEMA.items()}
    )


# Strings

NAMES = st.sampled_from(["n", "m", "x", "`two words`"])
LITERALS = st.sampled_from(["0", "1", "-2", "0.5", "2.0"])
QUOTED = st.sampled_from(['"a"', "'b'", '"it\'s"', '"é"', '""'])
TEXT_NAMES = st.sampled_from(["t", "u"])
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
WITHIN = st.sampled_from(["in", "not in"])


def words(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(" ".join)


def listed(each: st.SearchStrategy[str], ends: str) -> st.SearchStrategy[str]:
    return st.lists(each, min_size=1, max_size=3).map(lambda some: f"{ends[0]}{', '.join(some)},{ends[1]}")


def sums(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    divided = words("(", part, "/", st.sampled_from(["2", "4"]), ")")
    return words("(", part, st.sampled_from(["+", "-", "*"]), part, ")") | words("(", "-", part, ")") | divided


TERMS = st.recursive(NAMES | LITERALS, sums, max_leaves=3)
COMPARED = st.one_of(
    # of constants alone pandas makes a label, not a condition
    words(TERMS, SIGNS, TERMS).filter(lambda text: any(letter in text for letter in "nmx`")),
    words(LITERALS, st.sampled_from(["<", "<="]), NAMES, st.sampled_from(["<", "<="]), LITERALS),
    words(NAMES, WITHIN | st.sampled_from(["==", "!="]), listed(LITERALS, "[]")),
    words(TEXT_NAMES, SIGNS, QUOTED),
    words(QUOTED, SIGNS, TEXT_NAMES),
    words("t", st.sampled_from(["==", "!="]), "u"),
    words(TEXT_NAMES, WITHIN, listed(QUOTED, "()")),
    st.tuples(
        st.sampled_from(["n", "t", "x"]), st.sampled_from([".isnull()", ".isna()", ".notnull()", ".notna()"])
    ).map("".join),
    st.just("flag"),
)


def joined(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    both = words("(", part, ")", st.sampled_from(["and", "or", "&", "|"]), "(", part, ")")
    return (
        both | words(part, st.sampled_from(["and", "or"]), part) | words(st.sampled_from(["not", "~"]), "(", part, ")")
    )


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, query=st.recursive(COMPARED, joined, max_leaves=4))
def test_a_string_keeps_the_rows_that_pandas_keeps(rows: list[dict[str, Any]], query: str) -> None:
    assert kept(rows, query) == as_pandas(rows).query(query, engine="python").index.to_list()


A_ROW = [dict.fromkeys(SCHEMA) | {"n": 7, "m": 2, "x": 0.5, "t": "a", "u": "b", "flag": True}]


@pytest.mark.parametrize(
    ("query", "is_kept"),
    [
        ("n // m == 3", True),
        ("n % m == 1 and m ** 2 == 4", True),
        ("n - m > 5", False),
        ("1 < m < n < 8", True),
        ("1 < m < n < 7", False),
        ("n > 3 & m > 3", False),
        ("True", True),
        ("False or flag", True),
        ("t in {'a', 'c'}", True),
        ("t == ['a', 'c']", True),
        ("`two words`.isnull()", True),
        ("  n > 3\n", True),
    ],
)
def test_the_rest_of_the_language_means_what_it_says(query: str, is_kept: bool) -> None:
    assert kept(A_ROW, query) == ([0] if is_kept else [])


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("n >", "cannot be read"),
        ("n > 3 && m > 3", "cannot be read"),
        ("n > 1; m", "cannot be read"),
        ("(n > 1", "cannot be read"),
        ("t == 'a", "cannot be read"),
        ("n", "does not suit|cannot|no translation|Boolean"),
        ("n.abs() > 1", "no translation"),
        ("t.str.contains('a')", "no translation"),
        ("n is None", "no translation"),
        ("n in m", "no translation"),
        ("n + 1 in [1, 2]", "no translation"),
        ("__import__('os')", "no translation"),
        ("@n > 1", "cannot be read"),
        ("[n for n in m]", "no translation"),
        ("t > 1", "does not suit the columns"),
        ("flag == 'yes'", "does not suit the columns|no translation"),
        ("1", "no translation"),
    ],
)
def test_what_has_no_translation_is_refused_with_the_condition_in_words(query: str, why: str) -> None:
    with pytest.raises((NotSupported, pl.exceptions.PolarsError), match=f"(?s){why}"):
        kept(A_ROW, query)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(Exception, match='The column "absent"'):
        kept(A_ROW, "absent > 1")


# Objects

NULL_KEEPS = {"==": False, "!=": True, "<": False, "<=": False, ">": False, ">=": False}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Judge = Callable[[dict[str, Any]], bool]


def compared(name: str, sign: str, value: Any) -> tuple[Condition, Judge]:
    def judge(row: dict[str, Any]) -> bool:
        return NULL_KEEPS[sign] if row[name] is None else OPERATORS[sign](row[name], value)

    return OPERATORS[sign](Column(name), value), judge  # type: ignore[return-value]


def is_in(name: str, values: list[Any], *, wanted: bool) -> tuple[Condition, Judge]:
    column = Column(name)
    condition = column.is_in(values) if wanted else column.is_not_in(values)
    return condition, lambda row: (row[name] is not None and row[name] in values) is wanted


def nullity(name: str, *, wanted: bool) -> tuple[Condition, Judge]:
    column = Column(name)
    return (column.is_null() if wanted else column.is_not_null()), lambda row: (row[name] is None) is wanted


def both(one: tuple[Condition, Judge], other: tuple[Condition, Judge], *, every: bool) -> tuple[Condition, Judge]:
    condition = one[0] & other[0] if every else one[0] | other[0]
    return condition, lambda row: (all if every else any)((one[1](row), other[1](row)))


NUMBER_NAMES = st.sampled_from(["n", "m", "two words"])
OBJECTS = st.recursive(
    st.builds(compared, NUMBER_NAMES, SIGNS, st.integers(-3, 3))
    | st.builds(compared, TEXT_NAMES, SIGNS, st.sampled_from(["", "a", "b"]))
    | st.builds(is_in, NUMBER_NAMES, st.lists(st.integers(-3, 3), min_size=1, max_size=3), wanted=st.booleans())
    | st.builds(is_in, TEXT_NAMES, st.lists(st.sampled_from("abc"), min_size=1, max_size=2), wanted=st.booleans())
    | st.builds(nullity, st.sampled_from(list(SCHEMA)), wanted=st.booleans()),
    lambda part: st.builds(both, part, part, every=st.booleans()),
    max_leaves=5,
)


@given(rows=ROWS, asked=OBJECTS)
def test_an_object_keeps_the_rows_that_it_says_also_on_its_way_through_json(
    rows: list[dict[str, Any]], asked: tuple[Condition, Judge]
) -> None:
    condition, judge = asked
    wanted = [number for number, row in enumerate(rows) if judge(row)]
    assert kept(rows, condition) == wanted
    assert kept(rows, condition.dict()) == wanted


def test_a_string_that_is_passed_through_is_read_as_a_string() -> None:
    assert kept(A_ROW, PassThroughCondition(pass_through_filter="n > 3")) == [0]


def test_another_kind_of_condition_is_refused_by_its_name() -> None:
    class Phase(Condition):
        pass

    with pytest.raises(NotSupported, match=r"is a Phase; use gx Column conditions or a query string"):
        kept(A_ROW, Phase())


def test_nan_is_missing_to_a_condition_too() -> None:
    rows = [A_ROW[0] | {"x": math.nan}, A_ROW[0]]
    assert [kept(rows, query) for query in ("x.isnull()", "x == x", "x != 0.5")] == [[0], [1], [0]]
