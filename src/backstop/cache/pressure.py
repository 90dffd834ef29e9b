"""Memory pressure: how short of memory the machine is, and how much of its own the cache then gives back."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Final

CGROUP: Final = Path("/sys/fs/cgroup")
MEMINFO: Final = Path("/proc/meminfo")


class Level(IntEnum):
    """How short memory is."""

    CALM = 0
    HIGH = 1
    CRITICAL = 2


SHARES: Final = {Level.CALM: 1.0, Level.HIGH: 0.5, Level.CRITICAL: 0.125}
"""Share of its bytes that the cache keeps at each level: the hottest eighth of a Zipf load answers half of it."""

RISES: Final = {Level.HIGH: 0.85, Level.CRITICAL: 0.95}
"""Share of memory in use from which a level holds."""

RELAXES: Final = 0.05
"""A level is left only this far below its threshold, so that a value at the edge does not empty and fill the cache."""


def level_of(used: float, before: Level) -> Level:
    """Return the level for a share of memory in use, given the level until now.

    >>> level_of(0.9, Level.CALM).name, level_of(0.82, Level.HIGH).name, level_of(0.7, Level.HIGH).name
    ('HIGH', 'HIGH', 'CALM')
    """
    reached = max((level for level, share in RISES.items() if used >= share), default=Level.CALM)
    if reached >= before:
        return reached
    held = [level for level, share in RISES.items() if level <= before and used >= share - RELAXES]
    return max(reached, *held) if held else reached


def memory_used(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> float:
    """Return the share of memory in use: of the container's bound where there is one, otherwise of the machine's.

    0 where the system tells neither: the cache then keeps to its own bound only.
    """
    shares = [share for share in (_of_container(cgroup), _of_machine(meminfo)) if share is not None]
    return max(shares, default=0.0)


def _of_container(folder: Path) -> float | None:
    try:
        bound = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
    except OSError:
        return None
    if bound == "max":
        return None
    # pages of files that can be dropped at any time are no shortage
    return max(0, used - int(stat.get("inactive_file", 0))) / int(bound)


def _of_machine(path: Path) -> float | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    if "MemAvailable" not in sizes:
        return None
    return 1 - sizes["MemAvailable"] / sizes["MemTotal"]
