"""The app on a port of loopback, served as `backstop serve` does it, in a thread of the test."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
from typing import Any

import httpx
import polars as pl
import uvicorn

from backstop import tables
from backstop.api.app import create_app
from backstop.api.parts import Parts, Run
from backstop.cache.cache import Cache
from backstop.cache.line import Line
from backstop.clock import SystemClock
from backstop.settings import Settings
from backstop.store import connection
from backstop.store.loader import SlateWriter
from deployments.api import config
from tests.store.servers import wait_for

DAY = dt.date(2024, 4, 16)
"""The day of the features that the tests serve."""


class Refresher:
    """Stands where Prefect is: a run takes as long as a test says."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.keys: dict[str, str] = {}
        self.days: list[dt.date] = []
        self.end_as = "completed"

    async def start(self, day, key):
        if key not in self.keys:
            run_id = f"run-{len(self.runs) + 1}"
            self.keys[key] = run_id
            page = f"http://127.0.0.1:4200/runs/flow-run/{run_id}"
            self.runs[run_id] = Run(run_id, page, "scheduled", over=False, good=False)
            self.days.append(day)
        return self.runs[self.keys[key]]

    async def wait(self, run, seconds):
        over = Run(run.id, run.url, self.end_as, over=True, good=self.end_as == "completed")
        return over if seconds >= 1 else run

    async def close(self):
        """Nothing is open."""


def parts_over(
    url: str, quotes: pl.DataFrame | None = None, *, clock=None, cache: dict[str, Any] | None = None, **more
):
    """Return parts over a Redis; `more` goes to `Parts`, settings under `settings`."""
    clock = clock or SystemClock()
    settings = Settings(redis_url=url, **more.pop("settings", {}))
    line = Line(lambda: connection.connect_async(settings))
    quoted = tables.QUOTES.empty() if quotes is None else quotes
    return Parts(
        settings=settings,
        clock=clock,
        cache=Cache(line, clock, used=lambda: 0.1, **{"poll_s": 0.2, **(cache or {})}),
        quotes=lambda _day: quoted,
        grades=more.pop("grades", lambda _days: {"days": []}),
        **more,
    )


@contextlib.contextmanager
def serving(parts: Parts):
    """Serve an app; yields a client whose base is its address, with the app as `client.app`."""
    app = create_app(parts)
    server = uvicorn.Server(config(app, "127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive())
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            client.app, client.port, client.parts = app, port, parts
            wait_for(lambda: parts.cache.pointers.counts.resubscribed or not parts.cache.line.up)
            yield client
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def publish(client, frames, *, day=DAY, run_id="r1", meta=None, clock=None, cutoff=None, published_at=None):
    """Publish frames as a slate; returns the version."""
    writer = SlateWriter(client, clock or SystemClock())
    draft = writer.open(day, cutoff=cutoff or dt.datetime.now(dt.UTC), run_id=run_id)
    for kind, frame in frames.items():
        writer.load(draft, kind, frame)
    counts = {kind: len(frame) for kind, frame in frames.items()}
    return writer.publish(draft, counts, meta or {}, published_at=published_at).version
