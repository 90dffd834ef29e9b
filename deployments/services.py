"""What a development deployment keeps running on this machine: the servers of a run, and a worker.

They are noted in the home, found again by the next deployment, and ended by `backstop stop`. Production has a
supervisor of its own (systemd, compose, Kubernetes) and restarts through `--restart`.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
from pydantic import SecretStr

from deployments import kept, machine
from deployments.catalog import POOL
from deployments.release import Release, own_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.settings import Settings
    from deployments.machine import Machine

ANSWER_S: Final = 30.0
"""A busy server takes seconds; to take it for dead would end it, and its runs."""


@contextlib.contextmanager
def reused(settings: Settings) -> Iterator[Settings]:
    """Point at the servers that an earlier deployment left up, if all of them still answer; otherwise end the rest."""
    known = _read(settings.home)
    if known and (os.environ.get("PREFECT_API_URL") or known["prefect"]) == known["prefect"]:
        if _answers(f"{known['prefect']}/health") and _answers(known["upstream"]):
            os.environ["PREFECT_API_URL"] = known["prefect"]
            own = machine.own_home(settings)
            # the league that is up, where the league is asked for, and nothing else that an earlier one left there
            if settings.upstream == known["upstream"] or (own is not settings and str(own.home) == known["home"]):
                there = {"home": Path(known["home"]), "upstream": known["upstream"]}
                settings = own.model_copy(update=there)
        else:
            os.environ.pop("PREFECT_API_URL", None)
            kept.stop(settings.home)
            _file(settings.home).unlink()
    yield settings


def base_of(home: Path) -> Path:
    """Return the folder of an installation, also for a shell that was told the home of its demo league."""
    return home.parent if _read(home.parent).get("home") == str(home) else home


def note(settings: Settings, up: Machine) -> None:
    """Remember the servers that are up."""
    known = _read(settings.home)
    known |= {"prefect": up.prefect.api_url, "upstream": up.settings.upstream, "home": str(up.settings.home)}
    _write(settings.home, known)
    _write_environment(settings.home, up)


def _write_environment(home: Path, up: Machine) -> None:
    """Write what a shell needs to know to use the installation: addresses and the current release, no secret."""
    secret = {name for name in type(up.settings).model_fields if isinstance(getattr(up.settings, name), SecretStr)}
    said = up.settings.model_dump(mode="json", exclude_defaults=True, exclude=secret)
    lines = {f"BACKSTOP_{name.upper()}": str(value) for name, value in said.items()}
    lines |= {"PREFECT_API_URL": up.prefect.api_url}
    text = [f"{name}={shlex.quote(value)}" for name, value in lines.items()]
    text.append(f"PATH={shlex.quote(str(home.absolute() / 'releases' / 'current' / '.venv' / 'bin'))}:$PATH")
    file = home / "environment"
    file.touch(mode=0o600)  # an address may hold a password
    file.write_text("\n".join(text) + "\n")


def restart(settings: Settings, release: Release) -> str:
    """Start a worker if none lives; say what was done.

    A worker is left alone: to end it would end its runs, and every run takes the release that is pinned anyway.
    """
    known, said = _read(settings.home), []
    if not kept.runs("prefect", known.get("worker", 0)):
        known["worker"] = _start(
            settings.home, release, "worker", "prefect", "worker", "start", "--pool", POOL, "--type", "process"
        )
        kept.note(settings.home, [("prefect", known["worker"])], None)
        said.append("started a worker")
    _write(settings.home, known)
    return ", ".join(said) or "the worker goes on"


def _start(home: Path, release: Release, name: str, *arguments: str) -> int:
    with (home / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [release.python, "-m", *arguments],
            cwd=release.root,
            env=own_code(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return process.pid


def _answers(url: str) -> bool:
    if not url.startswith("http"):
        return True
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=ANSWER_S).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    return False


def _file(home: Path) -> Path:
    return home / "services.json"


def _read(home: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(_file(home).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _write(home: Path, known: dict[str, Any]) -> None:
    kept.write(_file(home), known)
