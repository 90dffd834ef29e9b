"""Flow processes that start at once: Prefect and Great Expectations are imported here, and every run is a fork of it.

    python -m tests.operations.nursery          # a job per line on standard input, its process id on standard output
    python -m tests.operations.nursery --once   # the jobs in this very process: for what does not bear a fork (Dask)

A job is JSON: `flow` as module:function, `parameters`, `environment`, `result` (a file that takes the outcome), and
optionally `stage` and `folder` to stop at a moment, or `armed`: a function and what it takes, called before the flow. A
run that is killed writes no result.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Self


def main() -> None:
    warnings.simplefilter("ignore")
    import flows.slate  # noqa: F401 - this is the point: five seconds, once

    if "--once" in sys.argv:
        for line in sys.stdin:
            run(json.loads(line))
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended runs are not kept as zombies
    _say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                run(json.loads(line))
            finally:
                os._exit(0)
        _say(str(pid))


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def run(job: dict[str, Any]) -> None:
    """Run one flow, and write how it ended."""
    os.environ.update(job["environment"])
    from backstop.stages.house import House
    from tasks import runner
    from tests.operations import moments

    if job.get("stage"):
        moments.arm(job["stage"], Path(job["folder"]))
    if job.get("armed"):
        _named(job["armed"]["by"])(**job["armed"]["with"])
    flow = _named(job["flow"])
    flow = flow.with_options(task_runner=runner.chosen())  # it was imported before its settings were known
    state = flow(**job["parameters"], return_state=True)
    House.close_all()  # as the end of an interpreter does: a fork ends without it
    done = Path(job["result"])
    text = json.dumps({"name": state.name, "message": str(state.message or "")})
    done.with_suffix(".partial").write_text(text)
    done.with_suffix(".partial").replace(done)


def _named(text: str) -> Any:
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)


class Nursery:
    """A running nursery; a context manager."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._started: list[int] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.operations.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self._environment},
        )
        self._told("ready")
        return self

    def start(self, **job: Any) -> int:
        """Start a run; return its process id."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        pid = int(self._told())
        self._started.append(pid)
        return pid

    def once(self, limit_s: float, *jobs: dict[str, Any]) -> None:
        """Run jobs one after the other in one interpreter of their own, and wait for its end."""
        subprocess.run(
            [sys.executable, "-m", "tests.operations.nursery", "--once"],
            input="".join(json.dumps(job) + "\n" for job in jobs),
            env={**os.environ, **self._environment},
            timeout=limit_s,
            text=True,
            check=True,
        )

    def _told(self, expected: str | None = None) -> str:
        line = self._process.stdout.readline().strip()
        assert line == expected or (expected is None and line), "the nursery ended: its own word stands above"
        return line

    def __exit__(self, *_: object) -> None:
        for pid in self._started:  # a run that a failed test left behind
            if _parent(pid) == self._process.pid:
                os.kill(pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _parent(pid: int) -> int | None:
    """Return a process's parent, `None` when it is gone: the number of one that ended may be another's by now."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


if __name__ == "__main__":
    main()
