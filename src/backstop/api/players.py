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
from backstop.api.responses import versioned
from backstop.api.sheet import Asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backstop.api.desk import Desk
    from backstop.cache.pointer import Pointer


class Routes:
    """Answers about players, games and markets.

    Args:
        desk: Where they are answered.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/v1", tags=["players and props"], default_response_class=Response)
        features = versioned({"model": models.PlayerFeatures})
        router.get("/players/{player_id}", responses=versioned({"model": models.Player}))(self.player)
        router.get("/players/{player_id}/features", responses=features)(self.features)
        router.get("/props/{market}/top", responses=versioned({"model": models.Top}))(self.top)
        router.get("/games/{game_pk}", responses=versioned({"model": models.GameProps}))(self.game)
        return router

    async def player(self, request: Request, player_id: ask.PlayerId, date: ask.SomeDay = None) -> Response:
        """Return a player's features and props, by default of the latest slate that has him."""
        return await self._player(request, player_id, date, lambda rows: rows)

    async def features(self, request: Request, player_id: ask.PlayerId, date: ask.SomeDay = None) -> Response:
        """Return a player's features, a row per game and role."""
        return await self._player(request, player_id, date, _features_only)

    async def _player(
        self, request: Request, player_id: int, date: dt.date | None, cut: Callable[[bytes], bytes]
    ) -> Response:
        day = date or await self._holding(f"player {player_id}", lambda at: self.desk.player(at, player_id))

        async def work(seen: Seen, etag: str) -> Response:
            rows = await self.desk.player(seen.pointer, player_id)
            if rows is None:
                raise Problem(
                    404,
                    f"Player {player_id} has no row in the slate of {day}; /api/v1/slates/{day} lists who has.",
                    kind="no-player",
                )
            start = start_of(seen, {"player_id_mlbam": player_id})
            return await answer(request, start + cut(rows) + b"}", headers={**seen.headers(), "ETag": etag})

        return await self.desk.about(request, day, work)

    async def top(
        self,
        request: Request,
        market: ask.PathMarket,
        date: ask.SomeDay = None,
        limit: Annotated[int, Query(ge=1, le=500, description="Props in the answer."), ask.WHOLE] = 20,
        sort: Annotated[Literal["ev", "edge"], Query(description="By expected value or by edge.")] = "ev",
    ) -> Response:
        """Return the best props of a market, or of `all`."""
        day = date or await self.desk.latest()
        asked = Asked(market=None if market == ask.ALL else market, sort=sort)

        async def work(seen: Seen, etag: str) -> Response:
            rows = (await self.desk.part(seen.pointer, asked, 0, limit)).rows
            body = start_of(seen, {"market": market, "sort": sort}) + b'"props":' + rows + b"}"
            return await answer(request, body, headers={**seen.headers(), "ETag": etag})

        return await self.desk.about(request, day, work)

    async def game(self, request: Request, game_pk: ask.GamePk, date: ask.SomeDay = None) -> Response:
        """Return a game with the props of its players."""
        day = date or await self._holding(f"game {game_pk}", lambda at: self._game(at, game_pk))

        async def work(seen: Seen, etag: str) -> Response:
            about = await self._game(seen.pointer, game_pk)
            if about is None:
                raise Problem(
                    404,
                    f"Game {game_pk} is not in the slate of {day}; /api/v1/slates/{day} lists its games.",
                    kind="no-game",
                )
            asked = Asked(game=game_pk)
            frame = (await self.desk.sheet(seen.pointer)).find(asked)
            players = frame.get_column("player_id_mlbam").unique().sort().to_list()
            rows = (await self.desk.part(seen.pointer, asked, 0, frame.height)).rows
            body = start_of(seen, {"game": about, "players": players}) + b'"props":' + rows + b"}"
            return await answer(request, body, headers={**seen.headers(), "ETag": etag})

        return await self.desk.about(request, day, work)

    async def _holding(self, what: str, find: Callable[[Pointer], Awaitable[Any]]) -> dt.date:
        """Return the latest of the recent slates in which something is found.

        Raises:
            Problem: none of them has it.
        """
        days = await self.desk.recent()
        for day in days:
            found = await self.desk.cache.read(day, find)
            if found is not None and found[1]:
                return day
        searched = f"slate of {days[0]}" if len(days) == 1 else f"slates of {days[-1]} to {days[0]}"
        raise Problem(404, f"There is no {what} in the {searched}; give another `date`.", kind="not-found")

    async def _game(self, pointer: Pointer, game_pk: int) -> dict[str, Any] | None:
        games = (await self.desk.slates.about(pointer)).meta.get("games", [])
        return next((game for game in games if game["game_pk"] == game_pk), None)


def start_of(seen: Seen, more: dict[str, Any]) -> bytes:
    """Return the beginning of a document about a version, up to and with the comma."""
    return (
        seen.opening() + orjson.dumps({"date": seen.pointer.day, "version": seen.pointer.version, **more})[1:-1] + b","
    )


def _features_only(rows: bytes) -> bytes:
    return orjson.dumps({"features": orjson.loads(b"{" + rows + b"}")["features"]})[1:-1]
