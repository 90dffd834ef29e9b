"""Turns at an object store, which knows no locks but lets one process alone create an object.

    <folder>/.tmp-turn-00000007

Whoever creates the next number has the turn, and empties the object when he is done; the number before it is removed
then. The greatest number is never removed, so numbers only grow: who was slow and creates one that had been removed
sees a greater one, and has no turn. An object that stays as it is for longer than any turn takes was left by a process
that died, and is followed by the next. No clocks are compared: everybody looks at his own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, Final

from backstop.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.lake.bucket import Bucket

MARK: Final = ".tmp-turn-"
"""Prefix of the objects; readers never look at them."""

ABANDONED_S: Final = 60.0
"""A turn reads and replaces the files of a partition or two, seconds at most."""

LOOK_EVERY_S: Final = 0.1
FREE: Final = b""


@contextlib.contextmanager
def held(bucket: Bucket, folder: str) -> Iterator[None]:
    """Wait for the turn at a folder and hold it against other processes.

    Raises:
        LakeError: the store does not answer, or refuses.
    """
    number = _taken(bucket, folder)
    try:
        yield
    finally:
        # what was done in it stands; the others wait for a minute longer
        with contextlib.suppress(LakeError):
            bucket.replace(_path(folder, number), FREE)


def _taken(bucket: Bucket, folder: str) -> int:
    me = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}".encode()
    seen, since = -1, 0.0
    while True:
        last = max(_numbers(bucket, folder), default=0)
        if last != seen:
            seen, since = last, time.monotonic()
        is_free = not last or bucket.read(_path(folder, last)) == FREE
        if is_free or time.monotonic() - since >= ABANDONED_S:
            if _is_mine(bucket, folder, last + 1, me):
                return last + 1
        else:
            time.sleep(LOOK_EVERY_S)


def _is_mine(bucket: Bucket, folder: str, number: int, me: bytes) -> bool:
    """Try to create a number; return whether the turn is taken by it."""
    path = _path(folder, number)
    # it is there already if a driver tried again because the answer was lost
    if not bucket.create(path, me) and bucket.read(path) != me:
        return False
    there = _numbers(bucket, folder)
    if max(there, default=0) > number:
        bucket.remove(path)
        return False
    # a store that overlooks the condition lets two create it: the second one's word stands
    if bucket.read(path) != me:
        return False
    for older in there:
        if older < number:
            bucket.remove(_path(folder, older))
    return True


def _numbers(bucket: Bucket, folder: str) -> list[int]:
    return [int(name.removeprefix(MARK)) for name in bucket.names(folder) if name.startswith(MARK)]


def _path(folder: str, number: int) -> str:
    return f"{folder}/{MARK}{number:08}"
