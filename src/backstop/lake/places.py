"""Where partitions live: a folder on disk, or any address that fsspec knows.

A place replaces a whole file at once and never shows half of one. On disk that is a temporary file, synced and renamed
over the old one; on an object store it is a single put, which such stores make visible when it is complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from backstop.errors import ConfigurationError, LakeError
from backstop.lake.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

TEMPORARY = ".tmp-"
"""Prefix of a file that is being written; a crash may leave one, readers never look at it."""

LOCAL: Final = frozenset({"file", "local"})
"""Schemes of the local disk. What fsspec opens for them writes in place; a folder does not."""

IN_PLACE: Final = frozenset({"ftp", "hdfs", "sftp", "smb", "ssh", "webhdfs"})
"""Schemes of file servers, which have no put that shows a file when it is whole."""


class Place(Protocol):
    """A tree of files that are replaced whole.

    Whatever the disk or the store refuses is a `LakeError` that names the file.
    """

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, `None` when there is none."""

    def read_many(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files in their order, those that are there."""

    def replace(self, path: str, content: bytes) -> None:
        """Put content in place of a file, whole or not at all."""

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    def list(self, folder: str) -> list[str]:
        """Return the names directly in a folder, sorted; empty when there is no folder."""

    def locate(self, path: str) -> str:
        """Return the full address of a file, for people and for Polars."""

    def turn(self, folder: str) -> AbstractContextManager[Callable[[], None]]:
        """Wait for the turn to read files of a folder and replace them by what was made of them.

        What it yields is to be called before each change: it raises `LakeError` once the turn was lost.
        """


class Folder:
    """A folder on a local disk.

    Args:
        root: The folder; created when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, `None` when there is none.

        Raises:
            LakeError: the disk refuses.
        """
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self.root / path, "read", error) from error

    def read_many(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files in their order, those that are there."""
        return [content for path in paths if (content := self.read(path)) is not None]

    def replace(self, path: str, content: bytes) -> None:
        """Write beside the file, sync, and rename over it.

        Raises:
            LakeError: the disk is full or the folder cannot be written.
        """
        target = self.root / path
        beside = target.with_name(f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with _opened(beside) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise LakeError(
                f"{target} could not be replaced ({error.strerror or error}); the old content stands. "
                "Make room or permit writing there, then run again.",
                source=path,
            ) from error

    def remove(self, path: str) -> None:
        """Remove a file and the folder that it leaves empty; one that is not there is no error.

        Raises:
            LakeError: the disk refuses.
        """
        target = self.root / path
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(target, "removed", error) from error
        with contextlib.suppress(OSError):
            target.parent.rmdir()

    def list(self, folder: str) -> list[str]:
        """Return the names directly in a folder, sorted, without files that are being written.

        Raises:
            LakeError: the disk refuses.
        """
        where = self.root / folder
        try:
            return sorted(entry.name for entry in where.iterdir() if not entry.name.startswith(TEMPORARY))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _refused(where, "listed", error) from error

    def locate(self, path: str) -> str:
        """Return the path of a file."""
        return str(self.root / path)

    @contextlib.contextmanager
    def turn(self, folder: str) -> Iterator[Callable[[], None]]:
        """Hold a lock on a folder, against threads and other processes; it ends with whoever holds it, never before.

        Raises:
            LakeError: the folder cannot be written, or its file system knows no locks.
        """
        lock = self.root / folder / f"{TEMPORARY}turn"
        try:
            file = _opened(lock)
        except OSError as error:
            raise _no_turn(lock, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise _no_turn(lock, error) from error
            yield lambda: None


def _opened(path: Path) -> BinaryIO:
    """Open a new file, its folder made; again where another process removed the empty folder in between."""
    for _ in range(20):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            return path.open("wb")
    return path.open("wb")


def _refused(path: Path, doing: str, error: OSError) -> LakeError:
    return LakeError(
        f"{path} could not be {doing} ({error.strerror or error}); nothing was changed. Look at the disk and at the "
        "rights of whoever runs this, then run again.",
        source=str(path),
    )


def _no_turn(lock: Path, error: OSError) -> LakeError:
    return LakeError(
        f"{lock} could not be locked ({error.strerror or error}); nothing was changed. Permit writing there, on a file "
        "system that knows locks, then run again.",
        source=str(lock),
    )


def _sync_folder(folder: Path) -> None:
    """Make a rename survive power loss: the folder's own entry is synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def place_of(root: Path | str) -> Place:
    """Return the place that a path or an address names.

    Raises:
        ConfigurationError: the address has a scheme that fsspec cannot open, or of servers that show half a file.
    """
    scheme, named, rest = str(root).partition("://") if isinstance(root, str) else ("", "", "")
    if not named:
        return Folder(Path(root))
    if scheme.lower() in LOCAL:
        return Folder(Path(rest))
    if scheme.lower() in IN_PLACE:
        raise ConfigurationError(
            f"{root} is on a server that writes files in place, so a reader would see half-written rows and a crash "
            "would lose the old ones. Use a folder, for instance a mounted one, or an object store."
        )
    return Bucket(str(root))
