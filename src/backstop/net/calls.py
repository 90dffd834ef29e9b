"""Identical requests of different workers share one call: the first one asks, the others get its answer from Redis.

The worker that asks (the leader) holds the call's key and keeps it alive; the others wait for its message. When it
ends, the answer stays in Redis for the window of 100 ms. A leader that is killed stops renewing; then another leads.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import orjson
import zstandard

from backstop import errors
from backstop.errors import LakeError, StoreUnavailable, UpstreamError
from backstop.limits import COALESCE_WINDOW_S
from backstop.net import keys, scripts
from backstop.net.item import Answer, Item
from backstop.net.link import Batch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from backstop.net.archive import Archive
    from backstop.net.link import Link

LARGEST_BYTES: Final = 8 * 1024 * 1024
"""A compressed body up to this size goes through Redis; a larger one is read from the archive, if that is shared."""

TOLD_S: Final = 5.0
"""How long an answer stays for those who were told of it."""


class SharedCalls:
    """The calls to one host, of all workers.

    Args:
        host: The host.
        link: The line to the other workers.
        archive: Where large answers are found.
        window_s: How long an answer is given to those who come after it.
    """

    def __init__(self, host: str, link: Link, archive: Archive | None, *, window_s: float = COALESCE_WINDOW_S) -> None:
        self._host = host
        self._link = link
        self._archive = archive
        self._window_ms = int(window_s * 1000)
        self._leading: set[str] = set()
        self._told: dict[str, list[asyncio.Future[str]]] = {}
        self._claims = Batch(self._claim_all)
        self._ends = Batch(self._finish_all)

    async def open(self) -> None:
        """Begin to hear of ended calls and to keep ours alive."""
        await self._link.hear(keys.channel(self._host), self._hear)
        self._link.every_beat(self._hold)

    async def share(self, item: Item, lead: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """Return the answer to an item, and whether another worker, who asks already or just did, gave it.

        Raises:
            UpstreamError: ours, or the failure of the worker that asked.
            StoreUnavailable: Redis cannot be reached.
        """
        name = item.fingerprint
        waited = False
        while True:
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._told.setdefault(name, []).append(told)  # before the claim: the message may overtake its answer
            try:
                verdict = await self._claim(name, waited=waited)
                if verdict[0] == b"lead":
                    return await self._lead(name, lead), False
                if verdict[0] == b"done":
                    answer = await self._answer(item, verdict[1], verdict[2])
                    return (await lead(), False) if answer is None else (answer, True)
                failure = await _within(told, max(int(verdict[1]), 1) / 1000)
            finally:
                self._forget(name, told)
            if failure:
                raise _error(failure)
            waited = True

    async def _claim(self, name: str, *, waited: bool) -> Any:
        claim = asyncio.ensure_future(self._claims.call((name, waited)))
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            claim.add_done_callback(lambda ended: self._unclaim(name, ended))
            raise

    def _unclaim(self, name: str, claim: asyncio.Future[Any]) -> None:
        """Give back a lead whose caller was cancelled before it knew of it."""
        if not claim.cancelled() and claim.exception() is None and claim.result()[0] == b"lead":
            self._finish(name)

    async def _lead(self, name: str, lead: Callable[[], Awaitable[Answer]]) -> Answer:
        self._leading.add(name)
        try:
            answer = await lead()
        except UpstreamError as error:
            self._finish(name, failure=_failure(error))
            raise
        except BaseException:
            self._finish(name)
            raise
        body = zstandard.compress(answer.body, 1)
        self._finish(name, _record(answer), body if len(body) <= LARGEST_BYTES else b"")
        return answer

    def _finish(self, name: str, record: bytes = b"", body: bytes = b"", failure: str = "") -> None:
        """Tell the others, without keeping our own caller waiting."""
        self._leading.discard(name)
        self._link.spawn(self._end(name, record, body, failure))

    async def _end(self, name: str, record: bytes, body: bytes, failure: str) -> None:
        try:
            await self._ends.call((name, record, body, failure))
        except StoreUnavailable:
            return  # the claim runs out by itself

    async def _claim_all(self, claims: list[Any]) -> Sequence[Any]:
        args = ["", self._link.worker, self._link.lease_ms, self._window_ms, *(int(waited) for _, waited in claims)]
        verdicts: Sequence[Any] = await self._link.run(scripts.CLAIM, [self._key(name) for name, _ in claims], args)
        return verdicts

    async def _finish_all(self, ends: list[Any]) -> Sequence[Any]:
        args: list[Any] = ["", keys.channel(self._host), self._link.worker, self._window_ms, int(TOLD_S * 1000)]
        for end in ends:
            args.extend(end)
        await self._link.run(scripts.FINISH, [self._key(end[0]) for end in ends], args)
        return [None] * len(ends)

    async def _hold(self) -> None:
        if self._leading:
            names = [self._key(name) for name in self._leading]
            await self._link.run(scripts.HOLD, names, [self._link.worker, self._link.lease_ms])

    async def _answer(self, item: Item, record: bytes, packed: bytes) -> Answer | None:
        """Return another worker's answer; `None` when its body is out of reach."""
        told: dict[str, Any] = orjson.loads(record)
        fetched_at, headers = dt.datetime.fromisoformat(told["fetched_at"]), tuple(map(tuple, told["headers"]))
        archive, content_hash = self._archive, told["sha256"]
        if packed:
            body = zstandard.decompress(packed)
            if archive is not None and not _is_kept(archive, item, content_hash):  # an archive of our own: here, too
                archive.put(item, body, fetched_at=fetched_at, headers=headers, status=told["status"])
        elif archive is not None:
            try:
                body = await asyncio.to_thread(archive.body, content_hash)
            except LakeError:
                return None
        else:
            return None
        return Answer(
            item, told["status"], body, fetched_at, content_hash, headers,
            attempts=told["attempts"], revalidated=told["revalidated"],
        )  # fmt: skip

    def _key(self, name: str) -> str:
        return keys.call(self._host, name)

    def _hear(self, message: str) -> None:
        kind, _, rest = message.partition("|")
        if kind == "call":
            name, _, failure = rest.partition("|")
            for told in self._told.get(name, ()):
                if not told.done():
                    told.set_result(failure)

    def _forget(self, name: str, told: asyncio.Future[str]) -> None:
        waiting = self._told[name]
        waiting.remove(told)
        if not waiting:
            del self._told[name]


def _is_kept(archive: Archive, item: Item, content_hash: str) -> bool:
    """Return whether an archive knows that this is the answer to this item; another item may have the same one."""
    newest = archive.newest(item)
    return newest is not None and newest.content_hash == content_hash


async def _within(told: asyncio.Future[str], seconds: float) -> str:
    """Wait for the message; an empty one when the leader is lost."""
    try:
        async with asyncio.timeout(seconds):
            return await told
    except TimeoutError:
        return ""


def _record(answer: Answer) -> bytes:
    return orjson.dumps(
        {
            "status": answer.status,
            "fetched_at": answer.fetched_at.isoformat(),
            "sha256": answer.content_hash,
            "headers": answer.headers,
            "attempts": answer.attempts,
            "revalidated": answer.revalidated,
        }
    )


def _failure(error: UpstreamError) -> str:
    return orjson.dumps([type(error).__name__, error.message, error.source, error.retry_after_s]).decode()


def _error(failure: str) -> UpstreamError:
    name, message, source, retry_after_s = orjson.loads(failure)
    kind = getattr(errors, name, errors.UpstreamUnavailable)
    error: UpstreamError = kind(message, source=source, retry_after_s=retry_after_s)
    return error
