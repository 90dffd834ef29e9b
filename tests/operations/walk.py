"""Carry out the walk-through of docs/operations.md: every command, in order, in one shell, in an empty folder.

python -m tests.operations.walk FOLDER      # clones this checkout into FOLDER/backstop; minutes
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.operations.checkout import ROOT

PAGE = ROOT / "docs" / "operations.md"


def commands(page: str) -> list[str]:
    """Return the commands of the page's console blocks, in order."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def script(page: str) -> str:
    """Return a shell script that says each command with its time, runs it, and stops at the first that fails."""
    steps = [f"echo; echo '$' {_quoted(each)}\n{each}\necho \"({{SECONDS}} s)\"" for each in commands(page)]
    return "set -eo pipefail\n" + "\n".join(steps).replace("{SECONDS}", "$SECONDS") + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def main() -> int:
    """Run it; return the shell's exit code."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BACKSTOP_", "PREFECT_"))}
    environment |= {"BACKSTOP_SOURCE": str(ROOT), "COLUMNS": "140"}
    if given := os.environ.get("BACKSTOP_PYTHON"):  # a machine that is prepared already
        environment["BACKSTOP_PYTHON"] = given
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", script(PAGE.read_text())], cwd=folder, env=environment, check=False)
    print(f"\nended with code {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
