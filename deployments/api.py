"""The HTTP API assembled: the library's app, with a refresher that starts runs on the Prefect server.

`backstop serve` runs it; `uvicorn --factory deployments.api:app` does the same for whoever brings his own server.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import logging
import os
import resource
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
import stamina
import uvicorn

from backstop.api import grades
from backstop.api.app import create_app
from backstop.api.guard import is_loopback, listed
from backstop.api.live import READERS
from backstop.api.parts import Component, Parts, Run
from backstop.cache.cache import Cache
from backstop.cache.line import Line
from backstop.errors import ConfigurationError, UpstreamUnavailable
from backstop.settings import Settings
from backstop.stages import feeds, overdue, project
from backstop.stages.house import House
from backstop.store import connection, embedded
from backstop.store.keys import SPORT
from deployments import silence
from deployments.busy import LONGEST_WAIT_S, TRIES, is_busy

if TYPE_CHECKING:
    from fastapi import FastAPI

DEPLOYMENT: Final = f"slate-refresh/{SPORT}"
POLL_S: Final = 1.0
"""How often a run that is waited for is asked about."""

PREFECT_S: Final = 10.0
"""How long one request to the Prefect server may take, and after how long a busy one is not asked again."""

PATIENTLY: Final = stamina.retry(on=is_busy, attempts=TRIES, timeout=PREFECT_S, wait_max=LONGEST_WAIT_S)
"""Asks again while the server is busy."""

BACKLOG: Final = 2048
"""Connections that may wait to be accepted: a page of 500 readers comes back at once after a restart."""

FILES: Final = READERS + 1000
"""Files and connections that may be open; most systems begin with 1,024, and who is above that can reach no Redis."""

OPEN: Final = (
    "Whoever reaches this address may read slates and start refreshes: it is not this machine's alone and no key is "
    "asked for. Set BACKSTOP_API_KEYS, or listen on 127.0.0.1."
)

SOCKET_BYTES: Final = 64 * 1024
"""The largest message that a browser may send; it has nothing to say."""


class PrefectRefresher:
    """Starts runs of `slate-refresh` by the REST API of a Prefect server: the client library takes seconds to import.

    Args:
        api_url: Address that `PREFECT_API_URL` takes.
    """

    def __init__(self, api_url: str) -> None:
        self.api_url = api_url.rstrip("/")
        self.client = httpx.AsyncClient(timeout=PREFECT_S)

    async def start(self, day: dt.date, key: str) -> Run:
        """Start a run, or return the one that was started with this key.

        Raises:
            UpstreamUnavailable: the server does not answer, refuses, or does not know the deployment.
        """
        deployment = await self._ask("GET", f"/deployments/name/{DEPLOYMENT}")
        body = {"parameters": {"day": day.isoformat()}, "idempotency_key": key, "state": {"type": "SCHEDULED"}}
        return self._run(await self._ask("POST", f"/deployments/{deployment['id']}/create_flow_run", body))

    async def wait(self, run: Run, seconds: float) -> Run:
        """Return a run as it is when it is over, or as it was last seen when so many seconds have passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not run.over:
                    # a server that has no time to say how the run does has it all the same
                    with contextlib.suppress(UpstreamUnavailable):
                        run = self._run(await self._ask("GET", f"/flow_runs/{UUID(run.id)}"))
                    await asyncio.sleep(0 if run.over else POLL_S)
        return run

    async def probe(self) -> Component:
        """Say that the server answers.

        Raises:
            UpstreamUnavailable: it does not.
        """
        await self._ask("GET", "/health", again=False)
        return Component("ok", "Prefect answers.", {"url": self.api_url})

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, again: bool = True) -> Any:
        ask = PATIENTLY(self._answer) if again else self._answer
        try:
            answer = await ask(method, path, body)
        except httpx.HTTPStatusError as error:
            answer = error.response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamUnavailable(
                f"The Prefect server at {self.api_url} does not answer ({str(error) or type(error).__name__}); check "
                "that it runs and PREFECT_API_URL.",
                source="prefect",
            ) from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise UpstreamUnavailable(
                f"The Prefect server knows no {path}; register the deployments with `backstop deploy`.",
                source="prefect",
            )
        if not answer.is_success:
            raise UpstreamUnavailable(
                f"The Prefect server refused {method} {path} with {answer.status_code}: {answer.text[:200]}.",
                source="prefect",
            )
        try:
            return answer.json()
        except ValueError as error:
            raise UpstreamUnavailable(
                f"What answers at {self.api_url} is not Prefect's API; check PREFECT_API_URL, which ends in /api.",
                source="prefect",
            ) from error

    async def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        answer = await self.client.request(method, f"{self.api_url}{path}", json=body)
        return answer.raise_for_status()

    def _run(self, told: dict[str, Any]) -> Run:
        state = str((told.get("state") or {}).get("type", "SCHEDULED")).lower()
        over = state in {"completed", "failed", "crashed", "cancelled"}
        url = f"{self.api_url.removesuffix('/api')}/runs/flow-run/{told['id']}"
        return Run(str(told["id"]), url, state, over, state == "completed")


def parts_of(house: House) -> Parts:
    """Return the parts of the API of a house."""
    settings = house.settings
    api_url = os.environ.get("PREFECT_API_URL")
    refresher = PrefectRefresher(api_url) if api_url else None
    line = Line(lambda: connection.connect_async(settings))

    async def lake() -> Component:
        days = await asyncio.to_thread(house.lake.days, "out_props")
        return Component("ok", f"Days with props in the lake: {len(days)}.")

    async def ledger() -> Component:
        entries = await asyncio.to_thread(lambda: len(house.ledger.entries("out_props")))
        return Component("ok", f"Slates in the ledger: {entries}.")

    async def prefect() -> Component:
        if refresher is None:
            return Component("degraded", "PREFECT_API_URL is not set: slates are served, refreshes cannot be started.")
        return await refresher.probe()

    return Parts(
        settings=settings,
        clock=house.clock,
        cache=Cache(line, house.clock, max_bytes=settings.cache_mb * 1024 * 1024),
        quotes=lambda day: project.quotes_of(house, day),
        grades=lambda days: grades.told(house.lake, days),
        refresher=refresher,
        feeds=lambda: [each.as_dict() for each in feeds.status(house)],
        overdue=lambda: overdue.look(house),
        probes={"lake": lake, "ledger": ledger, "prefect": prefect},
    )


def app() -> FastAPI:
    """Return the app over the settings in the environment; a Redis must be named there or run under the home."""
    return create_app(parts_of(House.current()))


def config(application: FastAPI, host: str, port: int) -> uvicorn.Config:
    """Return how uvicorn runs the app."""
    made = uvicorn.Config(
        application,
        host=host,
        port=port,
        http=silence.Protocol,
        timeout_keep_alive=silence.REQUEST_S,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=SOCKET_BYTES,
        # 500 readers get the same message: packing it for each of them would take the core
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_a_fault)
    return made


def _is_a_fault(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn says of every WebSocket that was refused in words: it takes that for no answer."""
    return record.msg != "ASGI callable returned without completing handshake."


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Raises:
        ConfigurationError: the address is taken, or not one of this machine.
    """
    # uvicorn raises the signal that ended it once more: as an interrupt it lets the embedded Redis be stopped
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_room()
    with listening(settings.api_host, settings.api_port) as taken, embedded.meanwhile(settings) as named:
        host, port = taken.getsockname()[:2]
        print(f"serving http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)  # noqa: T201 - its answer
        if is_open(named):
            print(OPEN, file=sys.stderr, flush=True)  # noqa: T201 - for whoever started it
        server = uvicorn.Server(config(create_app(parts_of(House.of(named))), host, port))
        server.config.load()
        # what is there now stays: a collection that looks through all of it stops every answer for 80 ms
        gc.collect()
        gc.freeze()
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[taken])


def make_room() -> None:
    """Let the process have as many connections open as readers may come, where the system's hard limit lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def is_open(settings: Settings) -> bool:
    """Return whether other machines may ask without a key."""
    keys = settings.api_keys.get_secret_value() if settings.api_keys else ""
    return not is_loopback(settings.api_host) and not listed(keys)


def listening(host: str, port: int) -> socket.socket:
    """Take the address before anything is started for it.

    Raises:
        ConfigurationError: it is taken, or not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        taken = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"The address {host}:{port} cannot be listened on: {why}. Choose another with --host "
            "and --port, or BACKSTOP_API_HOST and BACKSTOP_API_PORT."
        ) from error
    # asyncio does this for sockets that it makes, not for what this one accepts; without it the second half of an
    # answer waits for the first one to be acknowledged, 40 ms on Linux
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken
