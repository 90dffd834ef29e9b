"""Deploy a checkout: preflight, install, apply, smoke run, switch; any failure goes back to the release before.

deploy.sh is its shell. Exit code 0: the release runs. 1: refused, nothing was changed. 2: wrong arguments.
3: it failed, and the release before runs as it did. 4: it failed, and so did a step of going back: a human is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
from pydantic import ValidationError

from backstop.demo import DEMO_DAY
from backstop.errors import BackstopError, UsageError
from backstop.settings import Settings
from deployments import machine, pointers, schema, services, smoke
from deployments.pin import Pins
from deployments.preflight import preflight
from deployments.release import Release, Releases, StepFailed, describe, site_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstop.stages.house import House

MISUSED, ROLLED_BACK, STUCK = 2, 3, 4
STOPPED = 143
HEALTHY_WITHIN_S: Final = 60.0


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
    slates: dict[dt.date, int]
    migration: str | None
    deployments: set[str]


def say(step: str, sentence: str) -> None:
    """Print one line of the deployment's story."""
    sys.stdout.write(f"{step:<10} {sentence}\n")
    sys.stdout.flush()


def deploy(target: Target, *, dry_run: bool = False) -> int:
    """Deploy; return the exit code.

    Raises:
        BackstopError: refused before anything was changed.
    """
    _preflight(target)
    name, tree = describe(target.checkout, committed=target.environment == "production")
    if dry_run:
        return _rehearse(target, name)
    with target.releases.locked():
        release = target.releases.install(target.checkout, name, tree, target.packages)
        say("install", f"{release.name} lies in {release.root}")
        with _servers(target) as house:
            before = _note(target, house)
            try:
                _put_up(target, release)
            except BaseException as error:  # noqa: BLE001 - whatever stops a deployment, it goes back
                return _go_back(target, house, release, before, error)
            _remember(target, release.name, "deployed")
            for gone in target.releases.prune():
                say("prune", f"removed {gone}")
            say("done", f"{release.name} runs in {target.environment}")
    return 0


def roll_back(target: Target) -> int:
    """Go from the current release to the one before; return the exit code.

    Raises:
        UsageError: there is none before.
    """
    with target.releases.locked():
        previous = target.releases.previous
        if previous is None:
            raise UsageError(
                f"{target.releases.root} has no release before the current one; there is nothing to go to."
            )
        with _servers(target) as house:
            before = _note(target, house)
            try:
                _put_up(target, previous)
            except BaseException as error:  # noqa: BLE001 - whatever stops a deployment, it goes back
                return _go_back(target, house, previous, before, error)
            _remember(target, previous.name, "rolled back to by hand")
            say("done", f"{previous.name} runs in {target.environment} again")
    return 0


def _preflight(target: Target) -> None:
    checks = preflight(target.environment, target.settings)
    for each in checks:
        say("preflight" if each.passed else "REFUSED", f"{each.name}: {each.said}")
    failed = [each.name for each in checks if not each.passed]
    if failed:
        raise BackstopError(f"Nothing was changed: {', '.join(failed)} must be put right first.")


def _rehearse(target: Target, name: str) -> int:
    """Say what would be done."""
    releases = target.releases
    known = "is installed already" if releases.named(name) else "would be installed"
    say("dry run", f"{name} {known} under {releases.root}; current is {_name(releases.current)}")
    say("dry run", f"then: migrate, apply the catalogue, run {target.smoke[0]}, switch, restart")
    return 0


@contextlib.contextmanager
def _servers(target: Target) -> Iterator[House]:
    """Have everything up that a release needs; in development what is missing is started and stays up."""
    with services.reused(target.settings) as settings, machine.started(settings, keep=True, warm=False) as up:
        services.note(target.settings, up)
        yield up.house


def _note(target: Target, house: House) -> Before:
    with _pins() as pins:
        known = {pins.name_of(each) for each in pins.registered()}
    return Before(target.releases.current, pointers.served(house), schema.revision(house.settings), known)


def _put_up(target: Target, release: Release) -> None:
    """Bring a release up step by step.

    Raises:
        StepFailed: a step did not succeed.
    """
    _steps(target, release)
    target.releases.switch(release)
    say("switch", f"current is {release.name}")
    _restart(target, release)


def _steps(target: Target, release: Release) -> None:
    flow, parameters = target.smoke
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("migrate", lambda: release.run("migrate", "deployments.schema")),
        ("apply", lambda: release.run("apply", "deployments.apply")),
        ("pin", lambda: _pinned(release)),
        ("smoke", lambda: release.run("smoke", "deployments.smoke", flow, "--parameters", parameters)),
    )
    for name, step in steps:
        began = time.monotonic()
        said = step().strip().splitlines()
        say(name, f"{said[-1] if said else 'done'} ({time.monotonic() - began:.1f} s)")


def _pins() -> Pins:
    return Pins(os.environ["PREFECT_API_URL"])


def _pinned(release: Release) -> str:
    with _pins() as pins:
        count = pins.pin(release.root, {"BACKSTOP_HOME": os.environ["BACKSTOP_HOME"]})
    return f"{count} deployments run {release.name}"


def _restart(target: Target, release: Release) -> None:
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


def _go_back(target: Target, house: House, failed: Release, before: Before, error: BaseException) -> int:
    """Undo a deployment: deployments, schema, pointers of slates, code; every part is tried, whatever another does."""
    say("FAILED", getattr(error, "message", None) or f"{type(error).__name__}: {error}")
    parts: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("slates", lambda: pointers.put_back(house, before.slates)),
        ("schema", lambda: _schema_back(house, failed, before)),
        ("apply", lambda: _deployments_back(before)),
        ("code", lambda: _code_back(target, failed, before)),
    )
    stuck = False
    for name, undo in parts:
        try:
            for sentence in undo():
                say("roll back", sentence)
        except Exception as trouble:  # noqa: BLE001 - every part is tried, whatever another one meets
            stuck = True
            say("STUCK", f"{name}: {getattr(trouble, 'message', None) or trouble}")
    _remember(target, failed.name, "stuck" if stuck else "rolled back")
    runs = f"{_name(before.release)} runs as it did" if before.release else "there was no release before; none runs"
    say("done", f"{failed.name} was not deployed; {'look at what is STUCK above' if stuck else runs}")
    return STUCK if stuck else ROLLED_BACK


def _schema_back(house: House, failed: Release, before: Before) -> list[str]:
    now = schema.revision(house.settings)
    if before.migration is None or now == before.migration:
        return []
    failed.run("migrate back", "deployments.schema", "--back-to", before.migration)
    return [f"the ledger's schema is at {before.migration} again, not {now}"]


def _deployments_back(before: Before) -> list[str]:
    said = []
    if before.release:
        before.release.run("apply", "deployments.apply")
        said.append(_pinned(before.release))
    with _pins() as pins:
        said += [f"removed the deployment {name}" for name in pins.remove_all_but(before.deployments)]
    return said


def _code_back(target: Target, failed: Release, before: Before) -> list[str]:
    releases = target.releases
    if before.release is None:
        if releases.current == failed:
            (releases.root / "current").unlink()
        releases.forget(failed)
        return []
    if releases.current != before.release:
        releases.switch(before.release)
        _restart(target, before.release)
    releases.forget(failed)
    return [f"current is {before.release.name}"]


def _remember(target: Target, name: str, outcome: str) -> None:
    """Add a line to the history of deployments."""
    line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "release": name, "outcome": outcome}
    with (target.releases.root / "history.jsonl").open("ab") as history:
        history.write(orjson.dumps({**line, "environment": target.environment}) + b"\n")


def _name(release: Release | None) -> str:
    return release.name if release else "none"


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments and deploy; every foreseen failure is a sentence and an exit code."""
    options = _arguments().parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))  # raised where it strikes, so that it is gone back from
    try:
        settings = Settings()
        target = Target(
            environment=options.environment,
            checkout=options.checkout.resolve(),
            settings=settings.model_copy(update={"home": _home(settings, options.environment)}),
            packages=options.packages or _own_packages(options.environment),
            smoke=(options.smoke, options.smoke_parameters or _parameters(settings, options.smoke)),
            restart=options.restart,
            health=options.health,
        )
        return roll_back(target) if options.rollback else deploy(target, dry_run=options.dry_run)
    except BackstopError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    except ValidationError as error:
        sys.stderr.write(f"The settings cannot be read: {error}\n")
        return MISUSED


def _home(settings: Settings, environment: str) -> Path:
    """Return the home; only development may leave it to the folder that the command is given in."""
    return settings.home if environment == "production" else services.base_of(settings.home.absolute())


def _parameters(settings: Settings, flow: str) -> str:
    """Return the parameters of the smoke run: the last day of the demo league that is over; its year is its own."""
    at = (
        {"day": (DEMO_DAY - dt.timedelta(days=1)).isoformat()}
        if settings.upstream == "demo" and flow == smoke.CANARY
        else {}
    )
    return orjson.dumps(at).decode()


def _own_packages(environment: str) -> Path | None:
    """Return the deployer's own packages for development: they are there, and a second copy takes a minute and 1 GB."""
    return site_packages(Path(sys.prefix)) if environment == "development" else None


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deployments/deploy.sh", description=__doc__.partition("\n")[0])
    parser.add_argument("environment", choices=("development", "production"))
    parser.add_argument(
        "--dry-run", action="store_true", help="ask the questions, say what would be done, change nothing"
    )
    parser.add_argument("--rollback", action="store_true", help="go to the release before the current one")
    parser.add_argument("--checkout", type=Path, default=Path(), help="repository whose commit is deployed")
    parser.add_argument("--packages", type=Path, help="installed packages to use instead of installing the lock")
    parser.add_argument("--smoke", default=smoke.CANARY, help="flow that decides, as module:flow")
    parser.add_argument("--smoke-parameters", metavar="JSON")
    parser.add_argument("--restart", metavar="COMMAND", help="restarts what runs from releases/current")
    parser.add_argument("--health", metavar="URL", help="must answer 200 after the restart")
    return parser


if __name__ == "__main__":
    sys.exit(main())
