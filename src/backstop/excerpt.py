"""What of a feed's own text can stand in a sentence: little of it, in characters that can be printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MOST_CHARACTERS: Final = 200
MOST_OF_A_NAME: Final = 60
MOST_NAMES: Final = 12


def excerpt(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Return the beginning of a text on one line; a mark stands for each character that cannot be printed.

    >>> excerpt("Query\n Timeout\x07", 40), excerpt("abcdef", 3)
    ('Query Timeout\ufffd', 'abc...')
    """
    line = " ".join(text[:most].split())
    shown = "".join(each if each.isprintable() else "\ufffd" for each in line)
    return shown + "..." * (len(text) > most)


def names(found: Sequence[str], most: int = MOST_NAMES) -> str:
    """List names, so many at most and each cut to a readable length.

    >>> names(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    listed = ", ".join(excerpt(name, MOST_OF_A_NAME) for name in found[:most])
    return listed + (f" and {len(found) - most:,} more" if len(found) > most else "")
