"""Checkouts to deploy: this one as it lies here, and a toy one whose steps fail on demand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TOY = {
    "deployments/__init__.py": "",
    "deployments/schema.py": "import deployments.step",
    "deployments/apply.py": "import deployments.step",
    "deployments/smoke.py": "import deployments.step",
    # a step notes that it ran, by which release and with which arguments, and fails when its name is in `fails`
    "deployments/step.py": """
        import json, pathlib, sys
        root = pathlib.Path(__file__).parents[1]
        name = pathlib.Path(sys.argv[0]).stem
        with (root.parents[1] / "steps").open("a") as steps:
            steps.write(json.dumps([root.name, name, *sys.argv[1:]]) + "\\n")
        if name in (root / "fails").read_text().split():
            sys.exit(f"{name} was told to fail")
        """,
    "fails": "",
}


class Checkout:
    """A git repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of_this(cls, folder: Path) -> Checkout:
        """Copy this checkout as it lies here, committed or not, without what git ignores."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():  # a file that is being moved is tracked and not there
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        return cls(folder).begin()

    @classmethod
    def toy(cls, folder: Path) -> Checkout:
        """Write the toy."""
        made = cls(folder)
        for name, text in TOY.items():
            made.write(name, text)
        return made.begin()

    def begin(self) -> Checkout:
        self.git("init", "--quiet")
        self.commit("the first")
        return self

    def write(self, name: str, text: str) -> None:
        lines = text.strip("\n").splitlines()
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text("\n".join(line[indent:] for line in lines) + "\n")

    def replace(self, name: str, before: str, after: str) -> None:
        text = (self.folder / name).read_text()
        assert before in text, f"{name} does not hold {before!r}"
        (self.folder / name).write_text(text.replace(before, after))

    def commit(self, message: str) -> str:
        """Commit everything; return the name that a release of it has."""
        self.git("add", "--all", "--force")
        self.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--message", message)
        return self.git("describe", "--always", "--tags").strip()

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True).stdout
