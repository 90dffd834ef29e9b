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

    `$` also matches before a line feed that ends the text, as in Python; `\d` and `.` mean the same in both. `\w`
    (with `\b`) and `\s` differ outside common text: to Rust combining marks and joiners are word characters and the
    signs ² and ½ are not, to Python the reverse; the separators U+001C to U+001F are white space to Python only.
    """
    if _OTHER_MEANING.search(pattern):
        return None
    translated = _ends(pattern)
    try:
        pl.Series([""]).str.contains(translated)
    except pl.exceptions.ComputeError:
        return None
    return translated


def _ends(pattern: str) -> str:
    """Return the pattern with every `$` that is an anchor written out."""
    return _TOKEN.sub(lambda found: r"(?:\n?\z)" if found.group() == "$" else found.group(), pattern)


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
