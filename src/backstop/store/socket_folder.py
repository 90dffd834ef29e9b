"""The folder of a socket whose home has too long a path: made when a server starts, gone with it.

It is removed under a lock that a start holds too, so that nobody removes it between its making and the server's bind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backstop.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


def prefix() -> str:
    """Return how the names of this user's folders begin."""
    return f"backstop-{os.getuid()}-"


@contextlib.contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Make a folder, and keep `clear` of every process from it while the block lasts.

    Raises:
        ConfigurationError: one of that name in the temporary folder is not this user's alone: its name can be guessed,
            and who made it could answer in the server's place.
    """
    with contextlib.ExitStack() as held:
        while not _is_made(folder, held):
            pass
        yield


def clear(folder: Path) -> None:
    """Remove a folder that holds nothing but the socket of a server that is gone; one that is kept is left."""
    # an error says that it is kept, gone, not ours, or holds more
    with contextlib.suppress(OSError), _claimed(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as is_there:
        path = folder / "s"
        if is_there and not _listens(path):
            path.unlink(missing_ok=True)
            folder.rmdir()


def sweep() -> None:
    """Remove what servers left that were killed and whose home nobody starts again."""
    # Python finds no temporary folder on a full disk: what is wrong then is told by whoever has to write
    with contextlib.suppress(FileNotFoundError):
        for folder in Path(tempfile.gettempdir()).glob(f"{prefix()}*"):
            clear(folder)


def _is_made(folder: Path, held: contextlib.ExitStack) -> bool:
    # `exist_ok` is not enough: it raises for a folder that is removed while it looks
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    try:
        if folder.name.startswith(prefix()):
            _require_ours(folder)
        return held.enter_context(_claimed(folder, fcntl.LOCK_SH))
    except FileNotFoundError:
        return False


def _require_ours(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigurationError(
            f"{folder} should be a folder of user {os.getuid()} that nobody else may open, for the socket of the "
            f"embedded Redis; it is {stat.filemode(found.st_mode)} of user {found.st_uid}. Remove it, choose another "
            "temporary folder with TMPDIR, or give the home a path of fewer characters."
        )


@contextlib.contextmanager
def _claimed(folder: Path, how: int) -> Iterator[bool]:
    """Lock a folder; yields whether what is locked still has its name: it may have been removed and made again."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, how)
        yield os.path.samestat(os.fstat(handle), folder.lstat())
    finally:
        os.close(handle)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(0)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # one that is too busy to take another is no dead one
    return True
