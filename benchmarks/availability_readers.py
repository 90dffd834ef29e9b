"""Who reads in `benchmarks.availability`: ours from Redis, one through to the feed, one the feed's last good answer."""

from __future__ import annotations

import datetime as dt
import random
import threading
from abc import ABC, abstractmethod
from collections import Counter

import httpx

from backstop.clock import SystemClock
from backstop.demo import DEMO_DAY
from backstop.errors import BackstopError
from backstop.limits import SLATE_FRESH_S
from backstop.settings import Settings
from backstop.store import connection
from backstop.store.reader import SlateReader


class Moved:
    """The machine's clock, and as many simulated seconds as it was moved by."""

    by_s = 0.0

    def now(self) -> dt.datetime:
        """Return the simulated instant."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.by_s)


class Asking(threading.Thread, ABC):
    """Asks one thing after another until told to stop, and counts how each ended, phase by phase."""

    pause_s = 0.002

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ends: Counter[str] = Counter()
        self.phases: list[tuple[float, Counter[str]]] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Ask."""
        while not self.stop.wait(self.pause_s):
            self.ends[self.ask()] += 1

    @abstractmethod
    def ask(self) -> str:
        """Ask once and say how it ended."""

    @property
    def since(self) -> Counter[str]:
        """What ended since the last phase."""
        return self.ends.copy() - sum((ends for _, ends in self.phases), Counter())

    def end_phase(self, seconds: float) -> None:
        """Put what ended since the last call into a phase that lasted so many simulated seconds."""
        self.phases.append((seconds, self.since))

    def share(self, *ends: str) -> float:
        """Return the percentage of simulated time in which reads ended so, however many of them a phase holds."""
        whole = sum(seconds for seconds, _ in self.phases)
        parts = (seconds * sum(ended[end] for end in ends) / ended.total() for seconds, ended in self.phases)
        return 100 * sum(parts) / whole


class Reader(Asking):
    """Reads one player after another from Redis."""

    def __init__(self, settings: Settings, players: list[int]) -> None:
        super().__init__()
        self._reader = SlateReader(connection.connect(settings), SystemClock())
        self._players = players
        self._chance, self._newest = random.Random(1), 0

    def ask(self) -> str:
        """Read one."""
        try:
            view = self._reader.player(self._chance.choice(self._players), DEMO_DAY)
        except BackstopError as error:
            return type(error).__name__
        version = view.slate.version or 0
        whole = bool(view.features) and version >= self._newest
        self._newest = max(self._newest, version)
        return str(view.state) if whole else "half a version, or an older one"


class ReadThrough(Asking):
    """Asks the feed itself."""

    pause_s = 0.02

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._client = httpx.Client(base_url=base_url)

    def ask(self) -> str:
        """Ask for the day's schedule."""
        answer = self._client.get("/api/v1/schedule", params={"sportId": 1, "date": f"{DEMO_DAY}"})
        return "fresh" if answer.is_success else str(answer.status_code)


class LastGood(Asking):
    """Reads the feed's last good answer from a plain key; only the benchmark knows how old it is."""

    def __init__(self, settings: Settings, base_url: str, clock: Moved) -> None:
        super().__init__()
        self._redis = connection.connect(settings)
        self._client = httpx.Client(base_url=base_url)
        self._clock, self._written_at = clock, clock.now()

    def refresh(self) -> None:
        """Ask the feed, and keep what it answers if it is good."""
        answer = self._client.get("/api/v1/schedule", params={"sportId": 1, "date": f"{DEMO_DAY}"})
        if answer.is_success:
            self._redis.set("last-good", answer.content)
            self._written_at = self._clock.now()

    def ask(self) -> str:
        """Read it."""
        if self._redis.get("last-good") is None:
            return "nothing"
        age_s = (self._clock.now() - self._written_at).total_seconds()
        return "fresh" if age_s <= SLATE_FRESH_S else "stale"
