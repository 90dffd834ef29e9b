"""The only speller of the cache's keys in Redis; every one of them expires by itself.

The day is the cluster hash tag, as in `backstop.store.keys`: what belongs to one slate lies on one node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from backstop.store.keys import SPORT

if TYPE_CHECKING:
    from backstop.cache.pointer import Pointer

PREFIX: Final = f"bs:{SPORT}"


def entry(pointer: Pointer, collection: str, name: str) -> str:
    """Return the key of a value made from one edition of a slate."""
    return f"{PREFIX}:{{{pointer.day}}}:cache:{pointer.version}-{pointer.published_us}:{collection}:{name}"
