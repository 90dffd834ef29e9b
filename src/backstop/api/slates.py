"""Routes of slates: the list, a page of one, its versions, what changed between two."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

import orjson
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backstop.api import models
from backstop.api import parameters as ask
from backstop.api.answers import JSON, Seen, answer, plain, told, weights
from backstop.api.deltas import compare
from backstop.api.problems import Problem
from backstop.api.responses import refusals, versioned

if TYPE_CHECKING:
    from backstop.api.desk import Desk
    from backstop.cache.pointer import Pointer
    from backstop.store.reader import About

PAGE: Final = 50
MEDIA: Final = {"arrow": "application/vnd.apache.arrow.file", "parquet": "application/vnd.apache.parquet"}
COLUMNAR: Final[dict[str, Any]] = {
    media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()
}


class Routes:
    """Answers about slates.

    Args:
        desk: Where they are answered.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/v1/slates", tags=["slates"], default_response_class=Response)
        refused = refusals(404, 422, 503)
        page = {"model": models.Slate, "content": COLUMNAR}
        router.get("", responses={200: {"model": models.SlateList}, **refusals(422, 503)})(self.every)
        router.get("/{date}", responses=versioned(page))(self.page)
        router.get("/{date}/versions", responses={200: {"model": models.Versions}, **refused})(self.versions)
        router.get("/{date}/diff", responses={200: {"model": models.DiffDocument}, **refused})(self.diff)
        return router

    async def every(
        self,
        request: Request,
        before: Annotated[ask.IsoDate | None, Query(description="Only days before this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="Slates in an answer."), ask.WHOLE] = 30,
    ) -> Response:
        """List the published slates, newest first."""
        pointers = self.desk.cache.pointers
        days = [day for day in reversed(await self.desk.slates.days()) if before is None or day < before][:limit]
        lines = []
        # the newest is looked at last: of more slates than are followed it is the oldest that give way
        for day in reversed(days):
            pointer = await pointers.pointer(day)
            if pointer is not None:
                lines.append(line(self.desk.seen(pointer), await self.desk.slates.about(pointer)))
        return await plain(request, {"slates": lines[::-1]}, headers={"Cache-Control": "no-cache"})

    async def page(self, request: Request, date: ask.Day, query: Annotated[ask.Page, Query()]) -> Response:
        """Return a page of a slate's props, filtered and sorted; all of them at once in the columnar formats."""
        shape = query.format or shape_of(request)

        async def work(seen: Seen, etag: str) -> Response:
            headers = {**seen.headers(), "ETag": etag}
            if shape == "json":
                return await answer(request, await self._json(request, seen, query), headers=headers)
            body = await self._columns(seen, query, shape)
            return await answer(request, body, headers=headers, media=MEDIA[shape])

        return await self.desk.about(request, date, work, version=query.version)

    async def _json(self, request: Request, seen: Seen, query: ask.Page) -> bytes:
        size, start = query.limit or PAGE, query.offset
        part = await self.desk.part(seen.pointer, query.asked(), start, size)
        about = await self.desk.slates.about(seen.pointer)
        page = {
            "slate": head(seen.pointer, about),
            "total": part.total,
            "limit": size,
            "offset": start,
            "next": again(request, seen.pointer.version, size, start + size) if start + size < part.total else None,
        }
        return seen.opening() + orjson.dumps(page)[1:-1] + b',"props":' + part.rows + b"}"

    async def _columns(self, seen: Seen, query: ask.Page, shape: str) -> bytes:
        found = (await self.desk.sheet(seen.pointer)).find(query.asked())
        frame = found.slice(query.offset, query.limit)
        return await asyncio.to_thread(columnar, frame, shape)

    async def versions(self, request: Request, date: ask.Day) -> Response:
        """List the kept versions of a slate, oldest first."""
        served = await self._served(date)
        lines = []
        for number in await self.desk.slates.versions(date):
            pointer = await self.desk.slates.version(date, number)
            if pointer is None:
                continue  # its lifetime ran out; it is listed until the next flip
            about = await self.desk.slates.about(pointer)
            is_served = number == served.version
            told = {"published_at": about.published_at, "cutoff": about.cutoff, "run_id": about.run_id}
            lines.append({"version": number, **told, "served": is_served, "pinned": is_served and served.pinned})
        return await plain(request, {"date": date, "versions": lines})

    async def diff(
        self,
        request: Request,
        date: ask.Day,
        before: Annotated[
            int | None,
            Query(alias="from", ge=1, le=ask.LARGEST_ID, description="By default the one before `to`."),
            ask.WHOLE,
        ] = None,
        after: Annotated[
            int | None,
            Query(alias="to", ge=1, le=ask.LARGEST_ID, description="By default the one that is served."),
            ask.WHOLE,
        ] = None,
        limit: Annotated[int, Query(ge=1, le=5000, description="Props per list."), ask.WHOLE] = 500,
    ) -> Response:
        """Compare the props of two kept versions, field by field."""
        served = await self._served(date)
        later = served if after is None else await self.desk.pinned(date, after)
        earlier = await self.desk.pinned(date, before or await self._before(later))
        frames = [(await self.desk.sheet(each)).frame for each in (earlier, later)]
        delta = await asyncio.to_thread(compare, *frames)
        return await plain(request, {"date": date, "from": earlier.version, "to": later.version, **delta.told(limit)})

    async def _served(self, day: dt.date) -> Pointer:
        pointer = await self.desk.cache.pointers.pointer(day)
        if pointer is None:
            raise await self.desk.no_slate(day)
        return pointer

    async def _before(self, later: Pointer) -> int:
        kept = [number for number in await self.desk.slates.versions(later.day) if number < later.version]
        if not kept:
            raise Problem(
                404,
                f"No version of {later.day} before {later.version} is kept; there is nothing to compare with.",
                kind="no-version",
            )
        return kept[-1]


def shape_of(request: Request) -> str:
    """Return the form that the header Accept likes best; of equals a columnar one that it names, else JSON.

    What fits none gets JSON (RFC 9110, 12.5.1).
    """
    accepted = weights(told(request, "accept"))

    def rank(shape: str) -> tuple[float, bool]:
        media = MEDIA.get(shape, JSON)
        weight = next((accepted[each] for each in (media, "application/*", "*/*") if each in accepted), 0.0)
        return weight, weight > 0 and shape in MEDIA and media in accepted

    return max(("json", *MEDIA), key=rank)


def columnar(frame: pl.DataFrame, shape: str) -> bytes:
    """Return a frame as an Arrow IPC file or as Parquet."""
    body = io.BytesIO()
    if shape == "arrow":
        frame.write_ipc(body)
    else:
        frame.write_parquet(body)
    return body.getvalue()


def again(request: Request, version: int, limit: int, offset: int) -> str:
    """Return the address of another page of the same question, of the same version: a flip in between mixes nothing."""
    asked = {**request.query_params, "version": version, "limit": limit, "offset": offset}
    return f"{request.url.path}?{urlencode(asked)}"


def head(pointer: Pointer, about: About) -> dict[str, Any]:
    """Return what is said of a version."""
    return {
        "date": pointer.day,
        "version": pointer.version,
        "published_at": about.published_at,
        "cutoff": about.cutoff,
        "run_id": about.run_id,
        "degraded": is_degraded(about),
        "pinned": pointer.pinned,
        "props_count": about.rows.get("props", 0),
        "features_count": about.rows.get("features", 0),
        "games": about.meta.get("games", []),
        "gaps": about.meta.get("gaps", []),
    }


def is_degraded(about: About) -> bool:
    """Return whether something is missing in a version."""
    return about.meta.get("quality") == "degraded"


def line(seen: Seen, about: About) -> dict[str, Any]:
    """Return a slate as the list has it."""
    whole = head(seen.pointer, about)
    listed = {name: value for name, value in whole.items() if name not in {"games", "gaps"}}
    return {"state": seen.freshness.state.value, "age_s": round(seen.freshness.age_s, 1), **listed}
