"""Routes of players, games and the best props of a market."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backstop.api import models
from backstop.api import parameters as ask
from backstop.api.answers import Seen, answer
from backstop.api.problems import Problem
from backstop.api.responses import refusals
from backstop.api.sheet import Asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backstop.api.desk import Desk
    from backstop.cache.pointers import Pointer


def routes(desk: Desk) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/v1", tags=["players and props"])

    async def player(request: Request, player_id: int, date: dt.date | None, *, props: bool) -> Response:
        day = date or await holding(desk, f"player {player_id}", lambda at: _has_player(desk, at, player_id))

        async def work(seen: Seen, etag: str) -> Response:
            rows = await desk.player(seen.pointer, player_id)
            if rows is None:
                raise Problem(
                    404,
                    f"Player {player_id} has no row in the slate of {day}; /api/v1/slates/{day} lists who has.",
                    kind="no-player",
                )
            if not props:
                rows = orjson.dumps({"features": orjson.loads(b"{" + rows + b"}")["features"]})[1:-1]
            start = b'"date":"%b","version":%d,"player_id_mlbam":%d,' % (
                day.isoformat().encode(),
                seen.pointer.version,
                player_id,
            )
            return await answer(request, seen.opening() + start + rows + b"}", headers={**seen.headers(), "ETag": etag})

        return await desk.about(request, day, work)

    @router.get(
        "/players/{player_id}", responses={200: {"model": models.Player}, **refusals(404, 422, 503)}, response_class=Response
    )  # fmt: skip
    async def whole_player(request: Request, player_id: ask.PlayerId, date: ask.SomeDay = None) -> Response:
        """Return a player's features and props, by default of the latest slate that has him."""
        return await player(request, player_id, date, props=True)

    @router.get(
        "/players/{player_id}/features",
        responses={200: {"model": models.PlayerFeatures}, **refusals(404, 422, 503)},
        response_class=Response,
    )
    async def features(request: Request, player_id: ask.PlayerId, date: ask.SomeDay = None) -> Response:
        """Return a player's features, a row per game and role."""
        return await player(request, player_id, date, props=False)

    @router.get(
        "/props/{market}/top", responses={200: {"model": models.Top}, **refusals(404, 422, 503)}, response_class=Response
    )  # fmt: skip
    async def top(
        request: Request,
        market: ask.PathMarket,
        date: ask.SomeDay = None,
        limit: Annotated[int, Query(ge=1, le=500, description="Props in the answer.")] = 20,
        sort: Annotated[Literal["ev", "edge"], Query(description="By expected value or by edge.")] = "ev",
    ) -> Response:
        """Return the best props of a market, or of `all`."""
        day = date or await desk.latest()
        asked = Asked(market=None if market == ask.ALL else market, sort=sort)

        async def work(seen: Seen, etag: str) -> Response:
            places = await desk.places(seen.pointer, asked)
            sheet = await desk.sheet(seen.pointer)
            start = orjson.dumps({"date": day, "version": seen.pointer.version, "market": market, "sort": sort})[1:-1]
            body = seen.opening() + start + b',"props":' + sheet.take(list(places[:limit])) + b"}"
            return await answer(request, body, headers={**seen.headers(), "ETag": etag})

        return await desk.about(request, day, work)

    @router.get(
        "/games/{game_pk}", responses={200: {"model": models.GameProps}, **refusals(404, 422, 503)}, response_class=Response
    )  # fmt: skip
    async def game(request: Request, game_pk: ask.GamePk, date: ask.SomeDay = None) -> Response:
        """Return a game with the props of its players."""
        day = date or await holding(desk, f"game {game_pk}", lambda at: _game_of(desk, at, game_pk))

        async def work(seen: Seen, etag: str) -> Response:
            about = await _game_of(desk, seen.pointer, game_pk)
            if about is None:
                raise Problem(
                    404,
                    f"Game {game_pk} is not in the slate of {day}; /api/v1/slates/{day} lists its games.",
                    kind="no-game",
                )
            sheet, places = await desk.sheet(seen.pointer), await desk.places(seen.pointer, Asked(game=game_pk))
            players = sheet.frame[list(places)].get_column("player_id_mlbam").unique().sort().to_list()
            start = orjson.dumps(
                {"date": day, "version": seen.pointer.version, "game": about, "players": players}
            )[1:-1]  # fmt: skip
            body = seen.opening() + start + b',"props":' + sheet.take(list(places)) + b"}"
            return await answer(request, body, headers={**seen.headers(), "ETag": etag})

        return await desk.about(request, day, work)

    return router


async def holding(desk: Desk, what: str, find: Callable[[Pointer], Awaitable[Any]]) -> dt.date:
    """Return the latest of the recent slates in which something is found.

    Raises:
        Problem: none of them has it.
    """
    days = await desk.recent()
    for day in days:
        found = await desk.cache.read(day, find)
        if found is not None and found[1]:
            return day
    raise Problem(
        404, f"There is no {what} in the slates of {days[-1]} to {days[0]}; give another `date`.", kind="not-found"
    )


async def _has_player(desk: Desk, pointer: Pointer, player_id: int) -> bool:
    return await desk.player(pointer, player_id) is not None


async def _game_of(desk: Desk, pointer: Pointer, game_pk: int) -> dict[str, Any] | None:
    games = (await desk.slates.about(pointer)).meta.get("games", [])
    return next((game for game in games if game["game_pk"] == game_pk), None)
