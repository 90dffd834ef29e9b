"""Work on long arrays in blocks that fit the processor's cache, shared out among threads.

NumPy and Polars let go of the interpreter's lock, so threads of one process are enough.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def each(work: Callable[[slice], T], length: int, size: int) -> list[T]:
    """Return what `work` gives for each block of `size` from 0 to `length`, in order; of nothing, for one empty block.

    The work must not call `each` itself: it would wait for a thread that it holds.
    """
    blocks = [slice(start, min(start + size, length)) for start in range(0, max(length, 1), size)]
    if len(blocks) == 1:
        return [work(blocks[0])]
    return list(_threads(os.getpid()).map(work, blocks))


@functools.cache
def _threads(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process, which idle between slates; a forked child has none of its parent's."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=f"blocks-{process}")
