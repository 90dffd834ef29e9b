"""Run the tests, and those that failed once more by themselves: python -m scripts.tested [OPTIONS OF PYTEST]

Beside others on a busy machine, one of thousands of tests that drive servers and kill processes may miss what it waits
for. A fault fails again when nothing runs beside it, and the command with it. What passes then is named as unsteady: it
is mended like any other fault, but does not keep a change from being judged. More than `MOST` are not tried again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

FAILED: Final = Path(".pytest_cache/v/cache/lastfailed")
"""Where pytest keeps the names of tests that failed, below the folder it runs in."""

MOST: Final = 3
SOME_FAILED: Final = 1
"""Pytest's exit code; others say that it could not run."""

BY_ITSELF: Final = ("--last-failed", "--last-failed-no-failures=none", "-n", "0")


def names() -> list[str]:
    """Return the tests that failed in the run before this call."""
    return sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []


def main(options: Sequence[str]) -> int:
    """Run the tests; return pytest's exit code, 0 where all that failed passed by themselves."""
    FAILED.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *options]
    ended = subprocess.run(command, check=False).returncode
    failed = names()
    if ended != SOME_FAILED or not 0 < len(failed) <= MOST:
        return ended
    print(f"\nOnce more, by themselves: {', '.join(failed)}", flush=True)
    if again := subprocess.run([*command, *BY_ITSELF], check=False).returncode:
        return again
    print(f"\nUNSTEADY, to be mended: {', '.join(failed)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
