"""The opened house: every room that a run needs, built once per process from the settings."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import Any, ClassVar

from backstop.clock import Clock, SystemClock
from backstop.lake.ledger import Ledger
from backstop.lake.quarantine import Quarantine
from backstop.lake.tables import Lake
from backstop.net.archive import Archive
from backstop.net.bridge import Bridge
from backstop.net.client import REPLAY
from backstop.settings import Settings
from backstop.store import connection, embedded
from backstop.store.loader import SlateWriter
from backstop.store.process import address_of
from backstop.store.reader import SlateReader


class House:
    """Rooms opened on first use, so that a command pays only for what it touches.

    Args:
        settings: Where everything is.
        clock: What tells the time; the machine's by default.
    """

    _houses: ClassVar[dict[str, House]] = {}
    _lock: ClassVar = threading.Lock()

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._use: embedded.Use | None = None

    @classmethod
    def current(cls) -> House:
        """Return this process's house for the settings in its environment.

        Raises:
            ConfigurationError: a setting cannot be read.
        """
        return cls.of(Settings())

    @classmethod
    def of(cls, settings: Settings) -> House:
        """Return this process's house for these settings, opening it the first time."""
        key = settings.model_dump_json()
        with cls._lock:
            if key not in cls._houses:
                cls._houses[key] = cls(settings)
            return cls._houses[key]

    @classmethod
    def close_all(cls) -> None:
        """Close every house of this process."""
        with cls._lock:
            while cls._houses:
                cls._houses.popitem()[1].close()

    @functools.cached_property
    def lake(self) -> Lake:
        """The Parquet tables."""
        return Lake(self.settings.lake_url or self.settings.lake_dir)

    @functools.cached_property
    def quarantine(self) -> Quarantine:
        """Rows that broke a rule."""
        return Quarantine(self.lake)

    @functools.cached_property
    def ledger(self) -> Ledger:
        """What is done and what is missing."""
        url = self.settings.ledger_url
        if url is None:
            self.settings.home.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{self.settings.ledger_file}"
        return Ledger.connect(url, self.clock)

    @property
    def has_ledger(self) -> bool:
        """Whether opening the ledger makes no file: it is there, or on an address that was given."""
        return self.settings.ledger_url is not None or self.settings.ledger_file.exists()

    @functools.cached_property
    def archive(self) -> Archive:
        """Raw answers, verbatim; those of the archive that is replayed, when one is."""
        if self.replays:
            return Archive(Path(self.settings.upstream.removeprefix(REPLAY)), replayed=True)
        return Archive(self.settings.archive_dir)

    @property
    def replays(self) -> bool:
        """Whether answers come from an archive instead of the feeds."""
        return self.settings.upstream.startswith(REPLAY)

    @functools.cached_property
    def bridge(self) -> Bridge:
        """The network, for callers that do not run an event loop.

        What feeds said of credits, breakers and the gate are shared through Redis: the one that is set, else this
        home's own, once it has one. Without, every run of a worker would begin to count anew.
        """
        settings = self.settings
        if settings.redis_url is None and not self.replays and (settings.home / "redis").is_dir():
            _ = self.redis  # started where it does not run
            settings = settings.model_copy(update={"redis_url": address_of(settings.home / "redis")})
        # the client belongs to the bridge's loop, so it is made there; a cluster's address needs our own connecting
        connect = functools.partial(connection.connect_async, settings) if settings.redis_url else None
        return Bridge.shared(settings, connect=connect)

    @functools.cached_property
    def redis(self) -> Any:
        """The store's connection; starts the embedded server when no address is set and none runs."""
        if self.settings.redis_url is not None:
            return connection.connect_url(self.settings.redis_url)
        self._use = embedded.Use(self.settings.home / "redis")
        return connection.connect_url(self._use.url)

    @property
    def writer(self) -> SlateWriter:
        """Writes slates."""
        return SlateWriter(self.redis, self.clock, codec=self.settings.store_codec)

    @property
    def reader(self) -> SlateReader:
        """Reads slates."""
        return SlateReader(self.redis, self.clock)

    def close(self) -> None:
        """Close what was opened; an embedded server that was started for it is stopped when nobody else uses it."""
        opened = vars(self)
        for name in ("bridge", "ledger", "redis"):
            if name in opened:
                opened.pop(name).close()
        if self._use is not None:
            self._use.end()
            self._use = None

    def run_dir(self, run_id: str) -> Path:
        """Return the folder of a run's intermediate frames, made when it is missing."""
        folder = self.settings.home / "runs" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder
