r"""Regular expressions of Python for Rust's regex crate, where both mean the same.

>>> rust_pattern("^a$")
'^a(?:\\n?\\z)'
>>> rust_pattern("a(?=b)") is None
True
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl

# Syntax that both accept and mean differently: possessive repeats, classes within classes, \< and \>, flags.
_OTHER_MEANING = re.compile(r"[*+?}]\+|\[[^\]]*(?:\[|&&|--|~~)|\\[<>]|\(\?[a-zA-Z-]*[xmLua]")

# An escaped character, a class (a `]` that comes first in it does not end it), or an anchor.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)

# What belongs to a class of Python: word characters are letters, numbers of any kind and the underscore.
_CHARACTERS = {r"\w": r"\p{L}\p{N}_", r"\s": r"\s\x1c-\x1f"}

# Within a class: the complement of one of these, or a hyphen after it that would begin a range.
_IN_CLASS_ONLY_PYTHON = re.compile(r"(?<!\\)\[(?:\\.|[^\]\\])*\\(?:[WS]|[ws]-(?!\]))")

# Directives of strptime whose values one can tell by sight. The days 29 to 31 are left to strptime.
_DIRECTIVES = {
    "Y": r"[1-9]\d{3}",
    "m": r"(?:0[1-9]|1[0-2])",
    "d": r"(?:0[1-9]|1\d|2[0-8])",
    "H": r"(?:[01]\d|2[0-3])",
    "I": r"(?:0[1-9]|1[0-2])",
    "M": r"[0-5]\d",
    "S": r"[0-5]\d",
    "f": r"\d{1,6}",
    "%": "%",
}


@lru_cache(maxsize=1024)
def rust_pattern(pattern: str) -> str | None:
    r"""Return a pattern as the regex crate reads it, or None where only Python can: look-around, back-references, ...

    `$` also matches before a line feed that ends the text, and `\w` and `\s` mean the characters that they mean to
    Python; `\d` and `.` mean the same in both. `\b` differs outside common text: to Rust combining marks and joiners
    are word characters and the signs ² and ½ are not, to Python the reverse.
    """
    if _OTHER_MEANING.search(pattern) or _IN_CLASS_ONLY_PYTHON.search(pattern):
        return None
    translated = _TOKEN.sub(lambda found: _translated(found.group()), pattern)
    try:
        pl.Series([""]).str.contains(translated)
    except pl.exceptions.ComputeError:
        return None
    return translated


def _translated(part: str) -> str:
    """Return an escaped character, a class or an anchor with Python's meaning."""
    if part.startswith("["):
        return re.sub(r"\\.", lambda found: _CHARACTERS.get(found.group(), found.group()), part)
    if part == "$":
        return r"(?:\n?\z)"
    characters = _CHARACTERS.get(part.lower())
    if characters is None:
        return part
    complement = "^" if part[1].isupper() else ""
    return f"[{complement}{characters}]"


def strftime_pattern(strftime_format: str) -> str | None:
    r"""Return a pattern of text that certainly is in a format of strptime, None where that takes strptime to tell.

    >>> print(strftime_pattern("%Y-%m"))
    ^[1-9]\d{3}\-(?:0[1-9]|1[0-2])$
    >>> strftime_pattern("%B") is None
    True
    """
    parts: list[str] = []
    seen: set[str] = set()
    characters = iter(strftime_format)
    for character in characters:
        if character != "%":
            parts.append(re.escape(character))
            continue
        directive = next(characters, "")
        if directive not in _DIRECTIVES or directive in seen:
            return None
        seen.add(directive)
        parts.append(_DIRECTIVES[directive])
    return f"^{''.join(parts)}$"
