"""The servers that a run left running for inspection (`--keep`), and how they are stopped.

Processes are noted with a word of their command line: an id may belong to somebody else by the time it is used.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from backstop.store import embedded

STOP_LIMIT_S = 10.0
START_LIMIT_S = 1.0


def note(home: Path, processes: Sequence[tuple[str, int]], redis_home: Path | None) -> None:
    """Add processes (word of the command line, process id) and an embedded Redis to the note of a home."""
    running, stores = _read(home)
    stores |= {str(redis_home.absolute())} if redis_home is not None else set()
    write(_file(home), {"processes": [*running, *processes], "redis": sorted(stores)})


def write(file: Path, known: object) -> None:
    """Write a note as JSON, whole or not at all: who is killed meanwhile leaves the one before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2))
    fresh.replace(file)


def stop(home: Path) -> list[str]:
    """End everything in a home's note and return what was ended, in words.

    A run of the demo league is noted in the installation that holds its home; the note is found from either.
    """
    home = home.absolute()
    if str(home / "redis") in _read(home.parent)[1]:
        home = home.parent
    running, stores = _read(home)
    # a run that was killed leaves its embedded Redis up without a note
    stores |= {str(folder) for folder in (home / "redis", home / "demo" / "redis") if folder.is_dir()}
    ended = [f"{word} (process {pid})" for word, pid in running if end(word, pid)]
    ended += [f"Redis under {folder}" for folder in sorted(stores) if embedded.stop(Path(folder))]
    _file(home).unlink(missing_ok=True)
    return ended


def runs(word: str, pid: int) -> bool:
    """Return whether a noted process still runs."""
    return word in _command(pid)


def end(word: str, pid: int) -> bool:
    """End a process if it is still the one noted."""
    if not runs(word, pid):
        return False
    deadline = time.monotonic() + STOP_LIMIT_S
    with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
        os.kill(pid, signal.SIGINT)
        while runs(word, pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    return True


def _command(pid: int) -> str:
    """Return a process's command line, empty when there is no such process (or it has ended but was not waited for)."""
    proc = Path("/proc")
    if not (proc / "self").exists():  # macOS
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()
    deadline = time.monotonic() + START_LIMIT_S
    try:
        # one that has just been started has none for a moment, while it changes programs
        while not (command := (proc / str(pid) / "cmdline").read_bytes()):
            state = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2][:1]
            if state in {"Z", "X"} or time.monotonic() > deadline:
                return ""
            time.sleep(0.005)
    except OSError:
        return ""
    return command.replace(b"\0", b" ").decode(errors="replace")


def _read(home: Path) -> tuple[list[tuple[str, int]], set[str]]:
    try:
        known = orjson.loads(_file(home).read_bytes())
    except FileNotFoundError:
        return [], set()
    return [(str(word), int(pid)) for word, pid in known["processes"]], set(known["redis"])


def _file(home: Path) -> Path:
    return home / "kept.json"
