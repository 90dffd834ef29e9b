"""The tools that ours is measured beside, each set in a virtual environment of its own: benchmarks/peers/NAME.txt."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = Path(__file__).with_name("peers")
MADE = ROOT / ".bench"
"""Where they are made, on first use; `make clean` removes them."""


def python(name: str, given: Path | None = None) -> Path | None:
    """Return the interpreter that has the tools of `peers/NAME.txt`, made when there is none yet.

    Args:
        name: Of the list.
        given: An interpreter that has them already; returned as it is.

    Returns:
        `None`, after a line that says so, where they cannot be installed: the benchmark goes on without them.
    """
    if given is not None:
        return given
    found = MADE / name / "bin" / "python"
    ready = MADE / name / "ready"
    wanted = (PINNED / f"{name}.txt").read_text(encoding="utf-8")
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return found
    print(f"making .bench/{name} from benchmarks/peers/{name}.txt", file=sys.stderr)
    venv.create(MADE / name, with_pip=True, clear=True)
    install = [str(found), "-m", "pip", "install", "--quiet", "-r", str(PINNED / f"{name}.txt")]
    if subprocess.run(install, check=False).returncode != 0:
        print(f"peers/{name}.txt could not be installed: these tools are left out", file=sys.stderr)
        return None
    ready.write_text(wanted, encoding="utf-8")
    return found
