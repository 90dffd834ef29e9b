"""Deploy a checkout: preflight, install, apply, smoke run, switch; any failure goes back to the release before.

deploy.sh is its shell. Exit code 0: the release runs. 1: refused, nothing was changed. 2: wrong arguments.
3: it failed, and the release before runs as it did. 4: it failed, and so did a step of going back: a human is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import shlex
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson
from pydantic import ValidationError

from backstop.demo import DEMO_DAY
from backstop.errors import BackstopError, UsageError
from backstop.settings import Settings
from deployments import machine, pointers, schema, services, smoke
from deployments.going_back import go_back
from deployments.preflight import preflight
from deployments.release import describe, site_packages
from deployments.steps import pins_here, put_up
from deployments.target import Before, Target, name_of, remember, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstop.stages.house import House
    from deployments.release import Release

MISUSED = 2
STOPPED = 143


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
                put_up(target, release)
            except BaseException as error:  # noqa: BLE001 - whatever stops a deployment, it goes back
                return go_back(target, house, release, before, error)
            remember(target, release.name, "deployed")
            for gone in target.releases.prune():
                say("prune", f"removed {gone}")
            say("done", f"{release.name} runs in {target.environment}")
    return 0


def roll_back(target: Target, *, dry_run: bool = False) -> int:
    """Go from the current release to the one before; return the exit code.

    Raises:
        UsageError: there is none before.
    """
    if dry_run:
        return _rehearse(target, _before(target).name)
    with target.releases.locked():
        previous = _before(target)
        with _servers(target) as house:
            before = _note(target, house)
            try:
                put_up(target, previous)
            except BaseException as error:  # noqa: BLE001 - whatever stops a deployment, it goes back
                return go_back(target, house, previous, before, error)
            remember(target, previous.name, "rolled back to by hand")
            say("done", f"{previous.name} runs in {target.environment} again")
    return 0


def _before(target: Target) -> Release:
    if found := target.releases.previous:
        return found
    raise UsageError(f"{target.releases.root} has no release before the current one; there is nothing to go to.")


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
    say("dry run", f"{name} {known} under {releases.root}; current is {name_of(releases.current)}")
    say("dry run", f"then: migrate, apply the catalogue, run {target.smoke[0]}, switch, restart")
    return 0


@contextlib.contextmanager
def _servers(target: Target) -> Iterator[House]:
    """Have everything up that a release needs; in development what is missing is started and stays up."""
    with services.reused(target.settings) as settings, machine.started(settings, keep=True, warm=False) as up:
        services.note(target.settings, up)
        yield up.house


def _note(target: Target, house: House) -> Before:
    with pins_here() as pins:
        known = {pins.name_of(each) for each in pins.registered()}
    releases = target.releases
    return Before(releases.current, releases.previous, pointers.served(house), schema.revision(house.settings), known)


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
        return (roll_back if options.rollback else deploy)(target, dry_run=options.dry_run)
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
    parser.add_argument("--restart", metavar="COMMAND", type=_command, help="restarts what runs from releases/current")
    parser.add_argument("--health", metavar="URL", type=_address, help="must answer 200 after the restart")
    return parser


def _command(text: str) -> str:
    """Refuse a command that cannot be run, before a release is switched to for which it would be."""
    try:
        program = next(iter(shlex.split(text)), "")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be split into words: {error}") from error
    if shutil.which(program) is None:
        raise argparse.ArgumentTypeError(f"there is no program {program!r} here")
    return text


def _address(text: str) -> str:
    """Refuse an address that nobody can be asked at."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; expected http(s)://host[:port]/path")
    return text


if __name__ == "__main__":
    sys.exit(main())
