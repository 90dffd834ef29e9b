"""The progress display of a long command: a line per stage, fed by the progress events of the library."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from backstop import telemetry
from backstop.excerpt import excerpt

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


@contextlib.contextmanager
def shown(console: Console, title: str) -> Iterator[None]:
    """Show a line per stage while the block runs; a stage's total grows as it learns of more."""
    # notes hold ids that feeds make up: they are text, whatever brackets or control characters are in them
    columns = (TextColumn("{task.description:<18}", markup=False), BarColumn(24), MofNCompleteColumn(),
               TimeElapsedColumn(), TextColumn("{task.fields[note]}", style="dim", markup=False))  # fmt: skip
    lines: dict[str, TaskID] = {}
    lock = threading.Lock()
    console.print(title, style="bold", markup=False, highlight=False)
    with Progress(*columns, console=console) as bars:

        def on_progress(event: telemetry.Progress) -> None:
            with lock:
                if event.stage not in lines:
                    lines[event.stage] = bars.add_task(event.stage, total=0, note="")
                line = lines[event.stage]
                known = next(task.total or 0 for task in bars.tasks if task.id == line)
                bars.update(line, total=known + event.total, note=excerpt(event.note))
                bars.advance(line, event.done)

        with telemetry.listening(on_progress):
            yield
