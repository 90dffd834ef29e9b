"""The local machine: the servers that a run needs, started when they are missing, stopped when the run is over."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamUnavailable
from backstop.net import address
from backstop.stages.house import House
from backstop.store import connection, embedded
from backstop.telemetry import Progress, emit
from deployments import kept, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.settings import Settings

CONNECT_LIMIT_S = 10.0

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
def started(settings: Settings, *, keep: bool = False, warm: bool = True) -> Iterator[Machine]:
    """Start what is missing, yield when Prefect answers, and stop what was started.

    Prefect and Great Expectations, five seconds of imports, are loaded here while the servers boot.

    Args:
        settings: What the command line and the environment say.
        keep: Leave the servers up and note them for `kept.stop`.
        warm: Whether this process will run flows.

    Raises:
        ConfigurationError: the upstream is none that is known.
    """
    base = settings.home
    settings = own_home(settings)
    check_upstream(settings)
    with contextlib.ExitStack() as stack:
        emit(Progress("start", total=4, note="Prefect"))
        prefect = _prefect(settings, stack, base if keep else None)
        emit(Progress("start", done=1, note="the upstream"))
        settings = _upstream(settings, stack, base if keep else None)
        emit(Progress("start", done=1, note="Redis"))
        settings = _redis(settings, stack, base if keep else None)
        house = House.of(settings)
        stack.callback(house.close)
        export(settings, prefect)
        emit(Progress("start", done=1, note="imports, and Prefect's database"))
        if warm:
            _warm()
            stack.callback(server.send_what_is_left)
        prefect.wait_ready()
        emit(Progress("start", done=1, note=prefect.ui_url))
        yield Machine(settings, house, prefect)


def own_home(settings: Settings) -> Settings:
    """Give the demo league a home of its own: simulated rows must never lie beside real ones."""
    if settings.upstream != "demo":
        return settings
    return settings.model_copy(update={"home": settings.home / "demo", "history_first_season": DEMO_DAY.year})


def check_upstream(settings: Settings) -> None:
    """Refuse an upstream that is none.

    Raises:
        ConfigurationError: it is none; the message lists what is. Or it is at an address that may not be asked.
        UpstreamUnavailable: nobody listens there.
    """
    address.require_upstream(settings)
    if settings.upstream.startswith(("http:", "https:")):
        _check_listening(settings)


def _check_listening(settings: Settings) -> None:
    """Find out at once whether anybody listens, instead of after minutes of retries."""
    url = httpx.URL(settings.upstream)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((url.host, port), timeout=CONNECT_LIMIT_S) as line:
            found = line.getpeername()[0]
    except (OSError, UnicodeError) as error:  # a name with a part that is empty or too long cannot even be looked up
        raise UpstreamUnavailable(
            f"Nobody answers at {url} ({error}); start the upstream (`backstop upstream` is one), or mend the address.",
            source=str(url),
        ) from error
    address.require_reachable(url.host, found, settings)


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


def _prefect(settings: Settings, stack: contextlib.ExitStack, note_in: Path | None) -> server.PrefectServer:
    """Return the server that PREFECT_API_URL names, or start one; what is to stay up is noted as soon as it is."""
    if url := os.environ.get("PREFECT_API_URL"):
        return server.at(url)
    own = server.start(settings.home / "prefect", detached=note_in is not None)
    if note_in is None or own.pid is None:
        stack.callback(own.stop)
    else:
        kept.note(note_in, [("prefect", own.pid)], None)
    return own


def _upstream(settings: Settings, stack: contextlib.ExitStack, note_in: Path | None) -> Settings:
    """Start the demo or the recorded upstream when one is asked for, and point every feed at it."""
    if not settings.upstream.startswith(("demo", "recorded:")):
        return settings
    log = settings.home / "upstream.log" if note_in is not None else None
    own = Upstream.start(settings.upstream, detached=note_in is not None, log=log)
    if note_in is None:
        stack.callback(own.stop)
    else:
        kept.note(note_in, [("backstop.demo", own.pid)], None)
    return settings.pointed_at(own.base_url)


def _redis(settings: Settings, stack: contextlib.ExitStack, note_in: Path | None) -> Settings:
    """Start the embedded Redis when no address is set, or make sure that the one at the address answers.

    Raises:
        StoreUnavailable: nobody answers there.
    """
    if settings.redis_url is not None:
        connection.connect(settings).close()
        return settings
    if note_in is None:
        return stack.enter_context(embedded.meanwhile(settings))
    url = stack.enter_context(embedded.supervised(settings.home / "redis"))
    kept.note(note_in, [], settings.home / "redis")
    return settings.model_copy(update={"redis_url": url})
