"""Who works on a key: a process on a machine, so that a killed one is recognised at once where it ran."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def owner() -> str:
    """Return this process as `host/pid/start/space`.

    The start time tells a reused process id apart. The space is the kernel's number of the process ids' namespace:
    containers on one machine may share its host name, and each counts its processes from 1.
    """
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}/{_space()}"


def is_known(lease_owner: str) -> bool:
    """Return whether an owner's process can be seen from here, if it lives."""
    host, _, _, *space = lease_owner.split("/")
    # a release before named no space
    return host == socket.gethostname() and space in ([], [_space()])


def is_gone(lease_owner: str) -> bool:
    """Return whether an owner is known to be dead; of processes that cannot be seen from here nothing is known."""
    if not is_known(lease_owner):
        return False
    _, pid, started, *_ = lease_owner.split("/")
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return started != _started(int(pid))


def _space() -> str:
    """Return the number of the namespace of process ids; `0` where the system does not tell."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:[").removesuffix("]")
    except OSError:
        return "0"


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; `0` where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "0"
    # the second field is the command in parentheses and may hold spaces: count from behind it
    return fields.rsplit(")", 1)[1].split()[19]
