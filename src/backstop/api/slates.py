"""Routes of slates: the list, a page of one, its versions, what changed between two."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import orjson
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backstop.api import models
from backstop.api import parameters as ask
from backstop.api.answers import Seen, answer, plain
from backstop.api.deltas import compare
from backstop.api.problems import Problem
from backstop.api.responses import refusals
from backstop.api.sheet import Asked

if TYPE_CHECKING:
    from backstop.api.desk import Desk
    from backstop.cache.pointers import Pointer
    from backstop.store.reader import About

PAGE = 50
MEDIA = {"arrow": "application/vnd.apache.arrow.file", "parquet": "application/vnd.apache.parquet"}
COLUMNAR: dict[str, Any] = {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()}


def routes(desk: Desk) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/v1/slates", tags=["slates"])

    @router.get("", responses={200: {"model": models.SlateList}, **refusals(422, 503)}, response_class=Response)
    async def list_slates(
        request: Request,
        before: Annotated[dt.date | None, Query(description="Only days before this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="Slates in an answer.")] = 30,
    ) -> Response:
        """List the published slates, newest first."""
        days = [day for day in reversed(await desk.slates.days()) if before is None or day < before][:limit]
        await desk.cache.pointers.look([day for day in days if desk.cache.pointers.known(day) is None])
        lines = []
        for day in days:
            pointer = desk.cache.pointers.known(day)
            if pointer is not None:
                lines.append(line(desk.seen(pointer), await desk.slates.about(pointer)))
        return await plain(request, {"slates": lines}, headers={"Cache-Control": "no-cache"})

    @router.get(
        "/{date}",
        responses={200: {"model": models.Slate, "content": COLUMNAR}, **refusals(404, 422, 503)},
        response_class=Response,
    )
    async def slate(
        request: Request,
        date: ask.Day,
        market: ask.WantedMarket = None,
        team: ask.Team = None,
        player: ask.WantedPlayer = None,
        game_pk: ask.WantedGame = None,
        min_edge: ask.MinEdge = None,
        sort: ask.Sort = "ev",
        order: ask.Wanted = "desc",
        limit: ask.Limit = None,
        offset: ask.Offset = 0,
        version: ask.Version = None,
        format: ask.Columnar = None,  # noqa: A002 - the parameter's name is part of the address
    ) -> Response:
        """Return a page of a slate's props, filtered and sorted; all of them at once in the columnar formats."""
        asked = Asked(None if market == ask.ALL else market, team, player, game_pk, min_edge, sort, order == "desc")
        shape = format or shape_of(request)

        async def work(seen: Seen, etag: str) -> Response:
            places = await desk.places(seen.pointer, asked)
            headers = {**seen.headers(), "ETag": etag}
            if shape != "json":
                some = places[offset:] if limit is None else places[offset : offset + limit]
                frame = (await desk.sheet(seen.pointer)).frame[list(some)]
                return await answer(request, columnar(frame, shape), headers=headers, media=MEDIA[shape])
            size = limit or PAGE
            sheet, about = await desk.sheet(seen.pointer), await desk.slates.about(seen.pointer)
            following = offset + size if offset + size < len(places) else None
            page = {
                "slate": head(seen.pointer, about),
                "total": len(places),
                "limit": size,
                "offset": offset,
                "next": None if following is None else again(request, size, following),
            }
            rows = sheet.take(list(places[offset : offset + size]))
            body = seen.opening() + orjson.dumps(page)[1:-1] + b',"props":' + rows + b"}"
            return await answer(request, body, headers=headers)

        return await desk.about(request, date, work, version=version)

    @router.get(
        "/{date}/versions", responses={200: {"model": models.Versions}, **refusals(404, 422, 503)}, response_class=Response
    )  # fmt: skip
    async def versions(request: Request, date: ask.Day) -> Response:
        """List the kept versions of a slate, oldest first."""
        served = await desk.cache.pointers.pointer(date)
        if served is None:
            raise await desk.no_slate(date)
        lines = []
        for number in await desk.slates.versions(date):
            pointer = await desk.slates.version(date, number)
            if pointer is None:
                continue  # its lifetime ran out; it is listed until the next flip
            about = await desk.slates.about(pointer)
            lines.append(
                {
                    "version": number,
                    "published_at": about.published_at,
                    "cutoff": about.cutoff,
                    "run_id": about.run_id,
                    "served": number == served.version,
                    "pinned": number == served.version and served.pinned,
                }
            )
        return await plain(request, {"date": date, "versions": lines})

    @router.get(
        "/{date}/diff", responses={200: {"model": models.DiffDocument}, **refusals(404, 422, 503)}, response_class=Response
    )  # fmt: skip
    async def diff(
        request: Request,
        date: ask.Day,
        before: Annotated[
            int | None, Query(alias="from", ge=1, le=ask.LARGEST_ID, description="By default the one before `to`.")
        ] = None,
        after: Annotated[
            int | None, Query(alias="to", ge=1, le=ask.LARGEST_ID, description="By default the one that is served.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=5000, description="Props per list.")] = 500,
    ) -> Response:
        """Compare the props of two kept versions, field by field."""
        served = await desk.cache.pointers.pointer(date)
        if served is None:
            raise await desk.no_slate(date)
        later = served if after is None else await desk.pinned(date, after)
        if before is None:
            kept = [number for number in await desk.slates.versions(date) if number < later.version]
            if not kept:
                raise Problem(
                    404, f"No version of {date} before {later.version} is kept; there is nothing to compare with."
                )
            before = kept[-1]
        earlier = await desk.pinned(date, before)
        delta = compare((await desk.sheet(earlier)).frame, (await desk.sheet(later)).frame)
        document = {"date": date, "from": earlier.version, "to": later.version, **delta.told(limit)}
        return await plain(request, document)

    return router


def shape_of(request: Request) -> str:
    """Return the format that the header Accept asks for."""
    accepted = request.headers.get("accept", "")
    return next((name for name, media in MEDIA.items() if media in accepted), "json")


def columnar(frame: pl.DataFrame, shape: str) -> bytes:
    """Return a frame as an Arrow IPC file or as Parquet."""
    body = io.BytesIO()
    if shape == "arrow":
        frame.write_ipc(body)
    else:
        frame.write_parquet(body)
    return body.getvalue()


def again(request: Request, limit: int, offset: int) -> str:
    """Return the address of another page of the same question."""
    asked = {**request.query_params, "limit": limit, "offset": offset}
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
