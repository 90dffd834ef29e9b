"""Releases on one machine: a folder per version under the home, `current` and `previous` pointing at two of them.

releases/v1.4-3-gabc1234/          the tree of one commit
releases/v1.4-3-gabc1234/.venv     an interpreter of its own: its code first, then the packages of its lock
releases/current -> v1.4-3-gabc1234
environments/8f1c...               the packages of one lock, shared by every release that has it
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backstop.errors import BackstopError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK: Final = "requirements-server.lock"
"""Every package of an installation that serves, with hashes; resolved by scripts/lock."""

KEEP: Final = 3
"""Releases that stay on disk: the one that runs, the one before, and one whose runs may not be over."""

TAIL: Final = 1500
"""Characters of a failed step's output that are shown."""


class StepFailed(BackstopError):
    """A step of a deployment did not succeed; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the code, ready to run.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def name(self) -> str:
        """What git calls it."""
        return self.root.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / ".venv" / "bin" / "python"

    def run(self, what: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run one of its modules, in its folder and with its packages; return what it printed.

        Raises:
            StepFailed: it ended with another code than 0.
        """
        done = subprocess.run(
            [self.python, "-m", *arguments],
            cwd=self.root,
            env={**own_code(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-TAIL:]
            raise StepFailed(f"{what} of {self.name} failed with code {done.returncode}: {said}", source=what)
        return done.stdout


class Releases:
    """The releases of a home.

    Args:
        home: The home; `releases` and `environments` lie in it.
    """

    def __init__(self, home: Path) -> None:
        self.root = home.resolve() / "releases"
        self.environments = home.resolve() / "environments"

    @property
    def current(self) -> Release | None:
        """The release that runs, `None` before the first."""
        return self._pointed_at("current")

    @property
    def previous(self) -> Release | None:
        """The release that ran before."""
        return self._pointed_at("previous")

    def named(self, name: str) -> Release | None:
        """Return a release that is installed, `None` when there is none of that name."""
        root = self.root / name
        return Release(root) if (root / ".venv" / "bin" / "python").exists() else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second deployment out.

        Raises:
            BackstopError: another one is under way.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackstopError(
                    f"Another deployment works on {self.root}; wait for its end, then start again."
                ) from error
            yield

    def install(self, checkout: Path, name: str, tree: str, packages: Path | None = None) -> Release:
        """Put the tree of a commit into a folder of its own; one that is there already is taken as it is.

        Args:
            checkout: The repository.
            name: Of the release.
            tree: What git calls the tree.
            packages: Folder of installed packages to use; by default those of the tree's lock, installed when missing.
        """
        if known := self.named(name):
            return known
        fresh = self.root / f".incoming-{name}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        export(checkout, tree, fresh)
        interpreter(fresh, self.root / name, packages or self._packages(fresh / LOCK))
        fresh.rename(self.root / name)
        return Release(self.root / name)

    def switch(self, release: Release) -> None:
        """Make a release the current one, and the current one the previous."""
        before = self.current
        if before == release:
            return
        if before is not None:
            self._point("previous", before)
        self._point("current", release)

    def put_back(self, current: Release | None, previous: Release | None) -> None:
        """Point `current` and `previous` where they pointed before a deployment failed; at nothing for `None`."""
        for pointer, release in (("previous", previous), ("current", current)):
            if release is None:
                (self.root / pointer).unlink(missing_ok=True)
            else:
                self._point(pointer, release)

    def forget(self, release: Release) -> None:
        """Remove a release that is neither current nor previous."""
        if release not in {self.current, self.previous}:
            shutil.rmtree(release.root, ignore_errors=True)

    def prune(self) -> list[str]:
        """Remove all but the newest releases; return the names of those that went."""
        installed = sorted(
            (each for each in self.root.iterdir() if each.is_dir() and not each.is_symlink() and each.name[0] != "."),
            key=lambda each: each.stat().st_mtime,
        )
        kept = {each.root for each in (self.current, self.previous) if each}
        old = [each for each in installed[:-KEEP] if each not in kept]
        for each in old:
            shutil.rmtree(each)
        return [each.name for each in old]

    def _pointed_at(self, pointer: str) -> Release | None:
        link = self.root / pointer
        return Release(link.resolve()) if link.is_symlink() and link.exists() else None

    def _point(self, pointer: str, release: Release) -> None:
        fresh = self.root / f".{pointer}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(release.name)
        fresh.replace(self.root / pointer)

    def _packages(self, lock: Path) -> Path:
        """Install the packages of a lock into an environment named for its content, once.

        Raises:
            StepFailed: they could not be installed.
        """
        home = self.environments / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            _call([sys.executable, "-m", "venv", str(home)])
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _call([*pip, "--no-deps", "--require-hashes", "--requirement", str(lock)])
            (home / "complete").touch()
        return site_packages(home)


def describe(checkout: Path, *, committed: bool) -> tuple[str, str]:
    """Return a name for what a checkout holds, and the git tree of it.

    Args:
        checkout: The repository.
        committed: Whether only committed work may be deployed; otherwise changes of tracked files come along, and the
            name says so.

    Raises:
        ConfigurationError: it is not a git checkout, or has changes although it must not.
    """
    name = _git(checkout, "describe", "--always", "--tags").replace("/", "-")  # a tag's slash would be a folder
    changed = _git(checkout, "status", "--porcelain", "--untracked-files=no")
    if not changed:
        return name, _git(checkout, "rev-parse", "HEAD^{tree}")
    if committed:
        raise ConfigurationError(
            f"The checkout has changes that are not committed ({changed.splitlines()[0].strip()}, ...); commit them, "
            "so that the release has a name that says what it is."
        )
    tree = _git(checkout, "rev-parse", f"{_git(checkout, 'stash', 'create')}^{{tree}}")
    return f"{name}-dirty-{tree[:8]}", tree


def export(checkout: Path, tree: str, target: Path) -> None:
    """Write the files of a git tree into a folder.

    Raises:
        StepFailed: git has no such tree, or was cut off.
    """
    try:
        with (
            subprocess.Popen(["git", "archive", tree], cwd=checkout, stdout=subprocess.PIPE) as archive,
            tarfile.open(fileobj=archive.stdout, mode="r|") as files,
        ):
            files.extractall(target, filter="data")
    except tarfile.ReadError as error:
        raise StepFailed(f"git archive of {tree} wrote no whole archive: {error}.", source="install") from error
    if archive.returncode:
        raise StepFailed(f"git archive of {tree} failed with code {archive.returncode}.", source="install")


def interpreter(folder: Path, final: Path, packages: Path) -> None:
    """Give a release an interpreter that finds its own code first, then the packages; no file of theirs is copied.

    Args:
        folder: Where the release is being made.
        final: Where it will lie.
        packages: Folder of installed packages.
    """
    _call([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")])
    lines = [str(final / "src"), str(final), f"import site; site.addsitedir({str(packages)!r})"]
    (site_packages(folder / ".venv") / "release.pth").write_text("\n".join(lines) + "\n")
    command = folder / ".venv" / "bin" / "backstop"
    command.write_text(f"#!{final}/.venv/bin/python\nfrom backstop.cli import main\n\nmain()\n")
    command.chmod(0o755)


def site_packages(environment: Path) -> Path:
    """Return where a virtual environment keeps its packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))


def own_code() -> dict[str, str]:
    """Return this process's environment for a release: without the path on which the deployer finds its own code."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _git(checkout: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise ConfigurationError(f"{checkout} cannot be deployed: git {arguments[0]} says: {said.strip()}") from error
    return done.stdout.strip()


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-TAIL:]
        raise StepFailed(f"{' '.join(command[:4])} failed with code {done.returncode}: {said}", source="install")
