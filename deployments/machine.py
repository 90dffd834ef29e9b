"""One machine: the servers that a run needs, started when they are missing, stopped when the run is over."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import ConfigurationError
from backstop.stages.house import House
from backstop.store import embedded
from deployments import kept, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.settings import Settings

QUIET_PREFECT = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the run's page has the log; the terminal shows the progress
    "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
    "PREFECT_CLI_PROMPT": "false",
}


@dataclass(frozen=True)
class Machine:
    """Everything that a run needs, up.

    Attributes:
        settings: With the addresses of what was started.
        house: The library's rooms over these settings.
        prefect: The server that records the runs.
    """

    settings: Settings
    house: House
    prefect: server.PrefectServer


@contextlib.contextmanager
def started(settings: Settings, *, keep: bool = False) -> Iterator[Machine]:
    """Start what is missing, yield when Prefect answers, and stop what was started.

    Prefect and Great Expectations, five seconds of imports, are loaded here while the servers boot.

    Args:
        settings: What the command line and the environment say.
        keep: Leave the servers up and note them for `kept.stop`.

    Raises:
        ConfigurationError: the upstream is none that is known.
    """
    base = settings.home
    settings = own_home(settings)
    check_upstream(settings.upstream)
    with contextlib.ExitStack() as stack:
        prefect = _prefect(settings, stack, keep=keep)
        settings, upstream = _upstream(settings, stack, keep=keep)
        settings = _redis(settings, stack, keep=keep)
        house = House.of(settings)
        stack.callback(house.close)
        export(settings, prefect)
        _warm()
        prefect.wait_ready()
        stack.callback(server.send_what_is_left)
        yield Machine(settings, house, prefect)
        if keep:
            left = [(word, pid) for word, pid in (("prefect", prefect.pid), ("backstop.demo", upstream)) if pid]
            kept.note(base, left, settings.home / "redis")


def own_home(settings: Settings) -> Settings:
    """Give the demo league a home of its own: simulated rows must never lie beside real ones."""
    if settings.upstream != "demo":
        return settings
    return settings.model_copy(update={"home": settings.home / "demo", "history_first_season": DEMO_DAY.year})


def check_upstream(upstream: str) -> None:
    """Refuse an upstream that is none.

    Raises:
        ConfigurationError: it is none; the message lists what is.
    """
    kind, _, where = upstream.partition(":")
    if kind in {"live", "demo"} and not where:
        return
    if kind in {"recorded", "replay", "http", "https"} and where:
        return
    raise ConfigurationError(
        f"{upstream!r} is not an upstream; expected live, demo, recorded:DIR, replay:DIR or an http address."
    )


def export(settings: Settings, prefect: server.PrefectServer) -> None:
    """Tell the flow, which reads its settings from the environment, where everything is."""
    for name, value in settings.model_dump(mode="json", exclude_none=True).items():
        secret = getattr(settings, name)
        text = secret.get_secret_value() if hasattr(secret, "get_secret_value") else str(value)
        os.environ[f"BACKSTOP_{name.upper()}"] = text
    os.environ["PREFECT_API_URL"] = prefect.api_url
    for name, text in QUIET_PREFECT.items():
        os.environ.setdefault(name, text)


def _warm() -> None:
    """Import Prefect and Great Expectations, five seconds, while the servers boot; they read the environment."""
    import flows.slate  # noqa: F401, PLC0415


def _prefect(settings: Settings, stack: contextlib.ExitStack, *, keep: bool) -> server.PrefectServer:
    if url := os.environ.get("PREFECT_API_URL"):
        return server.at(url)
    own = server.start(settings.home / "prefect", detached=keep)
    if not keep:
        stack.callback(own.stop)
    return own


def _upstream(settings: Settings, stack: contextlib.ExitStack, *, keep: bool) -> tuple[Settings, int | None]:
    """Start the demo or the recorded upstream when one is asked for, and point every feed at it."""
    if not settings.upstream.startswith(("demo", "recorded:")):
        return settings, None
    own = Upstream.start(settings.upstream, detached=keep, log=settings.home / "upstream.log" if keep else None)
    if not keep:
        stack.callback(own.stop)
    return settings.pointed_at(own.base_url), own.pid


def _redis(settings: Settings, stack: contextlib.ExitStack, *, keep: bool) -> Settings:
    """Start the embedded Redis when no address is set: the store is there, and the gate that all processes share."""
    if settings.redis_url is not None:
        return settings
    home = settings.home / "redis"
    ours = not embedded.is_running(home)
    url = embedded.ensure(home)
    if ours and not keep:
        stack.callback(embedded.stop, home)
    return settings.model_copy(update={"redis_url": url})
