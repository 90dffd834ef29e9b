"""Turns at an object store, which knows no locks but lets one process alone create an object.

    <folder>/.tmp-turn-00000007

Whoever creates the next number has the turn, and empties the object when he is done; the number before it is removed
then. The greatest number is never removed, so numbers only grow: who was slow and creates one that had been removed
sees a greater one, and has no turn. Who holds one for long changes its object before he changes anything else, and then
looks whether there is a greater number; who waits looks once more at the object when he has created his. So an object
that stays as it is for a minute was left by a process that died, or by one that will be refused when it goes on. No
clocks are compared: everybody looks at his own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, Final

from backstop.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backstop.lake.bucket import Bucket

MARK: Final = ".tmp-turn-"
"""Prefix of the objects; readers never look at them."""

ABANDONED_S: Final = 60.0
"""A turn reads and replaces the files of a partition or two, seconds at most; who holds one says so in between."""

RENEW_S: Final = ABANDONED_S / 4

LOOK_EVERY_S: Final = 0.1
FREE: Final = b""


@contextlib.contextmanager
def held(bucket: Bucket, folder: str) -> Iterator[Callable[[], None]]:
    """Wait for the turn at a folder and hold it against other processes.

    Yields what is to be called before each change: it renews the turn, or raises if that has gone to another process.

    Raises:
        LakeError: the store does not answer, or refuses; the turn was lost.
    """
    number, me = _taken(bucket, folder)
    renewals, since = itertools.count(1), time.monotonic()

    def renew() -> None:
        nonlocal since
        if time.monotonic() - since >= RENEW_S:
            since = time.monotonic()
            bucket.replace(_path(folder, number), me + b" %d" % next(renewals))
        if max(_numbers(bucket, folder), default=0) != number:
            raise LakeError(
                f"The turn at {bucket.locate(folder)} went to another process, as this one had not moved for "
                f"{ABANDONED_S:.0f} s; what it had not written yet was not written. Run again.",
                source=bucket.locate(folder),
            )

    try:
        yield renew
    finally:
        # what was done in it stands; the others wait for a minute longer
        with contextlib.suppress(LakeError):
            bucket.replace(_path(folder, number), FREE)


def _taken(bucket: Bucket, folder: str) -> tuple[int, bytes]:
    me = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}".encode()
    seen: tuple[int, bytes | None] = (-1, None)
    since = 0.0
    while True:
        last = max(_numbers(bucket, folder), default=0)
        said = bucket.read(_path(folder, last)) if last else FREE
        if (last, said) != seen:
            seen, since = (last, said), time.monotonic()
        if said == FREE or time.monotonic() - since >= ABANDONED_S:
            if _is_mine(bucket, folder, last + 1, me, said):
                return last + 1, me
        else:
            time.sleep(LOOK_EVERY_S)


def _is_mine(bucket: Bucket, folder: str, number: int, me: bytes, before: bytes | None = FREE) -> bool:
    """Try to create a number; return whether the turn is taken by it, the one before still being as it was seen."""
    path = _path(folder, number)
    # it is there already if a driver tried again because the answer was lost
    if not bucket.create(path, me) and bucket.read(path) != me:
        return False
    there = _numbers(bucket, folder)
    is_held = before != FREE and bucket.read(_path(folder, number - 1)) not in {before, FREE, None}
    if is_held or max(there, default=0) > number:
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
