"""The only module that spells the cache's keys in Redis; every one of them expires by itself.

The day is the cluster hash tag, as in `backstop.store.keys`: what belongs to one slate lies on one node.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import backstop
from backstop.store.keys import SPORT

if TYPE_CHECKING:
    from backstop.cache.pointer import Pointer

PREFIX: Final = f"bs:{SPORT}"


@functools.cache
def code() -> str:
    """Return the name of this state of the package's code: another one may make another document of the same rows."""
    root = Path(backstop.__file__).parent
    seen = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        seen.update(b"%b\0%b\0" % (path.relative_to(root).as_posix().encode(), path.read_bytes()))
    return seen.hexdigest()[:8]


def entry(pointer: Pointer, collection: str, name: str) -> str:
    """Return the key of a value that this code made from one edition of a slate."""
    edition = f"{pointer.version}-{pointer.published_us}"
    return f"{PREFIX}:{{{pointer.day}}}:cache:{edition}:{code()}:{collection}:{name}"
