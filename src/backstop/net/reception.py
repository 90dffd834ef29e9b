"""The reception: is a reply the answer that was asked for? If so it is kept.

A reply passes: its status, the key taken out of it, the look at its kind, the table's own inspection, the archive.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final

from backstop.errors import RowCapReached, UpstreamMalformed
from backstop.net import content
from backstop.net.item import Answer, Item, Secret
from backstop.net.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from backstop.clock import Clock
    from backstop.net.archive import Archive, Entry
    from backstop.net.exchange import Reply
    from backstop.net.secrets import Redactor

OK: Final = 200
NOT_MODIFIED: Final = 304

INLINE_BYTES: Final = 64 * 1024
"""Bodies up to this size are hashed and compressed on the loop (0.2 ms); larger ones in a thread."""

KEPT_HEADERS: Final = frozenset(
    {"content-type", "date", "etag", "last-modified", "cache-control", "x-requests-remaining", "x-requests-used",
     "x-requests-last", "x-plan-quota-allotted", "x-plan-quota-current", "x-plan-qps-allotted", "x-max-results"}
)  # fmt: skip


class Reception:
    """Turns replies into answers.

    Args:
        clock: Stamps answers.
        redactor: Takes keys out of what is kept.
        archive: Where answers are kept; `None` keeps nothing.
    """

    def __init__(self, clock: Clock, redactor: Redactor, archive: Archive | None) -> None:
        self._clock = clock
        self._redactor = redactor
        self._archive = archive

    async def accept(
        self, item: Item, reply: Reply, inspect: Callable[[bytes], None] | None, known: Entry | None
    ) -> Answer:
        """Return the answer that a reply holds.

        Args:
            item: What was asked.
            reply: What came.
            inspect: The table's own look at the content.
            known: The archived answer that the request was conditional on.

        Raises:
            UpstreamError: why it holds none.
            LakeError: a 304 for a body that is damaged here.
        """
        now = self._clock.now()
        if reply.status == NOT_MODIFIED and known is not None:
            return await self._revalidated(item, inspect, known, now)
        if reply.status != OK:
            raise refusal(item, reply.status, reply.headers, self._redactor.body(reply.body), now)
        # only a server that was given a key can give it back
        body = reply.body if item.secret is Secret.NONE else self._redactor.body(reply.body)
        content.check(item, body)
        kept = [(name, value) for name, value in reply.headers.items() if name in KEPT_HEADERS]
        headers = self._redactor.headers(kept)
        try:
            if inspect is not None:
                inspect(body)
        except RowCapReached:
            # incomplete, but what was asked for: a replay must reach the cap and split as this run will
            await self._keep(item, body, headers, now)
            raise
        content_hash = await self._keep(item, body, headers, now)
        return Answer(item, OK, body, now, content_hash, headers)

    async def _revalidated(
        self, item: Item, inspect: Callable[[bytes], None] | None, known: Entry, now: dt.datetime
    ) -> Answer:
        if self._archive is None:
            raise UpstreamMalformed(
                f"{item.feed.value} answered {item.table} {item.key} with 304 although nothing is archived; ask again.",
                source=item.feed.value,
            )
        body = await asyncio.to_thread(self._archive.body, known.content_hash)
        if inspect is not None:
            inspect(body)
        self._archive.again(item, known, fetched_at=now, size=len(body))
        return Answer(item, OK, body, now, known.content_hash, known.headers, revalidated=True)

    async def _keep(self, item: Item, body: bytes, headers: tuple[tuple[str, str], ...], now: dt.datetime) -> str:
        if self._archive is None:
            return content.name_of(body)
        put = self._archive.put
        if len(body) <= INLINE_BYTES:
            return put(item, body, fetched_at=now, headers=headers, status=OK)
        return await asyncio.to_thread(put, item, body, fetched_at=now, headers=headers, status=OK)
