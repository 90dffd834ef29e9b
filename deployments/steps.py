"""Bringing a release up: migrate, apply, pin, smoke run, switch, restart; a step that does not succeed ends it."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import httpx

from deployments import services
from deployments.pin import Pins
from deployments.release import Release, StepFailed
from deployments.target import say

if TYPE_CHECKING:
    from deployments.target import Target

HEALTHY_WITHIN_S: Final = 60.0


def put_up(target: Target, release: Release) -> None:
    """Bring a release up step by step.

    Raises:
        StepFailed: a step did not succeed.
    """
    _steps(target, release)
    target.releases.switch(release)
    say("switch", f"current is {release.name}")
    restart(target, release)


def _steps(target: Target, release: Release) -> None:
    flow, parameters = target.smoke
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("migrate", lambda: release.run("migrate", "deployments.schema")),
        ("apply", lambda: release.run("apply", "deployments.apply")),
        ("pin", lambda: pinned(release)),
        ("smoke", lambda: release.run("smoke", "deployments.smoke", flow, "--parameters", parameters)),
    )
    for name, step in steps:
        began = time.monotonic()
        said = step().strip().splitlines()
        say(name, f"{said[-1] if said else 'done'} ({time.monotonic() - began:.1f} s)")


def pins_here() -> Pins:
    """Return the deployments of the server that the environment names."""
    return Pins(os.environ["PREFECT_API_URL"])


def pinned(release: Release) -> str:
    """Pin every deployment to a release; say how many."""
    with pins_here() as pins:
        count = pins.pin(release.root, {"BACKSTOP_HOME": os.environ["BACKSTOP_HOME"]})
    return f"{count} deployments run {release.name}"


def restart(target: Target, release: Release) -> None:
    """Restart what runs from `current`, and wait until it answers.

    Raises:
        StepFailed: the command failed, or the address does not answer.
    """
    if target.environment == "development":
        say("restart", services.restart(target.settings, release))
    if target.restart:
        done = subprocess.run(shlex.split(target.restart), capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepFailed(f"{target.restart} ended with code {done.returncode}: {done.stderr.strip()}")
        say("restart", target.restart)
    if target.health:
        _wait_healthy(target.health)
        say("health", f"{target.health} answers")


def _wait_healthy(address: str) -> None:
    deadline, seen = time.monotonic() + HEALTHY_WITHIN_S, "nothing"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(address, timeout=5)
        except httpx.HTTPError as error:
            seen = str(error)
        else:
            if answer.is_success:
                return
            seen = str(answer.status_code)
        time.sleep(0.25)
    raise StepFailed(f"{address} did not answer 200 within {HEALTHY_WITHIN_S:.0f} s; last seen: {seen}.")
