"""SportRadar's feeds as the upstream server speaks them."""

from __future__ import annotations

import httpx
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.dialects import sportradar
from backstop.demo.upstream import Upstream
from tests.demo.frames import schedule

BASE = "/mlb/trial/v8/en"


def _json(client: httpx.Client, path: str) -> dict:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.json()


def test_its_schedule_lists_the_same_games_with_mlbs_numbers(demo: httpx.Client):
    listed = _json(demo, f"{BASE}/games/2025/05/02/schedule.json")["games"]
    games = {str(game["gamePk"]): game for game in schedule(demo, DEMO_DAY.isoformat())}
    assert {game["reference"] for game in listed} == set(games)
    for game in listed:
        assert game["scheduled"].removesuffix("+00:00") == games[game["reference"]]["gameDate"].removesuffix("Z")
    assert {game["status"] for game in listed} == {"scheduled", "inprogress", "postponed"}


def test_a_day_without_games_has_no_list_of_them(demo: httpx.Client):
    answer = _json(demo, f"{BASE}/games/2025/04/21/schedule.json")
    assert "games" not in answer
    assert "_comment" in answer


def test_a_summary_holds_rosters_line_ups_and_what_players_did(demo: httpx.Client):
    games = _json(demo, f"{BASE}/games/2025/04/30/summary.json")["league"]["games"]
    game = games[0]["game"]
    alone = _json(demo, f"{BASE}/games/{game['id']}/summary.json")["game"]
    assert alone == game
    home = game["home"]
    assert len(home["roster"]) == 26
    assert sorted(place["order"] for place in home["lineup"]) == list(range(10))
    batted = [
        player["statistics"]["hitting"]["overall"] for player in home["players"] if "hitting" in player["statistics"]
    ]
    assert sum(one["runs"]["total"] for one in batted) == home["runs"]
    assert all(one["outcome"]["ktotal"] >= one["outs"]["ktotal"] for one in batted)


def test_profile_injuries_hierarchy_and_season_answer(demo: httpx.Client):
    player = sportradar.uuid_of_player(9_100_001)
    assert _json(demo, f"{BASE}/players/{player}/profile.json")["player"]["mlbam_id"] == "9100001"
    assert _json(demo, f"{BASE}/league/injuries.json")["teams"] == []
    clubs = [team for league in _json(demo, f"{BASE}/league/hierarchy.json")["leagues"] for team in league["teams"]]
    assert len(clubs) == 30
    season = _json(demo, f"{BASE}/seasons/2025/REG/teams/{clubs[0]['id']}/statistics.json")
    assert season["season"]["year"] == 2025
    assert max(one["statistics"].get("hitting", {}).get("overall", {}).get("ap", 0) for one in season["players"]) > 60


def test_player_props_come_in_pages_of_ten_events(demo: httpx.Client):
    path = f"/oddscomparison-player-props/trial/v2/en/sports/sr:sport:3/schedules/{DEMO_DAY}/players_props.json"
    first = demo.get(path, params={"start": 0})
    total = int(first.headers["x-max-results"])
    rest = demo.get(path, params={"start": 10}).json()["sport_schedule_sport_events_players_props"]
    assert len(first.json()["sport_schedule_sport_events_players_props"]) + len(rest) == total > 10
    outcome = rest[0]["players_props"][0]["markets"][0]["books"][0]["outcomes"][0]
    assert float(outcome["odds_decimal"]) > 1


def test_a_path_that_does_not_exist_is_a_596_in_xml(demo: httpx.Client):
    answer = demo.get(f"{BASE}/players/x/seasons/2025/statistics.json")
    assert (answer.status_code, answer.headers["x-mashery-error-code"]) == (596, "ERR_596_SERVICE_NOT_FOUND")
    assert answer.headers["content-type"].startswith("text/xml")


def test_unknown_ids_are_not_found(demo: httpx.Client):
    assert demo.get(f"{BASE}/players/{sportradar.uuid_of_player(1)}/profile.json").status_code == 404
    assert demo.get(f"{BASE}/games/{sportradar.uuid_of_game(1)}/summary.json").status_code == 404
    assert demo.get(f"{BASE}/games/2025/02/31/schedule.json").status_code == 404


def test_who_has_the_content_already_is_told_so(demo: httpx.Client):
    first = demo.get(f"{BASE}/games/2025/04/30/schedule.json")
    again = demo.get(f"{BASE}/games/2025/04/30/schedule.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_trial_allows_one_request_a_second_and_needs_a_key():
    with Upstream.start("demo", faults="trial", extra=["--require-key"]) as server:
        path = f"{server.base_url}{BASE}/league/injuries.json"
        assert httpx.get(path, timeout=60).status_code == 403
        with httpx.Client(headers={"x-api-key": "k"}, timeout=60) as client:
            answers = [client.get(path) for _ in range(5)]
        assert 1 <= sum(answer.is_success for answer in answers) <= 3
        assert "Developer Over Qps" in next(answer.text for answer in answers if not answer.is_success)


@pytest.mark.parametrize("number", [1, 900_607, 9_100_780])
def test_ids_lead_back_to_mlbs(number: int):
    assert sportradar.number(sportradar.uuid_of_game(number)) == number
    assert sportradar.number(sportradar.uuid_of_player(number)) == number
    assert sportradar.number("27a59d3b-ff7c-48ea-b016-4798f560f5e1") is None
