"""Build what the Dockerfile builds, in a folder instead of an image, and start every command of compose.yaml there.

    python -m scripts.rehearse_image FOLDER

No container engine is needed: the instructions of the build stage are carried out one by one, COPY by copying, RUN by a
shell in the folder. What only an engine can show (the user, the read-only root, the network) is not shown by it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deployments" / "docker" / "Dockerfile"
LEFT_OUT = shutil.ignore_patterns("__pycache__")
TOOK_OPTIONS_S = 5.0
"""A command with a wrong option, or of a module that is not there, ends sooner."""


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (instruction, rest) of a Dockerfile, continuation lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in joined.splitlines()]


def stages(text: str) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, from its FROM on."""
    steps = instructions(text)
    starts = [number for number, (word, _) in enumerate(steps) if word == "FROM"]
    return [steps[first:last] for first, last in zip(starts, [*starts[1:], None], strict=True)]


def build(folder: Path) -> None:
    """Carry out the build stage in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for word, rest in stages(DOCKERFILE.read_text())[0]:
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                _copy(ROOT / source, folder / target, source)
        elif word == "RUN":
            print(f"RUN {rest}", flush=True)
            subprocess.run(["sh", "-ec", rest], cwd=folder, check=True)


def _copy(source: Path, target: Path, name: str) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target / Path(name).name)


def commands() -> list[list[str]]:
    """Return every command that compose.yaml gives a container of ours, and the image's own."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return [each["command"] for each in services.values() if "command" in each and "build" in each]


def start(folder: Path, command: list[str]) -> str:
    """Start a command as its container would, without the servers that it needs; return how it took it."""
    environment = {
        "PATH": f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "PREFECT_HOME": str(folder / "home" / "prefect"),
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "BACKSTOP_HOME": str(folder / "home"),
    }
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, timeout=TOOK_OPTIONS_S, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return "started"
    said = (done.stdout + done.stderr).strip()
    if re.search(r"no such option|no such command|ModuleNotFoundError|ImportError", said, re.IGNORECASE):
        raise SystemExit(f"{' '.join(command)} does not start: {said[-800:]}")
    return f"took its options, and ended with code {done.returncode} without its servers"


def main() -> None:
    """Build and try."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="made when it is missing; 1.5 GB")
    folder = parser.parse_args().folder.resolve()
    build(folder)
    for command in commands():
        print(f"{' '.join(command)}: {start(folder, command)}", flush=True)
    size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    print(f"{size / 1e9:.2f} GB")


if __name__ == "__main__":
    sys.exit(main())
