"""Routes of the board's documents: a whole version in columns, and how past slates turned out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import orjson
import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backstop.api import models
from backstop.api import parameters as ask
from backstop.api.answers import Seen, answer, compress, encoding_of
from backstop.api.generation import lacking
from backstop.api.responses import refusals, versioned
from backstop.api.slates import head
from backstop.cache.namespaces import Collection, Namespace
from backstop.props.fitted import Fitted
from backstop.props.project import project
from backstop.stages.project import projectable
from backstop.store.kinds import FEATURES

if TYPE_CHECKING:
    from backstop.api.desk import Desk
    from backstop.api.parts import Parts
    from backstop.api.sheet import Sheet
    from backstop.cache.pointer import Pointer
    from backstop.store.reader import About

BOARD: Final = "metadata.board"
FORMAT: Final = 1
DECIMALS: Final = 4
SMALLEST_CHANCE: Final = 0.0005
"""A distribution is cut where everything left rounds to nothing."""

CODED: Final = ("player_name", "team", "opponent", "market", "best_side", "best_book")
"""Texts with few values: each is sent once and then by its number."""

LEFT_OUT: Final = frozenset({"game_date", "model_version", "as_of"})
"""The same in all rows: said once for the whole."""


def routes(desk: Desk, parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/v1", tags=["board"])

    async def load(pointer: Pointer, names: Sequence[str]) -> list[bytes]:
        body = await _document(desk, pointer)
        return [compress(body, name) if name else body for name in names]

    desk.cache.add(Collection(BOARD, Namespace.METADATA, load, shared=True))

    @router.get(
        "/slates/{date}/board",
        responses=versioned({"model": models.BoardDocument}),
        response_class=Response,
    )
    async def board(request: Request, date: ask.Day, version: ask.Version = None) -> Response:
        """Return a whole version in columns; it never changes, what does (state and age) is in the headers."""
        encoding = encoding_of(request)

        async def work(seen: Seen, etag: str) -> Response:
            body: bytes = await desk.cache.get(BOARD, seen.pointer, encoding)
            headers = {**seen.headers(), "ETag": etag}
            if encoding:
                headers["Content-Encoding"] = encoding
            return Response(body, media_type="application/json", headers=headers)

        return await desk.about(request, date, work, version=version, stamped=False)

    @router.get("/grades", responses={200: {"model": models.Grades}, **refusals(422, 503)}, response_class=Response)
    async def grades(
        request: Request,
        days: Annotated[int, Query(ge=1, le=60, description="The latest graded days."), ask.WHOLE] = 14,
    ) -> Response:
        """Return how past slates turned out, by market, with their calibration; empty before anything was graded."""
        told = await asyncio.to_thread(parts.grades, days)
        return await answer(request, orjson.dumps(told), headers={"Cache-Control": "no-cache"})

    return router


async def _document(desk: Desk, pointer: Pointer) -> bytes:
    sheet, about = await desk.sheet(pointer), await desk.slates.about(pointer)
    features = await desk.slates.frame(pointer, FEATURES.name)
    return await asyncio.to_thread(document, pointer, about, sheet, features)


def document(pointer: Pointer, about: About, sheet: Sheet, features: pl.DataFrame) -> bytes:
    """Return a version in columns, best expected value first."""
    fitted = Fitted.of_meta(about.meta)
    chances = distributions(features, fitted) if features.width and not lacking(features) else {}
    found: dict[tuple[int, int, str], int] = {key: place for place, key in enumerate(chances)}
    keys = sheet.frame.select("game_pk", "player_id_mlbam", "market").iter_rows()
    columns = {name: _column(sheet.frame, name) for name in sheet.frame.columns if name not in LEFT_OUT}
    columns["distribution"] = [found.get(key) for key in keys]
    same = sheet.frame.select("model_version", "as_of").head(1).to_dicts()
    whole = head(pointer, about)
    told: dict[str, Any] = {
        "format": FORMAT,
        **{name: value for name, value in whole.items() if name != "pinned"},
        **(same[0] if same else {"model_version": None, "as_of": None}),
        "missing": [f"{gap['table']} {gap['key']}: {gap['reason']}" for gap in whole["gaps"]],
        "props": columns,
        "distributions": list(chances.values()),
    }
    return orjson.dumps(told)


def _column(frame: pl.DataFrame, name: str) -> Any:
    series = frame.get_column(name)
    if name in CODED:
        values = series.drop_nulls().unique(maintain_order=True).to_list()
        places = {value: place for place, value in enumerate(values)}
        return {"values": values, "codes": [None if each is None else places[each] for each in series.to_list()]}
    return (series.round(DECIMALS) if series.dtype.is_float() else series).to_list()


def distributions(features: pl.DataFrame, fitted: Fitted) -> dict[tuple[int, int, str], list[float]]:
    """Return the calibrated chance of each count n = 0, 1, 2 ... by game, player and market, in thousandths."""
    rows = projectable(features)
    told: dict[tuple[int, int, str], list[float]] = {}
    for projection in project(rows, parameters=fitted.parameters, ladders=fitted.ladders):
        tail = fitted.calibration.of(projection.market).apply(projection.at_least)
        chances = np.clip(tail[:, :-1] - tail[:, 1:], 0.0, 1.0)
        who = rows[projection.rows].select("game_pk", "player_id_mlbam").iter_rows()
        for (game, player), chance in zip(who, chances, strict=True):
            kept = np.flatnonzero(chance >= SMALLEST_CHANCE)
            last = int(kept[-1]) + 1 if len(kept) else 0
            told[(game, player, projection.market)] = np.round(chance[:last], 3).tolist()
    return told
