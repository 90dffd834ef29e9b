"""The addresses of the upstream server: each feed's paths under one host."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backstop.demo.account import Account
from backstop.demo.dialects import livefeed, savant, statsapi, theodds
from backstop.demo.rows import RowFaults
from backstop.demo.words import number
from backstop.demo.world import Event, NotRecorded, World

CSV_TYPE = "application/download; charset=utf-8"
HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Statcast Search | baseballsavant.com</title></head><body></body></html>\n"
)
LONGEST_SCHEDULE = dt.timedelta(days=400)

INVALID_TIMESTAMP = "INVALID_HISTORICAL_TIMESTAMP"
HISTORY_BEGINS = dt.datetime(2020, 6, 6, tzinfo=dt.UTC)
"""The Odds API has no snapshot from before."""

Answer = Callable[[Request], Response]


class Routes:
    """Answers of one world.

    Args:
        world: What there is to tell.
        account: Credits of the paid feeds.
        rows: What is done to Savant's rows before they are sent.
    """

    def __init__(self, world: World, account: Account, rows: RowFaults) -> None:
        self._world = world
        self._account = account
        self._rows = rows

    def table(self) -> list[Route]:
        """Return the routes."""
        answers: dict[str, Answer] = {
            "/statcast_search/csv": self.savant_pitches,
            "/running_splits": self.leaderboard,
            "/visuals/{name}": self.leaderboard,
            "/leaderboard/{name:path}": self.leaderboard,
            "/chadwickbureau/register/master/data/people-{shard}.csv": self.register,
            "/api/v1/sports/1/players": self.season_players,
            "/api/v1/schedule": self.schedule,
            "/api/v1/teams": lambda _: _json(statsapi.teams()),
            "/api/v1/teams/{team:int}/roster": self.roster,
            "/api/v1/people": self.people,
            "/api/v1/people/{player:int}": self.people,
            "/api/v1/game/{game:int}/boxscore": self.boxscore,
            "/api/v1.1/game/{game:int}/feed/live": self.live,
            "/v4/sports": lambda _: _json(
                [
                    {
                        "key": theodds.SPORT,
                        "group": "Baseball",
                        "title": "MLB",
                        "description": "Major League Baseball",
                        "active": True,
                        "has_outrights": False,
                    }
                ]
            ),
            "/v4/sports/{sport}/events": self.events,
            "/v4/sports/{sport}/odds": self.featured,
            "/v4/sports/{sport}/events/{event}/odds": self.event_odds,
            "/v4/historical/sports/{sport}/events": self.past_events,
            "/v4/historical/sports/{sport}/events/{event}/odds": self.past_event_odds,
        }
        return [Route(path, _guarded(answer, self._account), methods=["GET"]) for path, answer in answers.items()]

    def savant_pitches(self, request: Request) -> Response:
        """Answer Savant's search: one row per pitch, or per player when details were not asked."""
        try:
            ask = savant.ask(request.query_params.multi_items())
        except savant.Unreadable:
            return Response(HTML_PAGE, media_type="text/html; charset=utf-8")
        if request.query_params.get("type") != "details":
            body = savant.grouped(self._world.pitches(ask), ask.named)
        else:
            body = self._rows.csv(self._world, ask)
        return Response(body, headers={"content-type": CSV_TYPE})

    def leaderboard(self, request: Request) -> Response:
        """Answer a leaderboard; one that is not known gives Savant's web page, as its own server does."""
        body = self._world.leaderboard(request.url.path, dict(request.query_params))
        if body is None or "csv" not in request.query_params:
            return Response(HTML_PAGE, media_type="text/html; charset=utf-8")
        return Response(body, headers={"content-type": "text/csv; charset=utf-8"})

    def register(self, request: Request) -> Response:
        """Answer a file of the Chadwick register."""
        body = self._world.register(request.path_params["shard"]).write_csv()
        return Response(body, headers={"content-type": "text/plain; charset=utf-8"})

    def season_players(self, request: Request) -> Response:
        """Answer the players of a season."""
        season = number(request.query_params.get("season", ""))
        people = self._world.season_players(season) if season is not None else []
        return _json({"copyright": statsapi.COPYRIGHT, "people": [statsapi.person_json(person) for person in people]})

    def schedule(self, request: Request) -> Response:
        """Answer the schedule of a day, of a range or of named games."""
        query = request.query_params
        if not {"sportId", "gamePk", "gamePks"} & set(query):
            return _json({"messageNumber": 21, "message": "sportId, gamePk or gamePks is required"}, 400)
        named = query.get("gamePks") or query.get("gamePk")
        if named:
            games = [game for pk in _numbers(named) if (game := self._world.game(pk))]
        else:
            try:
                first = dt.date.fromisoformat(query.get("date") or query.get("startDate") or "")
                last = dt.date.fromisoformat(query.get("date") or query.get("endDate") or first.isoformat())
            except ValueError:
                return _no_date()
            games = self._world.games(first, last) if last - first <= LONGEST_SCHEDULE else []
        types = set(filter(None, query.get("gameTypes", query.get("gameType", "")).split(",")))
        team = number(query["teamId"]) if query.get("teamId") else 0
        if team is None:
            return _json({"messageNumber": 11, "message": "Invalid teamId; expected a number"}, 400)
        games = [game for game in games if not types or game.game_type in types]
        games = [game for game in games if not team or team in {game.home.club.team_id, game.away.club.team_id}]
        return _json(statsapi.schedule(games, self._world.person, _hydrations(query.get("hydrate", ""))))

    def boxscore(self, request: Request) -> Response:
        """Answer a box score."""
        if (recorded := self._world.recorded(request.url.path)) is not None:
            return _bytes(recorded)
        game = self._world.game(request.path_params["game"])
        if game is None:
            return self._unknown()
        return _json(statsapi.boxscore(game, self._world.appearances(game.game_pk), self._world.person))

    def live(self, request: Request) -> Response:
        """Answer a live feed."""
        if (recorded := self._world.recorded(request.url.path)) is not None:
            return _bytes(recorded)
        game = self._world.game(request.path_params["game"])
        if game is None:
            return self._unknown()
        pk = game.game_pk
        plays, rows = self._world.plays_of_game(pk), self._world.appearances(pk)
        return _json(livefeed.feed(game, plays, rows, self._world.person))

    def people(self, request: Request) -> Response:
        """Answer one person, or several; one who is unknown is a 404 alone and absent among several."""
        alone = request.path_params.get("player")
        ids = [alone] if alone else _numbers(request.query_params.get("personIds", ""))
        people = [person for player in ids if (person := self._world.person(player))]
        if alone and not people:
            return self._unknown()
        return _json({"copyright": statsapi.COPYRIGHT, "people": [statsapi.person_json(person) for person in people]})

    def roster(self, request: Request) -> Response:
        """Answer a club's roster on a day."""
        team = request.path_params["team"]
        text = request.query_params.get("date")
        now = self._world.now
        try:
            day = dt.date.fromisoformat(text) if text else (now.date() if now else None)
        except ValueError:
            return _no_date()
        return _json(statsapi.roster(self._world.roster(team, day) if day else [], team))

    def events(self, request: Request) -> Response:
        """Answer the events that are listed now."""
        listed = self._listed(request.query_params, self._world.events(None))
        return _json([theodds.event_json(event) for event in listed], headers=self._account.headers(0))

    def event_odds(self, request: Request) -> Response:
        """Answer an event's odds as they stand now."""
        ask = theodds.ask(request.query_params, props=True)
        answer = self._odds(request.path_params["event"], None, ask, historical=False)
        return _json(answer, headers=self._account.spend(theodds.markets_returned(answer) * ask.region_count))

    def featured(self, request: Request) -> Response:
        """Answer the game lines of every event."""
        ask = theodds.ask(request.query_params, props=False)
        listed = self._listed(request.query_params, self._world.events(None))
        answers = [self._odds(event.event_id, None, ask, historical=True) for event in listed]
        return _json(answers, headers=self._account.spend(len(ask.markets) * ask.region_count if answers else 0))

    def past_events(self, request: Request) -> Response:
        """Answer the events that were listed at an instant."""
        at = _date(request.query_params)
        listed = self._listed(request.query_params, self._world.events(at))
        data = [theodds.event_json(event) for event in listed]
        return _json(_snapshot(data, at), headers=self._account.spend(1 if data else 0))

    def past_event_odds(self, request: Request) -> Response:
        """Answer an event's odds as they stood at an instant."""
        at = _date(request.query_params)
        ask = theodds.ask(request.query_params, props=True)
        answer = self._odds(request.path_params["event"], at, ask, historical=True)
        cost = 10 * theodds.markets_returned(answer) * ask.region_count
        return _json(_snapshot(answer, at), headers=self._account.spend(cost))

    def _odds(self, event_id: str, at: dt.datetime | None, ask: theodds.OddsAsk, *, historical: bool) -> dict[str, Any]:
        event, quotes = self._world.event(event_id, at), self._world.quotes(event_id, at)
        if event is None or quotes is None:
            raise theodds.Refusal(404, "EVENT_NOT_FOUND", f"Event not found: {event_id}. It may have expired.")
        return theodds.event_odds(event, quotes, ask, book_stamp=historical)

    def _listed(self, query: Mapping[str, str], events: list[Event]) -> list[Event]:
        ids = theodds.seen_event_ids(query)
        return [
            event for event in theodds.in_window(events, *theodds.window(query)) if not ids or event.event_id in ids
        ]

    def _unknown(self) -> Response:
        # MLB's error bodies begin with a byte order mark
        body = orjson.dumps(statsapi.not_found(dt.datetime.now(dt.UTC)))
        return Response(savant.BOM + body, 404, media_type="application/json")


def _guarded(answer: Answer, account: Account) -> Answer:
    def guarded(request: Request) -> Response:
        try:
            if request.url.path.startswith("/v4/"):
                account.admit(request.query_params.get("apiKey"), request.path_params.get("sport"))
            return answer(request)
        except theodds.Refusal as refusal:
            return _json(refusal.body(), refusal.status)
        except NotRecorded as absent:
            # no fault of a feed, and asking again cannot help: nobody should wait for it
            return _json({"message": str(absent)}, 404)

    return guarded


def _snapshot(data: Any, at: dt.datetime) -> dict[str, Any]:
    return theodds.historical(data, at, at - theodds.SNAPSHOT_EVERY, at + theodds.SNAPSHOT_EVERY)


def _date(query: Mapping[str, str]) -> dt.datetime:
    at = theodds.instant_of(query, "date", "MISSING_HISTORICAL_TIMESTAMP", INVALID_TIMESTAMP)
    if at < HISTORY_BEGINS or at.year == dt.MAXYEAR:
        raise theodds.Refusal(422, INVALID_TIMESTAMP, f"No snapshot of {query['date']}; they begin in June 2020")
    return at


def _no_date() -> Response:
    return _json({"messageNumber": 11, "message": "Invalid date; expected YYYY-MM-DD"}, 400)


def _numbers(text: str) -> list[int]:
    """Return the ids of a list; what is none is passed over."""
    return [found for part in text.split(",") if (found := number(part)) is not None]


def _hydrations(text: str) -> frozenset[str]:
    return frozenset(part.split("(")[0] for part in text.split(","))


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return _bytes(orjson.dumps(value), status, headers)


def _bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
