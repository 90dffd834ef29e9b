"""Whatever a server is asked, it answers in the feed's own words: a question is never its undoing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.demo import DEMO_DAY
from backstop.demo.app import Front
from backstop.demo.dialects import sportradar
from backstop.demo.faults import Plan
from backstop.demo.league import odds
from backstop.demo.league.calendar import season
from backstop.demo.league.world import LeagueWorld

GAME = next(fixture.game_pk for fixture in season() if fixture.day == DEMO_DAY)
EVENT = odds.event_id(GAME)
RADAR = "/mlb/trial/v8/en"
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask(league: LeagueWorld) -> Ask:
    """Ask the application itself; an exception inside of it is raised here."""
    front = Front(league, Plan())

    def asked(path: str, **params: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://demo") as client:
                return await client.get(path, params=params)

        return asyncio.run(once())

    return asked


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/v1/schedule", {"sportId": "1", "date": "2025-04-12", "teamId": "Yankees"}, 400),
        ("/api/v1/schedule", {"sportId": "1", "date": "2025-04-12", "teamId": "9²"}, 400),
        ("/api/v1/schedule", {"sportId": "1", "date": "2025-04-31"}, 400),
        ("/api/v1/schedule", {"sportId": "1"}, 400),
        ("/api/v1/schedule", {"date": "2025-04-12"}, 400),
        ("/api/v1/schedule", {"gamePks": f"{GAME},²,x,"}, 200),
        ("/api/v1/teams/147/roster", {"date": "opening day"}, 400),
        ("/api/v1/teams/1/roster", {}, 200),
        ("/api/v1/people", {"personIds": "²,9100001,"}, 200),
        (f"/api/v1/people/{10**30}", {}, 404),
        (f"/api/v1/game/{10**30}/boxscore", {}, 404),
        (f"/api/v1.1/game/{10**30}/feed/live", {}, 404),
        ("/api/v1/sports/1/players", {"season": "²"}, 200),
        (f"{RADAR}/players/{sportradar.uuid_of_player(1)[:-12]}not-a-number/profile.json", {}, 404),
        (f"{RADAR}/games/{sportradar.uuid_of_game(1)[:-12]}zzzzzzzzzzzz/summary.json", {}, 404),
        (f"{RADAR}/seasons/0/REG/teams/{next(iter(sportradar.BY_UUID))}/statistics.json", {}, 404),
        (f"{RADAR}/seasons/99999/REG/teams/{next(iter(sportradar.BY_UUID))}/statistics.json", {}, 404),
        (f"{RADAR}/games/0/0/0/schedule.json", {}, 404),
        ("/v4/sports/cricket_ipl/events", {}, 404),
        (f"/v4/sports/baseball_mlb/events/{EVENT[:-1]}/odds", {"regions": "us", "markets": "batter_hits"}, 404),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_answered_with_the_status_that_the_feed_has_for_it(
    ask: Ask, path: str, params: dict[str, str], status: int
):
    answer = ask(path, **params)
    assert answer.status_code == status, answer.text[:200]
    assert answer.json()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "2020-06-05T23:59:59Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("path", ["", f"/{EVENT}/odds"])
def test_history_begins_in_june_2020_and_never_reaches_the_future(ask: Ask, path: str, at: str):
    answer = ask(f"/v4/historical/sports/baseball_mlb/events{path}", date=at, regions="us", markets="batter_hits")
    assert (answer.status_code, answer.json()["error_code"]) == (422, "INVALID_HISTORICAL_TIMESTAMP")


def test_a_snapshot_names_its_neighbours(ask: Ask):
    first = ask("/v4/historical/sports/baseball_mlb/events", date="2025-05-02T12:00:00Z").json()
    for name, minutes in (("previous_timestamp", -5), ("next_timestamp", 5)):
        near = dt.datetime(2025, 5, 2, 12, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
        assert first[name] == near.strftime("%Y-%m-%dT%H:%M:%SZ")


NUMBERS = st.one_of(st.integers(-5, 10**20).map(str), st.sampled_from(["", "²", "٣", "-0", "1e3", "NaN", "９"]))
TEXTS = st.one_of(NUMBERS, st.text(max_size=12), st.sampled_from(["2025-04-12", "2025", "us", "R|", "batter_hits"]))
PATHS = st.sampled_from(
    [
        "/statcast_search/csv", "/leaderboard/statcast", "/leaderboard/expected_statistics", "/api/v1/schedule",
        "/api/v1/people", "/api/v1/teams/147/roster", "/api/v1/sports/1/players", "/v4/sports/baseball_mlb/events",
        "/v4/sports/baseball_mlb/odds", f"/v4/sports/baseball_mlb/events/{EVENT}/odds",
        "/v4/historical/sports/baseball_mlb/events", f"/v4/historical/sports/baseball_mlb/events/{EVENT}/odds",
        "/oddscomparison-player-props/trial/v2/en/sports/sr:sport:3/schedules/2025-05-02/players_props.json",
        f"{RADAR}/games/2025/5/2/schedule.json", "/chadwickbureau/register/master/data/people-0.csv",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "game_date_gt", "game_date_lt", "batters_lookup[]", "pitchers_lookup[]", "game_pk", "hfSea", "hfGT", "team",
        "player_type", "sportId", "date", "startDate", "endDate", "gamePk", "gamePks", "teamId", "gameTypes", "hydrate",
        "personIds", "season", "year", "csv", "regions", "markets", "bookmakers", "oddsFormat", "dateFormat", "start",
        "eventIds", "commenceTimeFrom", "commenceTimeTo",
    ]
)  # fmt: skip


@settings(max_examples=40)
@given(path=PATHS, params=st.dictionaries(NAMES, TEXTS, max_size=5))
def test_no_question_is_a_servers_undoing(ask: Ask, path: str, params: dict[str, str]):
    params = {"game_date_gt": "2025-04-12", "game_date_lt": "2025-04-12"} | params if "statcast" in path else params
    answer = ask(path, **params)
    assert answer.status_code in {200, 400, 404, 422}
    assert answer.content
    assert answer.headers["content-type"]
