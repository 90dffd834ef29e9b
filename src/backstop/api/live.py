"""Live updates: who reads which slate's stream, and what is told in it.

A message is encoded once and handed to every reader's queue. A reader who does not take them in time is dropped: he
comes back with the number of the last message that he got and is given the rest, or starts anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from backstop.api.deltas import Delta, compare
from backstop.api.stream import Counts, Reader, Stream
from backstop.errors import BackstopError
from backstop.limits import SLATE_FRESH_S
from backstop.store.reader import State

if TYPE_CHECKING:
    from backstop.api.desk import Desk
    from backstop.cache.pointer import Pointer

LOG = logging.getLogger(__name__)
HEARTBEAT_S: Final = 10.0
READERS: Final = 5000
"""Open WebSockets of one process: each takes some 50 KB."""

TRY_LATER, BROKEN = 1013, 1011
SEND_S: Final = 5.0
"""A reader whose connection takes nothing for this long is gone or too slow."""


class Hub:
    """All streams of one process.

    Args:
        desk: Reads the slates.
        heartbeat_s: Seconds between two pings.
    """

    def __init__(self, desk: Desk, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.desk = desk
        self.heartbeat_s = heartbeat_s
        self.counts = Counts()
        self.streams: dict[dt.date, Stream] = {}
        self._beat: asyncio.Task[None] | None = None
        self._taken = 0
        desk.cache.pointers.listeners.append(self._turned)

    @property
    def clients(self) -> int:
        """Open WebSockets."""
        return sum(len(stream.readers) for stream in self.streams.values())

    def start(self) -> None:
        """Begin to look at freshness."""
        self._beat = asyncio.create_task(self._watch_freshness())

    async def stop(self) -> None:
        """End all streams."""
        tasks = [stream.worker for stream in self.streams.values() if stream.worker is not None]
        if self._beat is not None:
            tasks.append(self._beat)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def tell(self, message: dict[str, Any]) -> None:
        """Publish a message that concerns every slate."""
        for stream in self.streams.values():
            stream.publish(dict(message), self.counts)

    async def serve(self, socket: WebSocket, day: dt.date, since: int | None, stream_name: str | None) -> None:
        """Serve one reader until he leaves or is dropped."""
        if self._taken >= READERS:
            await socket.close(TRY_LATER, "too many readers; come back in a moment")
            return
        # taken before anything is awaited: those who come while Redis is slow need room too
        self._taken += 1
        try:
            with self.desk.cache.pointers.wanting(day):
                await self._serve(socket, day, since, stream_name)
        finally:
            self._taken -= 1

    async def _serve(self, socket: WebSocket, day: dt.date, since: int | None, stream_name: str | None) -> None:
        with contextlib.suppress(BackstopError):
            # a slate that is not published yet may be waited for, one that cannot be read now likewise
            await self.desk.cache.pointers.pointer(day)
        stream = self._stream(day)
        missed = stream.since(since) if since is not None and stream_name == stream.name else None
        # nothing is awaited from the greeting to the stream: no message can come between
        reader = Reader((self._hello(stream, missed), *(missed or ())))
        stream.readers.add(reader)
        self.counts.opened += 1
        self.counts.resumed += missed is not None
        try:
            await self._attend(socket, reader, stream)
        finally:
            stream.readers.discard(reader)
            self._tidy(stream)

    async def _attend(self, socket: WebSocket, reader: Reader, stream: Stream) -> None:
        """Send and listen until one of them ends."""
        sending = asyncio.create_task(self._send(socket, reader, stream))
        listening = asyncio.create_task(_listen(socket))
        slow = asyncio.create_task(reader.slow.wait())
        try:
            done, _ = await asyncio.wait({sending, listening, slow}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, listening, slow):
                task.cancel()
            await asyncio.gather(sending, listening, slow, return_exceptions=True)
        if slow in done or (sending in done and sending.exception() is None):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(1):
                    await socket.close(reader.code, "come back with since and stream")

    async def _send(self, socket: WebSocket, reader: Reader, stream: Stream) -> None:
        """Send what is queued, a ping when there is nothing; returns when the reader takes too long."""
        try:
            for body in reader.greeting:
                await self._pass(socket, body)
            while True:
                try:
                    async with asyncio.timeout(self.heartbeat_s):
                        body = await reader.queue.get()
                except TimeoutError:
                    body = self._ping(stream)
                await self._pass(socket, body)
        except TimeoutError:
            self.counts.dropped += 1

    async def _pass(self, socket: WebSocket, body: bytes) -> None:
        async with asyncio.timeout(SEND_S):
            await socket.send_text(body.decode())
        self.counts.sent += 1

    def _stream(self, day: dt.date) -> Stream:
        if day not in self.streams:
            stream = self.streams[day] = Stream(day)
            stream.told = self.desk.cache.pointers.known(day)
            stream.state = None if stream.told is None else self.desk.seen(stream.told).freshness.state
            stream.worker = asyncio.create_task(self._work(stream))
            stream.worker.add_done_callback(lambda task: self._ended(stream, task))
        return self.streams[day]

    def _ended(self, stream: Stream, worker: asyncio.Task[None]) -> None:
        """Send readers away when the work on their slate failed: they come back to a new stream, and it is logged."""
        if worker.cancelled() or (error := worker.exception()) is None:
            return
        LOG.error(
            "The live updates of %s ended by an error; its readers are asked to come back.", stream.day, exc_info=error
        )
        self.streams.pop(stream.day, None)
        for reader in stream.readers:
            reader.code = BROKEN
            reader.slow.set()

    def _tidy(self, stream: Stream) -> None:
        """Forget a slate that nobody ever saw published and nobody waits for: days are the caller's to choose."""
        if self.streams.get(stream.day) is not stream:
            return  # forgotten already; what is there now is of others
        if not stream.readers and self.desk.cache.pointers.known(stream.day) is None:
            del self.streams[stream.day]
            if stream.worker is not None:
                stream.worker.cancel()

    def _turned(self, _: Pointer | None, new: Pointer) -> None:
        stream = self.streams.get(new.day)
        if stream is not None:
            stream.turns.put_nowait(new)

    async def _work(self, stream: Stream) -> None:
        """Tell of the flips of one slate, one after the other, each followed by what it changed."""
        while True:
            old, new = stream.told, await stream.turns.get()
            if old is not None and old.turn == new.turn:
                continue  # it was not followed for a while, and is what it was
            delta = await self._delta(stream, old, new)
            flip = {
                "type": "flip",
                "date": stream.day,
                "version": new.version,
                "previous": None if old is None else old.version,
                "edition": new.edition,
                "published_at": dt.datetime.fromtimestamp(new.published_us / 1e6, dt.UTC),
                "delta": delta is not None,
            }
            # nothing is awaited from here to the delta: whoever comes is greeted with what the stream told, no more
            stream.told = new
            stream.publish(flip, self.counts)
            if delta is not None and old is not None:
                versions = {"date": stream.day, "from": old.version, "version": new.version}
                told = {**versions, "published_at": flip["published_at"]}
                stream.publish({"type": "reprice", **told, **delta.message()}, self.counts)
            self._check_freshness(stream)

    async def _delta(self, stream: Stream, old: Pointer | None, new: Pointer) -> Delta | None:
        """Return what changed, `None` when that is unknown, nobody listens, or it is more than half of the slate."""
        if old is None or not stream.readers or old.edition == new.edition:
            return None
        try:
            before, after = await self.desk.sheet(old), await self.desk.sheet(new)
        except BackstopError:
            return None
        delta = await asyncio.to_thread(compare, before.frame, after.frame)
        return delta if delta.size <= after.frame.height / 2 else None

    async def _watch_freshness(self) -> None:
        while True:
            await asyncio.sleep(self.desk.cache.pointers.poll_s)
            for stream in list(self.streams.values()):
                self._check_freshness(stream)

    def _check_freshness(self, stream: Stream) -> None:
        pointer = stream.told
        if pointer is None:
            return
        freshness = self.desk.seen(pointer).freshness
        if freshness.state != stream.state:
            stream.state = freshness.state
            told = {"date": stream.day, "version": pointer.version, "state": freshness.state, "age_s": freshness.age_s}
            stream.publish({"type": "freshness", **told}, self.counts)

    def _hello(self, stream: Stream, missed: list[bytes] | None) -> bytes:
        told = self._now(stream)
        seq = stream.seq - len(missed or ())
        fixed = {"fresh_for_s": SLATE_FRESH_S, "heartbeat_s": self.heartbeat_s, "resumed": missed is not None}
        return orjson.dumps({"type": "hello", "seq": seq, "stream": stream.name, "date": stream.day, **told, **fixed})

    def _ping(self, stream: Stream) -> bytes:
        told = self._now(stream)
        return orjson.dumps({"type": "ping", "seq": stream.seq, "age_s": told["age_s"], "state": told["state"]})

    def _now(self, stream: Stream) -> dict[str, Any]:
        pointer = stream.told
        if pointer is None:
            return {"version": None, "edition": None, "state": State.MISSING, "age_s": None}
        freshness = self.desk.seen(pointer).freshness
        known = {"version": pointer.version, "edition": pointer.edition}
        return {**known, "state": freshness.state, "age_s": round(freshness.age_s, 1)}


async def _listen(socket: WebSocket) -> None:
    """Take what a reader sends, which means nothing here, until he leaves."""
    with contextlib.suppress(WebSocketDisconnect):
        while socket.client_state is WebSocketState.CONNECTED:
            await socket.receive()
