"""Preflight: what must be true before anything is changed, each check with its answer in words."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

import httpx
import sqlalchemy as sa

from backstop.errors import BackstopError, UsageError
from backstop.lake import database
from backstop.settings import Feed
from backstop.stages import plan
from backstop.store import connection, embedded
from deployments import machine, schema

if TYPE_CHECKING:
    from pathlib import Path

    from backstop.settings import Settings

DISK_GB: Final = {"development": 1.0, "production": 5.0}
"""Free space under the home: a season of pitches, answers and slates takes 1.5 GB, an environment of packages 1 GB."""

REDIS: Final = (6, 2)
"""The oldest server whose commands the store uses (HRANDFIELD of 6.2 is the newest of them)."""

CAPS: Final = {"fastapi": "0.151", "sqlalchemy": "2.1"}
"""The first versions on which prefect 3.8 fails: see pyproject.toml."""

TIMEOUT_S: Final = 15.0
"""A Prefect server on a busy machine was seen to need more than 5 s; to refuse a deployment for that would be wrong."""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question.

    Attributes:
        name: What was asked.
        passed: Whether it may go on.
        said: The value seen, and what to do when it is not the one that is needed.
    """

    name: str
    passed: bool
    said: str


class _Wrong(Exception):
    """An answer that stops the deployment; its text is the sentence."""


def preflight(environment: str, settings: Settings) -> list[Check]:
    """Ask every question; none is skipped because an earlier one failed.

    Args:
        environment: `development`, where missing servers are started, or `production`, where they must be there.
        settings: Of the installation.
    """
    production = environment == "production"
    settings = machine.own_home(settings)
    questions: dict[str, Callable[[], str]] = {
        "versions": _versions,
        "home": lambda: _home(settings, production=production),
        "disk": lambda: _disk(settings.home, DISK_GB[environment]),
        "redis": lambda: _redis(settings, production=production),
        "database": lambda: _database(settings, production=production),
        "prefect": lambda: _prefect(production=production),
        "upstream": lambda: _upstream(settings),
        "secrets": lambda: _secrets(settings, production=production),
        "port": lambda: _port(settings.api_port),
    }
    return [_asked(name, question) for name, question in questions.items()]


def _asked(name: str, question: Callable[[], str]) -> Check:
    try:
        return Check(name, passed=True, said=question())
    except _Wrong as wrong:
        return Check(name, passed=False, said=str(wrong))
    except BackstopError as error:
        return Check(name, passed=False, said=error.message)


def _versions() -> str:
    seen = {name: metadata.version(name) for name in ("prefect", "fastapi", "sqlalchemy", "polars")}
    for name, cap in CAPS.items():
        if _numbers(seen[name]) >= _numbers(cap):
            raise _Wrong(
                f"{name} is {seen[name]}, on which Prefect fails; install the lock, which has one below {cap}."
            )
    return f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {version}" for name, version in seen.items())


def _home(settings: Settings, *, production: bool) -> str:
    home = settings.home
    if production and not home.is_absolute():
        raise _Wrong(
            f"BACKSTOP_HOME is {home}, a relative path; every process of a release needs the same absolute one."
        )
    place = next(each for each in (home.absolute(), *home.absolute().parents) if each.exists())
    if not place.is_dir():
        raise _Wrong(f"{place} is a file; name a folder in BACKSTOP_HOME, which may be one that is still to be made.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise _Wrong(f"{place} cannot be written by this account; give it to the account that runs Backstop.")
    return str(home.absolute())


def _disk(home: Path, needed_gb: float) -> str:
    place = next(each for each in (home.absolute(), *home.absolute().parents) if each.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    if free_gb < needed_gb:
        raise _Wrong(f"{free_gb:.1f} GB are free at {place}; {needed_gb:.0f} GB are needed. Free some space.")
    return f"{free_gb:.1f} GB free at {place}, {needed_gb:.0f} needed"


def _redis(settings: Settings, *, production: bool) -> str:
    if settings.redis_url is None:
        if production:
            raise _Wrong("BACKSTOP_REDIS_URL is not set; production does not serve from the embedded Redis.")
        running = embedded.is_running(settings.home / "redis")
        return "embedded, running" if running else "embedded, started when it is needed"
    client = connection.connect(settings)
    try:
        about = client.info("server")
    finally:
        client.close()
    version = str(about.get("valkey_version") or about["redis_version"])
    if _numbers(version) < REDIS:
        raise _Wrong(f"Redis is {version}; {REDIS[0]}.{REDIS[1]} or later is needed.")
    return f"version {version} answers"


def _database(settings: Settings, *, production: bool) -> str:
    if settings.ledger_url is None:
        if production:
            raise _Wrong("BACKSTOP_LEDGER_URL is not set; production keeps its ledger in PostgreSQL.")
        if not settings.ledger_file.exists():
            return f"SQLite, made when it is needed at migration {database.HEAD}"
    try:
        found = schema.revision(settings)
    except sa.exc.SQLAlchemyError as error:
        raise _Wrong(f"The ledger's database does not answer ({error}); check BACKSTOP_LEDGER_URL.") from error
    if found is not None and found not in schema.known():
        raise _Wrong(
            f"The ledger is at migration {found}, which this release does not know (its newest is {database.HEAD}); "
            "deploy a release that does."
        )
    waiting = (
        "up to date" if found == database.HEAD else f"will be brought from {found or 'nothing'} to {database.HEAD}"
    )
    return f"answers, schema {waiting}"


def _prefect(*, production: bool) -> str:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        if production:
            raise _Wrong("PREFECT_API_URL is not set; it names the server that the deployments are registered with.")
        return "a local server, started when it is needed"
    try:
        theirs = httpx.get(f"{url.rstrip('/')}/admin/version", timeout=TIMEOUT_S).raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = str(error).partition("\n")[0]  # httpx goes on with a link to a dictionary of codes
        raise _Wrong(f"The Prefect server at {url} does not answer ({why}); start it, or mend the address.") from error
    ours = metadata.version("prefect")
    if _numbers(str(theirs))[:2] != _numbers(ours)[:2]:
        raise _Wrong(f"The Prefect server is {theirs}, this release has {ours}; both must have the same minor version.")
    return f"server {theirs} at {url}"


def _upstream(settings: Settings) -> str:
    machine.check_upstream(settings)
    try:
        plan.markets_of(settings)
    except UsageError as error:
        raise _Wrong(f"BACKSTOP_ODDS_MARKETS: {error.message}") from error
    return settings.upstream


def _secrets(settings: Settings, *, production: bool) -> str:
    if settings.upstream != "live":
        return f"none needed by {settings.upstream}"
    if settings.key_of(Feed.THEODDS) is None:
        if production:
            raise _Wrong(
                "BACKSTOP_THEODDS_KEY is not set; without it no prop has a price. Put it into the environment."
            )
        return "BACKSTOP_THEODDS_KEY is not set: slates have no prices"
    spare = "set" if settings.key_of(Feed.SPORTRADAR) else "not set, so there is no second source of schedules"
    return f"BACKSTOP_THEODDS_KEY is set, BACKSTOP_SPORTRADAR_KEY is {spare}"


def _port(port: int) -> str:
    with socket.socket() as probe:
        probe.settimeout(TIMEOUT_S)
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return f"{port} is free"
    try:
        served = httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=TIMEOUT_S).json()
    except (httpx.HTTPError, ValueError):
        served = None
    if served != {"status": "ok"}:
        raise _Wrong(f"Port {port} is taken by something that is not Backstop; end it, or choose another port.")
    return f"{port} is served by the release that runs now"


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.replace("+", ".").split(".")[:3]
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in parts)
