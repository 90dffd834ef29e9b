"""One value anywhere in a sound answer is replaced by another: it is read or refused, never an error of ours or Python's."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import ConservationBroken, DataError, UpstreamError
from backstop.net.item import Answer, Item
from backstop.sources.parsed import Parsed
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, season, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import events, props
from backstop.tables import GAMES
from tests.sources.answers import answer

DAY = dt.date(2025, 6, 15)
LISTED = pl.DataFrame({"event_id_theodds": ["e"], "commence_at": [dt.datetime(2025, 6, 15, tzinfo=dt.UTC)]})
GAMES_LISTED = pl.DataFrame([dict.fromkeys(GAMES.schema) | {"game_pk": 1, "game_date": DAY}], schema=GAMES.schema)

PERSON = {"id": 5, "fullName": "A B", "birthDate": "2000-01-01", "height": "6' 1\"", "batSide": {"code": "R"}}
SIDES = {"away": {"team": {"id": 113}, "score": 1}, "home": {"team": {"id": 116}, "probablePitcher": {"id": 5}}}
GAME = {
    "gamePk": 1, "gameType": "R", "season": "2025", "gameDate": "2025-06-15T17:40:00Z", "officialDate": "2025-06-15",
    "status": {"abstractGameState": "Preview", "detailedState": "Scheduled"}, "teams": SIDES, "venue": {"id": 1},
    "lineups": {"homePlayers": [PERSON], "awayPlayers": []},
}  # fmt: skip
ENTRY = {
    "person": PERSON, "position": {"abbreviation": "SS"}, "battingOrder": "100",
    "stats": {"batting": {"hits": 1}, "pitching": {"outs": 3, "inningsPitched": "1.0", "gamesStarted": 1}},
}  # fmt: skip
BOX = {
    "teams": {
        "home": {"team": {"id": 116}, "players": {"ID5": ENTRY}, "pitchers": [5], "battingOrder": [5]},
        "away": {"team": {"id": 113}, "players": {}, "pitchers": [], "battingOrder": []},
    }
}
PLAY = {
    "about": {"atBatIndex": 0, "inning": 1, "halfInning": "top", "isComplete": True, "endTime": "2025-06-15T18:00:00Z"},
    "result": {"eventType": "single", "rbi": 0}, "matchup": {"batter": {"id": 1}}, "playEvents": [{"isPitch": True}],
}  # fmt: skip
LIVE = {
    "gamePk": 1, "liveData": {"plays": {"allPlays": [PLAY]}},
    "gameData": {"datetime": {"officialDate": "2025-06-15"}, "status": {"detailedState": "Final"}, "weather": {"temp": "7"}},
}  # fmt: skip
EVENT = {
    "id": "e", "commence_time": "2025-06-15T17:40:00Z", "home_team": "Detroit Tigers", "away_team": "Cincinnati Reds",
    "bookmakers": [{"key": "b", "last_update": "2025-06-15T15:00:00Z", "markets": [{"key": "batter_hits", "outcomes": [
        {"name": "Over", "description": "A B", "price": -110, "point": 0.5}]}]}],
}  # fmt: skip
SR_PLAYER = {
    "id": "p",
    "first_name": "A",
    "last_name": "B",
    "mlbam_id": "5",
    "statistics": {"hitting": {"overall": {"ap": 4}}},
}
SR_SIDE = {
    "id": "75729d34-bca7-4a0f-b3df-6f26c6ad3719", "abbr": "BAL", "roster": [SR_PLAYER], "players": [SR_PLAYER],
    "lineup": [{"id": "p", "inning": 0, "order": 1}], "starting_pitcher": {"id": "p"}, "runs": 3,
}  # fmt: skip
SR_GAME = {
    "id": "g", "status": "closed", "scheduled": "2025-06-15T17:40:00+00:00", "reference": "1", "home": SR_SIDE,
    "away": {"id": "43a39081-52b4-4f93-ad29-da7f329ea960", "abbr": "SEA"}, "game_number": 1, "double_header": False,
}  # fmt: skip
SR_PROPS = {
    "generated_at": "x",
    "sport_schedule_sport_events_players_props": [{
        "sport_event": {"id": "s", "start_time": "2025-06-15T17:40:00+00:00", "competitors": [
            {"name": "Detroit Tigers", "qualifier": "home"}, {"abbreviation": "CIN", "qualifier": "away"}]},
        "players_props": [{"player": {"name": "B, A"}, "markets": [{"name": "hits", "books": [{"name": "b", "outcomes": [
            {"type": "over", "odds_decimal": "1.9", "total": "0.5"}]}]}]}],
    }],
}  # fmt: skip


def plays(got: Answer) -> Parsed:
    return livefeed.parse(got)


def box(got: Answer) -> Parsed:
    return boxscore.parse(got, GAMES_LISTED).players


def said_as_games(got: Answer) -> Parsed:
    return sportradar_schedule.as_games(sportradar_schedule.parse(got), GAMES_LISTED)


FEEDS: dict[str, tuple[Item, Any, Callable[[Answer], Parsed]]] = {
    "schedule": (schedule.plan(DAY, DAY)[0], {"dates": [{"games": [GAME]}]}, schedule.parse),
    "line-ups": (schedule.plan_day(DAY)[0], {"dates": [{"games": [GAME]}]}, schedule.lineups),
    "box score": (boxscore.plan([1])[0], BOX, box),
    "live feed": (livefeed.plan([1])[0], LIVE, plays),
    "people": (people.plan_season(2025)[0], {"people": [PERSON]}, people.parse),
    "roster": (people.plan_rosters(DAY, ["DET"])[0], {"roster": [ENTRY], "teamId": 116}, people.parse_roster),
    "events": (events.plan(DAY)[0], [EVENT], events.parse),
    "props": (props.plan(LISTED, ["batter_hits"])[0], EVENT, props.parse),
    "sportradar schedule": (sportradar_schedule.plan(DAY)[0], {"league": {}, "games": [SR_GAME]}, said_as_games),
    "sportradar summary": (summary.plan_day(DAY)[0], {"league": {"games": [{"game": SR_GAME}]}}, summary.parse),
    "sportradar season": (
        season.plan(2025, ["BAL"])[0], SR_SIDE | {"season": {"year": 2025}}, season.parse,
    ),
    "sportradar profile": (
        sportradar_people.plan_profiles(["p"])[0], {"player": SR_PLAYER | {"team": SR_SIDE}},
        sportradar_people.parse_profile,
    ),
    "sportradar injuries": (
        sportradar_people.plan_injuries()[0],
        {"league": {}, "teams": [{"id": "x", "players": [SR_PLAYER | {"injuries": [{"id": "i", "start_date": "x"}]}]}]},
        sportradar_people.parse_injuries,
    ),
    "sportradar props": (playerprops.plan(DAY)[0], SR_PROPS, playerprops.parse),
}  # fmt: skip

NOISE = st.sampled_from(
    [None, True, -1, 0, 10**12, 1.5, "", "x", "2025-13-45", [], [None], {}, {"id": None}, [[]], [{}]]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the tree."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], noise: Any) -> Any:
    if not path:
        return noise
    tree = copy.deepcopy(value)
    below = tree
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = noise
    return tree


@pytest.mark.parametrize("feed", FEEDS)
def test_the_sound_answer_is_taken(feed: str) -> None:
    item, body, parse = FEEDS[feed]
    assert len(parse(answer(item, body)).frame) == 1


@pytest.mark.parametrize("feed", FEEDS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_an_answer_with_one_damaged_value_is_read_or_refused(feed: str, data: st.DataObject) -> None:
    item, body, parse = FEEDS[feed]
    damaged = replaced(body, data.draw(st.sampled_from(places(body))), data.draw(NOISE))
    try:
        parse(answer(item, damaged))
    except ConservationBroken:
        raise
    except (UpstreamError, DataError) as error:
        assert len(error.message) > 20  # noqa: PT017 - any of the tree will do
