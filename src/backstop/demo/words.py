"""Vocabularies and numbers written as text."""

from __future__ import annotations

from typing import Final

LONGEST_NUMBER: Final = 18
"""Digits; what is longer does not fit into 64 bits."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: how long lists of column names, keys and surnames stay readable in source.

    >>> words("on_1b on_2b")
    ('on_1b', 'on_2b')
    """
    return tuple(text.split())


def number(text: str) -> int | None:
    """Return the number that a parameter's digits write; `None` when it is none that an id or a year could be.

    >>> number("660271"), number("-1"), number("9²"), number("9" * 30)
    (660271, None, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
