"""The API over a real Redis, on a port of its own, and a headless Chromium that looks at its page."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import socket
import threading
import time

import polars as pl
import pytest
import uvicorn

from backstop.clock import FixedClock
from backstop.props import grade
from backstop.settings import Settings
from backstop.stages.grade import GRADES, SETTLED
from backstop.stages.house import House
from backstop.stages.project import served
from tests.absent import absent
from tests.board import slates

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT_MS = 60_000


@pytest.fixture(scope="session")
def chromium():
    """Path of the machine's Chromium: without one the test is skipped, in CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        absent(f"no Chromium on the path (looked for {', '.join(BROWSERS)})")
    return found


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield opened
        opened.close()


class Site:
    """A house with slates and the API over it; it can be stopped and started again on its port."""

    def __init__(self, home, redis_url):
        self.clock = FixedClock(dt.datetime.now(dt.UTC))
        self.settings = Settings(home=home, redis_url=redis_url)
        self.house = House(self.settings, self.clock)
        self.runs = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = None

    def publish(self, props=None, *, day=slates.DAY, features=None):
        """Publish a slate as the flows do; returns its version."""
        props = slates.props() if props is None else props
        features = slates.features() if features is None else features
        self.runs += 1
        cutoff = dt.datetime(2024, 4, 16, 12, self.runs, tzinfo=dt.UTC)
        draft = self.house.writer.open(day, cutoff=cutoff, run_id=f"r{self.runs}")
        self.house.writer.load(draft, "features", served(features))
        self.house.writer.load(draft, "props", props)
        counts = {"features": len(features), "props": len(props)}
        return self.house.writer.publish(draft, counts, {**slates.META, "games": slates.games()}).version

    def grade(self, day):
        """Keep a graded day in the lake, as `backstop grade` does."""
        settled = slates.settled().with_columns(game_date=pl.lit(day))
        self.house.lake.write(SETTLED, day, settled)
        self.house.lake.write(GRADES, day, grade.grade(settled).with_columns(game_date=pl.lit(day)))

    def start(self):
        from deployments import api

        application = api.create_app(api.parts_of(self.house))
        self.server = uvicorn.Server(api.config(application, "127.0.0.1", self.port))
        self.thread = threading.Thread(target=self.server.run, name="api")
        self.thread.start()
        until(lambda: self.server.started or not self.thread.is_alive())
        assert self.server.started
        return self

    def stop(self):
        if self.server is not None:
            self.server.should_exit = True
            self.thread.join(60)
            assert not self.thread.is_alive()
            self.server = None

    def close(self):
        self.stop()
        self.house.close()


def until(condition, seconds=60.0):
    """Wait for a condition, bounded."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def site(embedded_url, tmp_path):
    made = Site(tmp_path, embedded_url)
    made.house.redis.flushall()
    yield made
    made.close()


class Sight:
    """A page of the board, with everything that the browser complained of."""

    def __init__(self, page, site):
        self.page, self.site = page, site
        self.complaints = []
        page.set_default_timeout(WAIT_MS)
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective}`))"
        )

    def open(self, path="/"):
        self.page.goto(self.site.url + path)
        return self

    def slate(self, path="/"):
        """Open the board and wait for its first rows."""
        self.open(path)
        self.page.locator("#grid tbody tr[aria-rowindex='2']").wait_for()
        self.page.locator("#connection[data-state='live']").wait_for()
        return self

    def rows(self):
        """Return the rows in sight: player, market, line, edge."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('#grid tbody tr[aria-rowindex]')].map((row) => ({
                 player: row.querySelector('.player b').textContent, market: row.querySelector('.market span').textContent,
                 line: row.querySelector('.line').textContent, prob: parseFloat(row.querySelector('.prob').textContent),
                 kind: row.querySelector('.edge').dataset.kind, edge: row.querySelector('.edge b').textContent,
                 price: row.querySelector('.best b').textContent, book: row.querySelector('.book').textContent}))"""
        )

    def shown(self):
        return self.page.locator("#shown").inner_text()

    def until(self, condition):
        """Wait for something outside the page, while the page goes on."""
        end = time.monotonic() + WAIT_MS / 1000
        while not condition():
            assert time.monotonic() < end, "waited too long"
            self.page.wait_for_timeout(50)

    def wait(self, expression, argument=None):
        self.page.wait_for_function(expression, arg=argument, timeout=WAIT_MS)


@pytest.fixture
def look(browser, site):
    """Open a page: `look()` on a desk, `look(width=390, height=844)` on a phone."""
    with contextlib.ExitStack() as opened:
        sights = []

        def look(*, width=1440, height=900, **options):
            context = browser.new_context(
                viewport={"width": width, "height": height}, timezone_id="America/New_York", **options
            )
            opened.callback(context.close)
            sights.append(Sight(context.new_page(), site))
            return sights[-1]

        yield look
