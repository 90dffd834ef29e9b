"""A reader that polls slates all the time, and notes every read that was not whole, not of one version, or older."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from backstop.clock import SystemClock
from backstop.errors import StoreError
from backstop.store.asking import drive
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.reader import SlateReader
from backstop.store.views import SlateView

PAUSE_S = 0.02
BUSY = 0.25
"""Share of its time that the reader reads: more would slow down the runs that it watches."""


@dataclass
class Seen:
    """What a reader saw.

    Attributes:
        reads: Answers with rows.
        refused: Reads that were refused because Redis was away.
        wrong: What no reader may see, in words.
        last: Day to the version read last.
    """

    reads: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    last: dict[dt.date, int] = field(default_factory=dict)
    _rows: dict[tuple[dt.date, int], int] = field(default_factory=dict)

    def take(self, view: SlateView, props: pl.DataFrame, *, in_order: bool = True) -> None:
        """Judge one read.

        Every read is whole. A version's rows never change, so two reads of one version are the same; and what was
        published later replaces what was published earlier, never the other way round.

        Args:
            view: What was said of the slate.
            props: Its rows, of the same read.
            in_order: Whether it can be compared with the reads before: a Redis that lost everything begins with number
                1 again, so a read that was under way then is only judged by itself.
        """
        if view.version is None or view.published_at is None:
            if props.height:
                self.wrong.append(f"{view.day}: {props.height} props of a slate that is missing")
            return
        self.reads += 1
        if props.height != view.props_count:
            self.wrong.append(f"{view.day} v{view.version}: {props.height} props read, {view.props_count} published")
        if not in_order:
            return
        content = hash(tuple(props.sort("prop_id").hash_rows(seed=1)))
        if self._rows.setdefault((view.day, view.version), content) != content:
            self.wrong.append(f"{view.day} v{view.version}: two reads of it differ")
        before = self.last.get(view.day, 0)
        if view.version < before:
            self.wrong.append(f"{view.day}: version {before} was read, and then version {view.version}")
        self.last[view.day] = view.version

    def forget(self) -> None:
        """Redis lost everything: numbers begin anew."""
        self.last.clear()
        self._rows.clear()


class Watch:
    """The reader's thread; a context manager.

    Args:
        url: Of Redis.
        days: Slates to read.
    """

    def __init__(self, url: str, days: Sequence[dt.date]) -> None:
        self.seen = Seen()
        self._url, self._days = url, days
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._poll, name="reader", daemon=True)
        self._generation = 0
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the reader hangs"
        if self._failed is not None:
            raise self._failed

    def emptied(self) -> None:
        """Say that Redis was killed."""
        with self._lock:
            self._generation += 1
            self.seen.forget()

    def _poll(self) -> None:
        try:
            with connect_url(self._url) as client:
                reader = SlateReader(client, SystemClock())
                pause_s = PAUSE_S
                while not self._done.wait(pause_s):
                    began = time.monotonic()
                    for day in self._days:
                        self._read(reader, day)
                    pause_s = max(PAUSE_S, (time.monotonic() - began) * (1 - BUSY) / BUSY)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for this thread
            self._failed = error

    def _read(self, reader: SlateReader, day: dt.date) -> None:
        generation = self._generation
        try:
            with explained("reading"):
                view, props = drive(reader.redis, reader.reading.best(day, None, None, None, "ev"))
        except StoreError:
            self.seen.refused += 1
            return
        with self._lock:
            self.seen.take(view, props, in_order=generation == self._generation)
