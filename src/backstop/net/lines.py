"""Files of lines to which several processes append, and which one may rewrite meanwhile: no line is lost or torn."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def append(path: Path, line: bytes) -> None:
    """Add a line in one write; the file and its folder are made when they are missing.

    A line that stands without its end, because its writer was killed, gets one first.

    Raises:
        OSError: the line did not fit whole; what was written of it is taken back.
    """
    with locked(path) as handle:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        whole = (b"\n" if torn else b"") + line + b"\n"
        if os.write(handle, whole) < len(whole):
            os.ftruncate(handle, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def rewrite(path: Path, lines: list[bytes], *, changed: bool) -> None:
    """Replace a file that is held by these lines; without any the file goes."""
    if not lines:
        path.unlink()
    elif changed:
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.write_bytes(b"".join(line + b"\n" for line in lines))
        draft.replace(path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a file, made when it is missing; one that was replaced while this waited is opened again."""
    while True:
        handle = _opened(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, path):
                yield handle
                return
        finally:
            os.close(handle)


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
