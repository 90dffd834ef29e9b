"""The moment in each stage at which a kill hurts most: work is done, and nothing says so yet.

`arm` is called in the process that runs the flow. When the moment comes, the process writes its id to a file and waits
there until it is killed or let go, so that a test kills at that moment and not roughly then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backstop import tables
from backstop.lake.ledger import Ledger
from backstop.net.archive import Archive
from backstop.stages import project
from backstop.store.loader import SlateWriter

STAGES = ("fetch", "validate", "transform", "load", "publish")

WHAT = {
    "fetch": "one answer lies in the archive, others are on their way",
    "validate": "a day of pitches lies in the lake, the ledger does not know",
    "transform": "a batch's props lie on disk, nothing is loaded",
    "load": "a batch's features stand in the draft, its props do not",
    "publish": "the slate is flipped, neither lake nor ledger know",
}

PATIENCE_S = 120.0


def arm(stage: str, folder: Path) -> None:
    """Make this process stop at a stage's moment: once, and only one thread of it."""
    stop = _Stop(folder)
    if stage == "fetch":
        _after(Archive, "put", stop, lambda *_, **__: True)
    elif stage == "validate":
        _before(Ledger, "complete", stop, lambda _self, table, *_, **__: table == tables.PITCHES.name)
    elif stage == "transform":
        _after(project, "project", stop, lambda *_, **__: True)
    elif stage == "load":
        _after(SlateWriter, "load", stop, lambda _self, _draft, kind, *_, **__: kind == "features")
    elif stage == "publish":
        _after(SlateWriter, "publish", stop, lambda *_, **__: True)
    else:
        raise ValueError(f"{stage!r} is no stage; expected one of {STAGES}")


def reached(folder: Path) -> int | None:
    """Return the id of the process that waits at its moment, `None` while none does."""
    try:
        return int((folder / "reached").read_text())
    except (FileNotFoundError, ValueError):
        return None


def let_go(folder: Path) -> None:
    """Let the process go on."""
    (folder / "go").touch()


class _Stop:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> None:
        try:
            (self.folder / "stopped").open("x").close()  # the first one, also after a retry of the flow
        except FileExistsError:
            return
        partial = self.folder / "reached.partial"
        partial.write_text(str(os.getpid()))
        partial.replace(self.folder / "reached")
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.01)


def _after(owner: Any, name: str, stop: Callable[[], None], applies: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if applies(*args, **kwargs):
            stop()
        return result

    setattr(owner, name, wrapped)


def _before(owner: Any, name: str, stop: Callable[[], None], applies: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if applies(*args, **kwargs):
            stop()
        return original(*args, **kwargs)

    setattr(owner, name, wrapped)
