"""One machine, one command: start what is missing, refresh a slate, show it, stop what was started."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console

from backstop.cli import tables
from backstop.clock import baseball_day
from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import BackstopError, ConfigurationError
from backstop.settings import Settings
from backstop.stages import plan
from backstop.stages.house import House
from backstop.store import embedded
from deployments import kept, server, show

if TYPE_CHECKING:
    from tasks.summary import SlateSummary

QUIET_PREFECT = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the run's page has the log; the terminal shows the progress
    "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
    "PREFECT_CLI_PROMPT": "false",
}


def refresh(day: dt.date | None, settings: Settings, *, keep: bool = False) -> None:
    """Refresh a slate with everything that it needs, and print what came of it.

    Args:
        day: The slate; the simulated day for the demo league, otherwise today.
        settings: What the command line and the environment say.
        keep: Whether to leave the servers up.

    Raises:
        BackstopError: the run failed; the message is its sentence.
    """
    console = tables.terminal()
    began = time.monotonic()
    base, demo = settings.home, settings.upstream == "demo"
    settings = own_home(settings)
    day = day or (DEMO_DAY if demo else baseball_day(dt.datetime.now(dt.UTC)))
    plan.check_day(House(settings), day)
    with contextlib.ExitStack() as started:
        prefect = _prefect(settings, started, keep=keep)
        settings, upstream = _with_upstream(settings, started, keep=keep)
        settings = _with_redis(settings, started, keep=keep)
        house = House.of(settings)
        started.callback(house.close)
        export(settings, prefect)
        from flows.slate import slate_refresh  # noqa: PLC0415 - reads the environment; five seconds of imports

        prefect.wait_ready()
        started.callback(server.send_what_is_left)
        with show.progress(console, day):
            state = slate_refresh(day, return_state=True)
        _print_result(console, house, state, prefect, time.monotonic() - began)
        if keep:
            left = [(word, pid) for word, pid in (("prefect", prefect.pid), ("backstop.demo", upstream)) if pid]
            kept.note(base, left, settings.home / "redis")
            show.kept(console, settings, prefect, day)


def own_home(settings: Settings) -> Settings:
    """Give the demo league a home of its own: simulated rows must never lie beside real ones."""
    if settings.upstream != "demo":
        return settings
    return settings.model_copy(update={"home": settings.home / "demo", "history_first_season": DEMO_DAY.year})


def _prefect(settings: Settings, started: contextlib.ExitStack, *, keep: bool) -> server.PrefectServer:
    if url := os.environ.get("PREFECT_API_URL"):
        return server.at(url)
    own = server.start(settings.home / "prefect")
    if not keep:
        started.callback(own.stop)
    return own


def stop(settings: Settings) -> None:
    """End what a run with `keep` left up under this home."""
    ended = kept.stop(settings.home)
    tables.terminal().print("\n".join(f"ended {each}" for each in ended) or "nothing was left running")


def _with_upstream(settings: Settings, started: contextlib.ExitStack, *, keep: bool) -> tuple[Settings, int | None]:
    """Start the demo or the recorded upstream when one is asked for, and point every feed at it.

    Returns:
        The settings, and the id of the process that was started.
    """
    kind = settings.upstream.partition(":")[0]
    if kind in {"live", "replay", "http", "https"}:
        return settings, None
    if kind not in {"demo", "recorded"}:
        raise ConfigurationError(
            f"{settings.upstream!r} is not an upstream; "
            "expected live, demo, recorded:DIR, replay:DIR or an http address."
        )
    own = Upstream.start(settings.upstream, detached=keep, log=settings.home / "upstream.log" if keep else None)
    if not keep:
        started.callback(own.stop)
    return settings.pointed_at(own.base_url), own.pid


def _with_redis(settings: Settings, started: contextlib.ExitStack, *, keep: bool) -> Settings:
    """Start the embedded Redis when no address is set: the store is there, and the gate that all processes share."""
    if settings.redis_url is not None:
        return settings
    home = settings.home / "redis"
    ours = not embedded.is_running(home)
    url = embedded.ensure(home)
    if ours and not keep:
        started.callback(embedded.stop, home)
    return settings.model_copy(update={"redis_url": url})


def export(settings: Settings, prefect: server.PrefectServer) -> None:
    """Tell the flow, which reads its settings from the environment, where everything is."""
    for name, value in settings.model_dump(mode="json", exclude_none=True).items():
        secret = getattr(settings, name)
        text = secret.get_secret_value() if hasattr(secret, "get_secret_value") else str(value)
        os.environ[f"BACKSTOP_{name.upper()}"] = text
    os.environ["PREFECT_API_URL"] = prefect.api_url
    for name, text in QUIET_PREFECT.items():
        os.environ.setdefault(name, text)


def _print_result(console: Console, house: House, state: Any, prefect: server.PrefectServer, seconds: float) -> None:
    run = str(state.state_details.flow_run_id)
    page = prefect.run_page(run)
    if not state.is_completed():
        raise BackstopError(f"The run failed: {_sentence(state)} Its page: {page}")
    summary: SlateSummary = state.result()
    show.result(console, house, summary, page, seconds)


def _sentence(state: Any) -> str:
    error = state.result(raise_on_failure=False)
    if isinstance(error, BackstopError):
        return error.message
    return f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(state.message)
