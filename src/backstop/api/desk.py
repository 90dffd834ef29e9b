"""Where requests about slates are answered: pin a version, compare tags, do the work, say how fresh it is."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import orjson

from backstop.api.answers import Seen, is_known, not_modified, tag, tag_of_edition
from backstop.api.problems import Problem
from backstop.api.sheet import Asked, Part, Sheet
from backstop.cache import keys
from backstop.cache.cache import VersionGone
from backstop.cache.namespaces import Collection, Namespace
from backstop.store import decode
from backstop.store.kinds import FEATURES, PROPS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from backstop.cache.pointer import Pointer
    from backstop.cache.slates import Slates

SHEET: Final = "props.sheet"
PART: Final = "props.part"
PLAYER: Final = "props.player"
LOOK_BACK: Final = 7
"""Slates in which somebody is looked for when no day is given: a starter pitches every fifth or sixth."""

Work = Callable[[Seen, str], Awaitable["Response"]]


class Desk:
    """Answers from the cache.

    Args:
        slates: Reads slates.
    """

    def __init__(self, slates: Slates) -> None:
        self.slates = slates
        self.cache = slates.cache
        keys.code()  # reads the package's files: not while somebody waits for an answer
        self.cache.add(
            Collection(SHEET, Namespace.PROPS, self._load_sheet),
            Collection(PART, Namespace.PROPS, self._load_part, carried=False),
            Collection(PLAYER, Namespace.PROPS, self._load_player),
        )

    def seen(self, pointer: Pointer) -> Seen:
        """Return a version with its freshness now."""
        return Seen(pointer, self.cache.pointers.freshness(pointer))

    async def about(
        self,
        request: Request,
        day: dt.date,
        work: Work,
        *,
        version: int | None = None,
        stamped: bool = True,
    ) -> Response:
        """Answer a request about a slate: 304 when the caller has it, otherwise what `work` makes of the version.

        Args:
            request: The request.
            day: The slate.
            work: Makes the answer.
            version: A kept version instead of the one that is served.
            stamped: Whether the body says the state. One that does not depends on nothing but the version, and so
                does its tag.

        Raises:
            Problem: there is no such slate or version.
            StoreError: it is not cached and Redis does not answer.
        """

        async def on(pointer: Pointer) -> Response:
            seen = self.seen(pointer)
            etag = tag(pointer, request, seen.freshness.state) if stamped else tag_of_edition(pointer)
            if is_known(request, etag):
                return not_modified(seen.headers(), etag)
            return await work(seen, etag)

        if version is not None:
            try:
                return await on(await self.pinned(day, version))
            except VersionGone as error:
                raise _not_kept(day, version) from error
        done = await self.cache.read(day, on)
        if done is None:
            raise await self.no_slate(day)
        return done[1]

    async def pinned(self, day: dt.date, version: int) -> Pointer:
        """Return a pointer to a kept version.

        Raises:
            Problem: it is not kept.
        """
        pointer = await self.slates.version(day, version)
        if pointer is None:
            raise _not_kept(day, version)
        return pointer

    async def no_slate(self, day: dt.date) -> Problem:
        """Return the answer about a slate that was never published."""
        days = await self.slates.days()
        known = ", ".join(str(each) for each in days[-5:]) or "none"
        return Problem(
            404,
            f"No slate of {day} is published; the latest that are: {known}. Refresh the day, or ask for one of these.",
            kind="no-slate",
        )

    async def recent(self) -> list[dt.date]:
        """Return the latest published days, newest first.

        Raises:
            Problem: nothing was ever published.
        """
        days = await self.slates.days()
        if not days:
            raise Problem(404, "No slate is published yet; refresh a day first.", kind="no-slate")
        return list(days[: -LOOK_BACK - 1 : -1])

    async def latest(self) -> dt.date:
        """Return the latest published day.

        Raises:
            Problem: nothing was ever published.
        """
        return (await self.recent())[0]

    async def sheet(self, pointer: Pointer) -> Sheet:
        """Return a version's props."""
        sheet: Sheet = await self.cache.get(SHEET, pointer)
        return sheet

    async def part(self, pointer: Pointer, asked: Asked, offset: int, limit: int) -> Part:
        """Return some of the rows that are asked for, as JSON."""
        part: Part = await self.cache.get(PART, pointer, f"{offset} {limit} {asked.name}")
        return part

    async def player(self, pointer: Pointer, player_id: int) -> bytes | None:
        """Return what a version says of a player as members of a JSON object, `None` when he is not in it."""
        found: bytes | None = await self.cache.get(PLAYER, pointer, str(player_id))
        return found

    async def _load_sheet(self, pointer: Pointer, names: Sequence[str]) -> list[Sheet]:
        frame = await self.slates.read_frame(pointer, PROPS.name)
        return [await asyncio.to_thread(Sheet.of, frame)] * len(names)

    async def _load_part(self, pointer: Pointer, names: Sequence[str]) -> list[Part]:
        sheet = await self.sheet(pointer)
        parts = []
        for name in names:
            offset, limit, question = name.split(" ", 2)
            parts.append(sheet.part(Asked.named(question), int(offset), int(limit)))
        return parts

    async def _load_player(self, pointer: Pointer, names: Sequence[str]) -> list[bytes | None]:
        shapes = (await self.slates.about(pointer)).shapes
        kinds = [kind for kind in (FEATURES.name, PROPS.name) if kind in shapes]
        values = {kind: await self.slates.values(pointer, kind, names) for kind in kinds}
        told: list[bytes | None] = []
        for place, name in enumerate(names):
            rows = {
                kind: []
                if (value := values[kind][place]) is None
                else decode.rows_of(shapes[kind].columns, int(name), value)
                for kind in kinds
            }
            told.append(_told(rows) if any(rows.values()) else None)
        return told


def _not_kept(day: dt.date, version: int) -> Problem:
    return Problem(
        404,
        f"Version {version} of the slate of {day} is not kept; /api/v1/slates/{day}/versions lists those that are.",
        kind="no-version",
    )


def _told(rows: dict[str, list[dict[str, object]]]) -> bytes:
    document = {"features": rows.get(FEATURES.name, []), "props": rows.get(PROPS.name, [])}
    return orjson.dumps(document)[1:-1]
