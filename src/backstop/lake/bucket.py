"""Partitions in an object store, or in anything else that fsspec opens."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from backstop.errors import ConfigurationError, LakeError
from backstop.lake import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Names = list[str]


class Bucket:
    """A prefix on an object store, or anything else that fsspec opens.

    Args:
        url: Address with a scheme, for example `s3://bucket/lake` or `memory://lake`.
        filesystem: An fsspec filesystem; by default the one that the scheme names.

    Raises:
        ConfigurationError: fsspec does not know the scheme, or its driver is not installed.
    """

    def __init__(self, url: str, filesystem: Any | None = None) -> None:
        self.url = url.rstrip("/")
        if filesystem is None:
            filesystem, self.prefix = _open(self.url)
        else:
            self.prefix = str(filesystem._strip_protocol(self.url))  # noqa: SLF001 - fsspec's documented class API
        self.filesystem = filesystem

    def read(self, path: str) -> bytes | None:
        """Return the content of an object, `None` when there is none.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        try:
            with _explained(self.locate(path), "read"):
                return bytes(self.filesystem.cat_file(f"{self.prefix}/{path}"))
        except FileNotFoundError:
            return None

    def read_many(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of objects in their order, those that are there, asked for at once.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        if not paths:
            return []
        wanted = {f"{self.prefix}/{path}": path for path in paths}
        with _explained(self.url, "read"):
            # not "omit", which leaves out whatever could not be read
            found: dict[str, bytes | Exception] = self.filesystem.cat(list(wanted), recursive=False, on_error="return")
        return [content for path in wanted if (content := self._content(wanted[path], found[path])) is not None]

    def _content(self, path: str, answer: bytes | Exception) -> bytes | None:
        """Return what was read, `None` of an object that is not there; raise any other error."""
        if isinstance(answer, FileNotFoundError):
            return None
        with _explained(self.locate(path), "read"):
            if isinstance(answer, Exception):
                raise answer
        return bytes(answer)

    def replace(self, path: str, content: bytes) -> None:
        """Put an object in one request: stores show it when it is complete.

        Raises:
            LakeError: the store does not answer, or refuses; the old content stands.
        """
        with _explained(self.locate(path), "replaced", absent=False):
            self.filesystem.pipe_file(f"{self.prefix}/{path}", content)

    def create(self, path: str, content: bytes) -> bool:
        """Put an object unless there is one, and return whether it was put: of several who try, one does.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        with _explained(self.locate(path), "created", absent=False):
            try:
                self.filesystem.pipe_file(f"{self.prefix}/{path}", content, mode="create")
            except OSError as error:
                if _is_taken(error):
                    return False
                raise
        return True

    def remove(self, path: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        with contextlib.suppress(FileNotFoundError), _explained(self.locate(path), "removed"):
            self.filesystem.rm_file(f"{self.prefix}/{path}")

    def list(self, folder: str) -> list[str]:
        """Return the names directly under a prefix, sorted, without those that turns are taken by.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        return [name for name in self.names(folder) if not name.startswith(turns.MARK)]

    def names(self, folder: str) -> Names:
        """Return all names directly under a prefix, sorted.

        Raises:
            LakeError: the store does not answer, or refuses.
        """
        where = f"{self.prefix}/{folder}".rstrip("/")
        # what another process wrote is not in this one's listing cache
        self.filesystem.invalidate_cache()
        try:
            with _explained(self.locate(folder), "listed"):
                entries = self.filesystem.ls(where, detail=False)
        except FileNotFoundError:
            return []
        return sorted(str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)

    def locate(self, path: str) -> str:
        """Return the address of an object."""
        return f"{self.url}/{path}"

    @contextlib.contextmanager
    def turn(self, folder: str) -> Iterator[Callable[[], None]]:
        """Hold a lock on a prefix, against threads and other processes.

        Yields what is to be called before each change, which raises once the turn was lost.

        Raises:
            LakeError: the store does not answer, or refuses; nothing was changed.
        """
        # of the threads of a process one alone asks the store
        with _TURNS[f"{self.url}/{folder}"], turns.held(self, folder) as renew:
            yield renew


_TURNS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def _open(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415 - only installations with an object store pay for it
    except ImportError as error:
        raise ConfigurationError(f"{url} needs the package fsspec; install it, or use a folder.") from error
    try:
        filesystem, prefix = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{url} cannot be opened: {error}. Use a folder, or install the driver.") from error
    return filesystem, str(prefix)


@contextlib.contextmanager
def _explained(address: str, doing: str, *, absent: bool = True) -> Iterator[None]:
    """Turn what a store's driver raises into an error of ours; that something is absent only where it must be there."""
    known: tuple[type[Exception], ...] = (OSError, *_driver_errors())
    try:
        yield
    except FileNotFoundError as error:
        if absent:
            raise
        raise _failed(address, doing, error) from error
    except known as error:
        raise _failed(address, doing, error) from error


def _failed(address: str, doing: str, error: Exception) -> LakeError:
    return LakeError(
        f"{address} could not be {doing} ({error}); the old content stands. Check the store, its address and the "
        "credentials in the environment, then run again.",
        source=address,
    )


def _is_taken(error: OSError) -> bool:
    """Return whether an object was not created as there is one; s3fs knows only where a store names the condition."""
    answer: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    # of two at the same instant S3 tells one that they conflict
    refused = {"PreconditionFailed", "ConditionalRequestConflict"}
    return isinstance(error, FileExistsError) or answer.get("Error", {}).get("Code") in refused


def _driver_errors() -> tuple[type[Exception], ...]:
    """Return what S3's driver raises beside OSError: no connection, no credentials."""
    botocore = sys.modules.get("botocore.exceptions")
    return () if botocore is None else (botocore.BotoCoreError,)
