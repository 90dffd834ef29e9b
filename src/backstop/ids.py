"""Typed identifiers and the batching of items."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NewType, TypeVar

from backstop.limits import BATCH_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GamePk = NewType("GamePk", int)
"""MLB's id of one game, also across a suspension."""

PlayerId = NewType("PlayerId", int)
"""MLBAM id: the spine of player identity."""

RunId = NewType("RunId", str)
"""Id of the run that produced a row or a file."""

T = TypeVar("T")


def batched(items: Iterable[T], size: int = BATCH_ITEMS) -> Iterator[list[T]]:
    """Yield lists of `size` items in order, the last one shorter.

    >>> list(batched("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    source = iter(items)
    while batch := list(itertools.islice(source, size)):
        yield batch
