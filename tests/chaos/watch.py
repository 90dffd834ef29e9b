"""A reader that polls slates, props and features, and notes every read that was not whole, not of one version, or older."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from backstop.clock import SystemClock
from backstop.errors import IncompleteVersion, StoreError
from backstop.store.asking import drive
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.kinds import kind_of
from backstop.store.reader import SlateReader
from backstop.store.views import SlateView

PAUSE_S = 0.02
ORDER = {"props": ["prop_id"], "features": list(kind_of("features").key)}
"""Columns that tell the rows of a kind apart."""

BUSY = 0.25
"""Share of its time that the reader reads: more would slow down the runs that it watches."""


@dataclass
class Seen:
    """What a reader saw.

    Attributes:
        reads: Answers with rows, by kind.
        refused: Reads that were refused because Redis was away.
        wrong: What no reader may see, in words.
        last: Day to the version read last.
    """

    reads: dict[str, int] = field(default_factory=lambda: {"props": 0, "features": 0})
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    last: dict[dt.date, int] = field(default_factory=dict)
    _rows: dict[tuple[dt.date, int, str], int] = field(default_factory=dict)

    def take(self, view: SlateView, rows: pl.DataFrame, kind: str = "props", *, in_order: bool = True) -> None:
        """Judge one read.

        Every read is whole. A version's rows never change, so two reads of one version are the same; and what was
        published later replaces what was published earlier, never the other way round.

        Args:
            view: What was said of the slate.
            rows: Its rows, of the same read.
            kind: Of the rows: props or features.
            in_order: Whether it can be compared with the reads before: a Redis that lost everything begins with number
                1 again, so a read that was under way then is only judged by itself.
        """
        if view.version is None or view.published_at is None:
            if rows.height:
                self.wrong.append(f"{view.day}: {rows.height} {kind} of a slate that is missing")
            return
        self.reads[kind] += 1
        published = view.props_count if kind == "props" else view.features_count
        if rows.height != published:
            self.wrong.append(f"{view.day} v{view.version}: {rows.height} {kind} read, {published} published")
        if not in_order:
            return
        content = hash(tuple(rows.sort(ORDER[kind]).hash_rows(seed=1))) if rows.height else 0
        if self._rows.setdefault((view.day, view.version, kind), content) != content:
            self.wrong.append(f"{view.day} v{view.version}: two reads of its {kind} differ")
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
        self._generation, self._away = 0, False
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

    def emptied(self, *, back: bool) -> None:
        """Say that Redis is about to be killed, and that it is back, empty."""
        with self._lock:
            self._generation += 1
            self._away = not back
            self.seen.forget()

    def _poll(self) -> None:
        try:
            with connect_url(self._url) as client:
                reader = SlateReader(client, SystemClock())
                pause_s = PAUSE_S
                while not self._done.wait(pause_s):
                    began = time.monotonic()
                    for day in self._days:
                        self._read(reader, day, "props")
                        self._read(reader, day, "features")
                    pause_s = max(PAUSE_S, (time.monotonic() - began) * (1 - BUSY) / BUSY)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for this thread
            self._failed = error

    def _read(self, reader: SlateReader, day: dt.date, kind: str) -> None:
        generation, away = self._generation, self._away
        reading = reader.reading
        plan = reading.best(day, None, None, None, "ev") if kind == "props" else reading._all(day, kind)
        try:
            with explained("reading"):
                view, rows = drive(reader.redis, plan)
        except IncompleteVersion as error:
            with self._lock:
                # a Redis that was emptied between two questions has fewer rows than it said
                if not away and generation == self._generation:
                    self.seen.wrong.append(error.message)
            return
        except StoreError:
            self.seen.refused += 1
            return
        with self._lock:
            known = pl.DataFrame() if rows is None else rows
            self.seen.take(view, known, kind, in_order=generation == self._generation)
