"""The addresses of SportRadar's feeds, with its limits, headers and errors."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backstop.clock import baseball_day
from backstop.demo.dialects import radarprops, sportradar
from backstop.demo.world import Appearance, Game, World

MLB: Final = "/mlb/{access}/{version}/{lang}"
PROPS: Final = "/oddscomparison-player-props/{access}/v2/en"
VERSIONS: Final = ("v7", "v8")
"""Versions of the MLB feeds that are served, with the same feeds in the same words."""
QUOTA: Final = 1_000
"""Requests of a trial's period."""

Answer = Callable[[Request], Any]


class Missing(LookupError):
    """Nothing is known of what was asked."""


class Radar:
    """SportRadar's answers about a world.

    Args:
        world: What there is to tell.
        limited: Whether a trial's one request a second holds.
        key_required: Whether a request without `x-api-key` is refused.
    """

    def __init__(self, world: World, *, limited: bool, key_required: bool) -> None:
        self._world = world
        self._limited = limited
        self._key_required = key_required
        self._lock = threading.Lock()
        self._second = -1
        self._in_second = 0
        self._spent = 0

    def table(self) -> list[Route]:
        """Return the routes; the last one is what is said about paths that do not exist."""
        answers: dict[str, Answer] = {
            f"{MLB}/games/{{year:int}}/{{month:int}}/{{day:int}}/schedule.json": self._schedule,
            f"{MLB}/games/{{year:int}}/{{month:int}}/{{day:int}}/summary.json": self._summaries,
            f"{MLB}/games/{{game}}/summary.json": self._summary,
            f"{MLB}/players/{{player}}/profile.json": self._profile,
            f"{MLB}/league/injuries.json": self._injuries,
            f"{MLB}/league/hierarchy.json": lambda _: sportradar.hierarchy(self._now()),
            f"{MLB}/seasons/{{year:int}}/REG/teams/{{team}}/statistics.json": self._season,
            f"{PROPS}/sports/{{sport}}/schedules/{{date}}/players_props.json": self._props,
        }
        known = [Route(path, self._guarded(answer)) for path, answer in answers.items()]
        lost = [Route(f"/{start}/{{rest:path}}", _no_service) for start in ("mlb", "oddscomparison-player-props")]
        return known + lost

    def _guarded(self, answer: Answer) -> Callable[[Request], Response]:
        def guarded(request: Request) -> Response:
            if request.path_params.get("version", VERSIONS[0]) not in VERSIONS:
                return _no_service(request)
            if self._key_required and not request.headers.get("x-api-key"):
                return Response(b"<h1>Developer Inactive</h1>", 403, media_type="text/xml")
            headers = self._take()
            if headers is None:
                return Response(sportradar.OVER_QPS, 403, media_type="text/html")
            try:
                found = answer(request)
            except Missing as missing:
                return Response(orjson.dumps({"message": str(missing)}), 404, headers, "application/json")
            more = found.pop("_headers", {})
            return _conditional(request, orjson.dumps(found), headers | more)

        return guarded

    def _take(self) -> dict[str, str] | None:
        """Count a request; `None` when a second has had its one."""
        with self._lock:
            second = int(time.monotonic())
            self._in_second = self._in_second + 1 if second == self._second else 1
            self._second = second
            if self._limited and self._in_second > 1:
                return None
            self._spent += 1
            return {
                "X-Plan-Qps-Allotted": "1",
                "X-Plan-Qps-Current": str(self._in_second),
                "X-Plan-Quota-Allotted": str(QUOTA),
                "X-Plan-Quota-Current": str(self._spent),
                "Cache-Control": "public, must-revalidate, max-age=2",
            }

    def _now(self) -> dt.datetime:
        # what a world of the past says must not depend on when it is asked
        return self._world.now or dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def _day(self, request: Request) -> dt.date:
        year, month, day = (request.path_params[name] for name in ("year", "month", "day"))
        try:
            return dt.date(year, month, day)
        except ValueError:
            raise Missing(f"{year}/{month}/{day} is no date.") from None

    def _schedule(self, request: Request) -> Any:
        day = self._day(request)
        return sportradar.schedule(day, self._world.games(day, day), self._now())

    def _summaries(self, request: Request) -> Any:
        day = self._day(request)
        games = [self._of(game) for game in self._world.games(day, day)]
        return sportradar.summaries(day, games, self._now())

    def _summary(self, request: Request) -> Any:
        game_pk = sportradar.number(request.path_params["game"])
        game = self._world.game(game_pk) if game_pk else None
        if game is None:
            raise Missing("The game is not known.")
        return {"game": self._of(game)}

    def _of(self, game: Game) -> Any:
        rows = [] if game.status == "Postponed" else self._world.appearances(game.game_pk)
        return sportradar.summary(game, rows, self._world.person)

    def _profile(self, request: Request) -> Any:
        player = sportradar.number(request.path_params["player"])
        person = self._world.person(player) if player else None
        if person is None:
            raise Missing("The player is not known.")
        return sportradar.profile(person, None, self._now())

    def _injuries(self, request: Request) -> Any:
        del request
        return sportradar.injuries([], self._now())

    def _season(self, request: Request) -> Any:
        club = sportradar.club_of(request.path_params["team"])
        if club is None:
            raise Missing("The team is not known.")
        year = request.path_params["year"]
        if not dt.MINYEAR <= year <= dt.MAXYEAR:
            raise Missing(f"{year} is no year.")
        first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
        if self._world.now is not None:
            last = min(last, baseball_day(self._world.now))
        rows: list[Appearance] = []
        for game in self._world.games(first, last) if first <= last else []:
            if game.status == "Final" and game.game_type == "R" and club in {game.home.club, game.away.club}:
                is_home = game.home.club is club
                rows += [row for row in self._world.appearances(game.game_pk) if row.is_home == is_home]
        return sportradar.season(club, year, rows, self._world.person, self._now())

    def _props(self, request: Request) -> Any:
        day, start = request.path_params["date"], request.query_params.get("start", "0")
        events = [event for event in self._world.events(None) if baseball_day(event.commence_at).isoformat() == day]
        place = int(start) if start.isdecimal() else 0
        page = events[place : place + radarprops.EVENTS_PER_PAGE]
        quoted = [(event, quotes) for event in page if (quotes := self._world.quotes(event.event_id, None)) is not None]
        return radarprops.player_props(quoted, self._now()) | {"_headers": {"X-Max-Results": str(len(events))}}


def _conditional(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    """Answer 304 to who already has this very content."""
    tag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    stamped = headers | {"ETag": tag, "Last-Modified": email.utils.format_datetime(_EPOCH, usegmt=True)}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=stamped)
    return Response(body, headers=stamped, media_type="application/json; charset=utf-8")


_EPOCH: Final = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def _no_service(request: Request) -> Response:
    del request
    return Response(
        sportradar.NOT_FOUND, 596, {"X-Mashery-Error-Code": "ERR_596_SERVICE_NOT_FOUND"}, media_type="text/xml"
    )
