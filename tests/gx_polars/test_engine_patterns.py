"""Patterns of Python against what is handed to Rust: the same text is found."""

from __future__ import annotations

import datetime as dt
import re
import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gx_polars.conditions.text import like_regex
from gx_polars.patterns import rust_pattern, strftime_pattern

PATTERNS = [
    r"^a$", r"a$|b", r"[$]a", r"[]$]x", r"[^]$]$", r"\$$", r"^\d{3}$", r"(?i)AB$", r"^a.c$", r"a{2,}$", r"(?P<n>a)b?$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(deadline=None)
@given(text=st.text(alphabet="ab$]x1\n.c", max_size=5))
def test_a_pattern_finds_in_rust_what_it_finds_in_python(pattern: str, text: str) -> None:
    translated = rust_pattern(pattern)

    assert translated is not None
    assert pl.Series([text]).str.contains(translated).item() == (re.search(pattern, text) is not None)


ASSIGNED = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]


@pytest.mark.parametrize("pattern", [r"\w", r"\W", r"\s", r"\S", r"[\w.]", r"[^\w\s]", r"^\w+$", r"\d"])
def test_a_class_has_the_characters_that_it_has_in_python(pattern: str) -> None:
    translated, compiled = rust_pattern(pattern), re.compile(pattern)

    assert translated is not None
    ours = pl.Series(ASSIGNED).str.contains(translated).to_list()
    assert [char for char, found in zip(ASSIGNED, ours, strict=True) if found != bool(compiled.search(char))] == []


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(a)\1", r"a\Z", r"a++b", r"[a&&b]", r"(?m)^a$", r"(?<!x)a", r"[\W]", r"[\w-z]"]
)
def test_what_only_python_understands_is_left_to_python(pattern: str) -> None:
    assert rust_pattern(pattern) is None


@settings(deadline=None)
@given(
    st.datetimes(min_value=dt.datetime(1000, 1, 1)),  # noqa: DTZ001 - formats without a zone
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y %H:%M", "%H:%M:%S.%f", "%Y%m%d"]),
)
def test_what_a_format_certainly_reads_strptime_reads(moment: dt.datetime, form: str) -> None:
    pattern = strftime_pattern(form)
    text = moment.strftime(form)

    assert pattern is not None
    if re.search(pattern, text):
        dt.datetime.strptime(text, form)  # noqa: DTZ007
    else:
        assert moment.day > 28


@settings(deadline=None)
@given(st.text(alphabet="ab%_.\n", max_size=6), st.text(alphabet="ab%_.\n", max_size=6))
def test_a_like_pattern_without_wildcards_is_equality(pattern: str, text: str) -> None:
    literal = pattern.replace("%", "").replace("_", "")

    assert pl.Series([text]).str.contains(like_regex(literal)).item() == (literal == text)
