"""What is deployed and where, what a failed deployment goes back to, and the lines that tell of it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from backstop.settings import Settings
from deployments import smoke
from deployments.release import Release, Releases

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True)
class Target:
    """What is to be deployed, and where.

    Attributes:
        environment: `development` or `production`.
        checkout: The repository whose commit is deployed.
        settings: Of the installation, with an absolute home.
        packages: Folder of installed packages to use instead of installing the lock.
        smoke: Flow that decides, as module:flow, and its parameters as JSON.
        restart: Command that restarts what runs from `current`, e.g. `systemctl restart backstop-api`.
        health: Address that must answer 200 after it.
    """

    environment: str
    checkout: Path
    settings: Settings
    packages: Path | None = None
    smoke: tuple[str, str] = (smoke.CANARY, "{}")
    restart: str | None = None
    health: str | None = None

    @property
    def releases(self) -> Releases:
        """Where its releases lie."""
        return Releases(self.settings.home)


@dataclass
class Before:
    """What a failed deployment goes back to."""

    release: Release | None
    previous: Release | None
    slates: dict[dt.date, int]
    migration: str | None
    deployments: set[str]


def say(step: str, sentence: str) -> None:
    """Print one line of the deployment's story."""
    sys.stdout.write(f"{step:<10} {sentence}\n")
    sys.stdout.flush()


def remember(target: Target, name: str, outcome: str) -> None:
    """Add a line to the history of deployments."""
    line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "release": name, "outcome": outcome}
    with (target.releases.root / "history.jsonl").open("ab") as history:
        history.write(orjson.dumps({**line, "environment": target.environment}) + b"\n")


def name_of(release: Release | None) -> str:
    """Return the name of a release, `none` where there is none."""
    return release.name if release else "none"
