"""Vocabularies written as text."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: how long lists of column names, keys and surnames stay readable in source.

    >>> words("on_1b on_2b")
    ('on_1b', 'on_2b')
    """
    return tuple(text.split())
