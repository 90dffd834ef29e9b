"""Run a command that ends with its starter, even when that one is killed: python -m deployments.guard COMMAND.

The starter holds the other end of this process's standard input. When it closes, for whatever reason, the command is
interrupted, and killed if it does not end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

END_LIMIT_S = 2.0
"""A server that ends by itself does so in a second; its database survives being killed."""


def main(command: list[str]) -> int:
    """Run the command until it ends or the starter is gone; return its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_follow, args=(child,), daemon=True).start()
    return child.wait()


def _follow(child: subprocess.Popen[bytes]) -> None:
    # not by `sys.stdin`: its lock, held here, would abort the interpreter when the command ends by itself
    while os.read(sys.stdin.fileno(), 1024):
        pass
    child.send_signal(signal.SIGINT)
    try:
        child.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
