"""What a home folder says of its embedded server: the socket, the process, and the lock on starting and stopping."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from backstop.store.socket_folder import prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH_BYTES: Final = 100
"""A unix socket's path may have 104 to 108 bytes, depending on the system."""

ANSWER_S: Final = 5
"""After this long without an answer a server counts as one that does not answer, not as one that is gone."""

PROC: Final = Path("/proc")


def socket_of(home: Path) -> Path:
    """Return where a home's server listens: in the home, or in the temporary folder when that path is too long."""
    path = home.resolve() / "s"
    if len(os.fsencode(path)) <= PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"{prefix()}{digest}" / "s"


def answers(home: Path) -> bool:
    """Return whether a home's server answers; one that loads its data does not yet."""
    path = socket_of(home)
    if not path.exists():
        return False
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except ResponseError:
        # a refusal is an answer too: a server that cannot write to its disk says MISCONF to a PING
        return True
    except redis.RedisError:
        return False
    finally:
        client.close()


def pid_of(home: Path) -> int | None:
    """Return the server's process id, `None` when the process in the file is not the server any more."""
    try:
        pid = int((home / "pid").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if is_ours(pid, home) else None


def is_ours(pid: int, home: Path) -> bool:
    """Return whether a process lives and is this home's server: process ids are used again."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    # Valkey and Redis rename themselves to `name unixsocket:PATH`
    return os.fsencode(socket_of(home)) in command_of(pid)


def command_of(pid: int) -> bytes:
    """Return a process's command line, empty when it ended; asked of `ps` where the system has no /proc."""
    if (PROC / "self").exists():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return b""
    return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout


def address_of(home: Path) -> str:
    """Return the URL of a home's server."""
    return f"unix://{socket_of(home)}"


@contextlib.contextmanager
def locked(home: Path) -> Iterator[IO[str]]:
    """Let one process at a time start or stop a home's server, until every copy of the file is closed."""
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition came true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
