"""What strikes a run from within its own process, and where: at a stage's worst moment, or at the n-th crossing.

A crossing is a call after which something is kept: an answer archived, a key taken or closed in the ledger, a file of the
lake replaced, a draft opened, written or flipped. They are counted over all threads of a process, so that "after the 41st"
says roughly the same in every run, on an idle and on a busy machine.
"""

from __future__ import annotations

import datetime as dt
import errno
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backstop.clock import SystemClock
from backstop.lake.ledger import Ledger
from backstop.lake.places import Folder
from backstop.lake.quarantine import Quarantine
from backstop.net.archive import Archive
from backstop.stages import project
from backstop.store.loader import SlateWriter
from tasks import marks
from tests.operations import moments

CROSSINGS: tuple[tuple[Any, str], ...] = (
    (Archive, "put"),
    (Ledger, "begin"),
    (Ledger, "_close"),
    (Folder, "replace"),
    (Quarantine, "settle"),
    (SlateWriter, "open"),
    (SlateWriter, "load"),
    (SlateWriter, "publish"),
    (project, "project"),
    (project, "tally_days"),
)
KEPT: list[Any] = []
"""Contexts that last as long as the process: one that nobody holds is left at once."""

COUNTED = "crossings"
STRUCK = "struck"
REFUSED = "refused"
"""Written when a write was refused, not when refusing began: a run that writes nothing more was not struck."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}


def arm(kind: str, folder: str, crossing: int = 0, stage: str = "", amount: float = 0.0) -> None:
    """Prepare a process for one strike.

    Args:
        kind: `flow`, `disk-full`, `read-only`, `file-limit`, `clock`; `stop` waits there for whoever strikes from
            outside; `count` only counts crossings, `none` does nothing.
        folder: Takes what is told to the outside: `reached`, `struck`, `refused`, `crossings`.
        crossing: Number of the crossing after which it strikes.
        stage: Or a stage, at its worst moment.
        amount: Of the file limit in bytes, of the jump of the clock in hours.
    """
    logging.disable(logging.CRITICAL)  # thousands of retries are the point here
    KEPT.append(marks.unheard())
    KEPT[-1].__enter__()  # as a refresh at the terminal: no waiting for a heartbeat's thread at the end
    if kind == "none":
        return
    where = Path(folder)
    strike = _strikes(where, amount)[kind]
    if kind == "file-limit":  # only the main thread may say what a signal does
        signal.signal(signal.SIGXFSZ, lambda *_: (where / REFUSED).touch())
    if stage:
        moments.arm(stage, where)  # it stops there; for a kill from within nobody need come
        return
    counter = _Counter(where, crossing, strike)
    for owner, name in CROSSINGS:
        _after(owner, name, counter)


def _strikes(folder: Path, amount: float) -> dict[str, Callable[[], None]]:
    return {
        "count": lambda: None,
        "stop": moments._Stop(folder),
        "flow": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "disk-full": lambda: _refuse(folder, errno.ENOSPC, creating_only=True),
        "read-only": lambda: _refuse(folder, errno.EROFS, creating_only=False),
        "file-limit": lambda: _limit(int(amount)),
        "clock": lambda: _jump(dt.timedelta(hours=amount)),
    }


class _Counter:
    def __init__(self, folder: Path, crossing: int, strike: Callable[[], None]) -> None:
        self.folder, self.crossing, self.strike = folder, crossing, strike
        self.count = 0
        self.lock = threading.Lock()

    def __call__(self) -> None:
        with self.lock:
            self.count += 1
            mine = self.count
            if not self.crossing:
                (self.folder / COUNTED).write_text(str(mine))
        if mine == self.crossing:
            (self.folder / STRUCK).touch()
            self.strike()


def _after(owner: Any, name: str, counter: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def crossed(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        counter()
        return result

    setattr(owner, name, crossed)


def _refuse(folder: Path, number: int, *, creating_only: bool) -> None:
    """Let the system's own calls fail below the lake of a home, as on a disk that is full or mounted read-only.

    Python asks its audit hooks before it makes such a call, so the error comes from where it would come from.
    """
    place = str(folder / "lake")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            refused = isinstance(path, str) and path.startswith(place) and flags & WRITES
        else:
            refused = not creating_only and event in CHANGES and str(args[0]).startswith(place)
        if refused:
            (folder / REFUSED).touch()
            raise OSError(number, os.strerror(number), str(args[0]))

    sys.addaudithook(hook)


def _limit(size: int) -> None:
    """Let the kernel refuse what makes a file larger than this: a write stops half way, as on a disk that fills up."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def _jump(by: dt.timedelta) -> None:
    """Set the clock of this process, from now on."""
    now = SystemClock.now
    SystemClock.now = lambda self: now(self) + by  # type: ignore[method-assign]
