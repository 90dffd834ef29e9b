"""Who works on a key: a process on a machine, so that a killed one is recognised at once where it ran."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def owner() -> str:
    """Return this process as `host/pid/start`; the start time tells a reused process id apart."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def is_gone(lease_owner: str) -> bool:
    """Return whether an owner is known to be dead; of another machine's processes nothing is known."""
    host, pid, started = lease_owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return started != _started(int(pid))


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; `0` where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "0"
    # the second field is the command in parentheses and may hold spaces: count from behind it
    return fields.rsplit(")", 1)[1].split()[19]
