"""Batches: the items that one mapped task gets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeVar

from backstop.limits import BATCH_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def batched(items: Iterable[T], size: int = BATCH_ITEMS) -> Iterator[list[T]]:
    """Yield lists of `size` items in order, the last one shorter.

    >>> list(batched("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    source = iter(items)
    while batch := list(itertools.islice(source, size)):
        yield batch
