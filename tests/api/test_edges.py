"""The ends of every parameter, and what is said beyond them: whole problem documents, one server for all of them."""

from __future__ import annotations

import socket
from http import HTTPStatus

import pytest

from backstop.api.problems import MEDIA
from backstop.props.markets import MARKETS
from backstop.store import connection, embedded
from tests.api.serving import DAY, parts_over, publish, serving

AT = f"/api/v1/slates/{DAY}"
GENERATE = "/api/v1/optimized/baseball-savant/generate-props"
LARGEST = 9_999_999_999


@pytest.fixture(scope="module")
def api(tmp_path_factory, frames, quoted, features):
    home = tmp_path_factory.mktemp("edges")
    url = embedded.ensure(home)
    client = connection.connect_url(url)
    games = [{"game_pk": pk} for pk in features["game_pk"].unique().sort().to_list()]
    for run in ("r1", "r2"):
        publish(client, frames, meta={"quality": "complete", "games": games, "gaps": []}, run_id=run)
    with serving(parts_over(url, quoted)) as served:
        yield served
    client.close()
    embedded.stop(home)


def problem(answer):
    """The document of a refusal, whose common members are checked here."""
    told = answer.json()
    assert answer.headers["content-type"] == MEDIA
    assert answer.headers["cache-control"] == "no-store"
    assert (told["status"], told["instance"]) == (answer.status_code, answer.request.url.path)
    assert set(told) <= {"type", "title", "status", "detail", "instance", "errors"}
    return told


INTEGER = "Input should be a valid integer, unable to parse string as an integer"
NO_DAY = "{!r} is not a date; expected YYYY-MM-DD, for example 2025-06-15"
NO_MARKET = f"it is no market; expected one of {', '.join(MARKETS)}"
PAGE_NAMES = "format, game_pk, limit, market, min_edge, offset, order, player, sort, team, version"

WRONG = [
    # path, where, what is said, what was seen
    (f"{AT}?limit=0", "query.limit", "Input should be greater than or equal to 1", "'0'"),
    (f"{AT}?limit=5001", "query.limit", "Input should be less than or equal to 5000", "'5001'"),
    (f"{AT}?limit=", "query.limit", INTEGER, "''"),
    (f"{AT}?limit=1e2", "query.limit", INTEGER, "'1e2'"),
    (f"{AT}?limit=%D9%A3", "query.limit", INTEGER, "'٣'"),
    (f"{AT}?offset=-1", "query.offset", "Input should be greater than or equal to 0", "'-1'"),
    (f"{AT}?offset=1000001", "query.offset", "Input should be less than or equal to 1000000", "'1000001'"),
    (f"{AT}?version=0", "query.version", "Input should be greater than or equal to 1", "'0'"),
    (f"{AT}?version={LARGEST + 1}", "query.version", f"Input should be less than or equal to {LARGEST}", f"'{LARGEST + 1}'"),
    (f"{AT}?min_edge=1.001", "query.min_edge", "Input should be less than or equal to 1", "'1.001'"),
    (f"{AT}?min_edge=-1.001", "query.min_edge", "Input should be greater than or equal to -1", "'-1.001'"),
    (f"{AT}?min_edge=inf", "query.min_edge", "Input should be a finite number", "'inf'"),
    (f"{AT}?team=ny", "query.team", "String should match pattern '^[A-Z]{2,3}$'", "'ny'"),
    (f"{AT}?team=NYYY", "query.team", "String should match pattern '^[A-Z]{2,3}$'", "'NYYY'"),
    (f"{AT}?team=AAA%0A", "query.team", "String should match pattern '^[A-Z]{2,3}$'", r"'AAA\n'"),
    (f"{AT}?player=0", "query.player", "Input should be greater than or equal to 1", "'0'"),
    (f"{AT}?game_pk=-7", "query.game_pk", "Input should be greater than or equal to 1", "'-7'"),
    (f"{AT}?sort=EV", "query.sort", "Input should be 'ev', 'edge', 'line', 'prob_over' or 'player'", "'EV'"),
    (f"{AT}?order=up", "query.order", "Input should be 'desc' or 'asc'", "'up'"),
    (f"{AT}?format=csv", "query.format", "Input should be 'json', 'arrow' or 'parquet'", "'csv'"),
    (f"{AT}?market=", "query.market", NO_MARKET, "''"),
    ("/api/v1/props/ALL/top", "path.market", NO_MARKET, "'ALL'"),
    ("/api/v1/props/all/top?limit=501", "query.limit", "Input should be less than or equal to 500", "'501'"),
    ("/api/v1/props/all/top?sort=line", "query.sort", "Input should be 'ev' or 'edge'", "'line'"),
    ("/api/v1/slates/2024-4-16", "path.date", NO_DAY.format("2024-4-16"), "'2024-4-16'"),
    ("/api/v1/slates/20240416", "path.date", NO_DAY.format("20240416"), "'20240416'"),
    ("/api/v1/slates/2024-02-30", "path.date", NO_DAY.format("2024-02-30"), "'2024-02-30'"),
    ("/api/v1/slates/2024-W16-2", "path.date", NO_DAY.format("2024-W16-2"), "'2024-W16-2'"),
    ("/api/v1/slates/%00", "path.date", NO_DAY.format("\x00"), r"'\x00'"),
    ("/api/v1/slates?before=", "query.before", NO_DAY.format(""), "''"),
    ("/api/v1/slates?limit=101", "query.limit", "Input should be less than or equal to 100", "'101'"),
    (f"{AT}/diff?from=0", "query.from", "Input should be greater than or equal to 1", "'0'"),
    (f"{AT}/diff?limit=0", "query.limit", "Input should be greater than or equal to 1", "'0'"),
    ("/api/v1/players/0", "path.player_id", "Input should be greater than or equal to 1", "'0'"),
    ("/api/v1/players/judge", "path.player_id", INTEGER, "'judge'"),
    (f"/api/v1/games/{LARGEST + 1}", "path.game_pk", f"Input should be less than or equal to {LARGEST}", f"'{LARGEST + 1}'"),
    ("/api/v1/grades?days=0", "query.days", "Input should be greater than or equal to 1", "'0'"),
    ("/api/v1/grades?days=61", "query.days", "Input should be less than or equal to 60", "'61'"),
    (f"POST {GENERATE}?max_players=0", "query.max_players", "Input should be greater than or equal to 1", "'0'"),
    (f"POST {GENERATE}?max_players=2001", "query.max_players", "Input should be less than or equal to 2000", "'2001'"),
    (f"POST {GENERATE}?wait_s=300.1", "query.wait_s", "Input should be less than or equal to 300", "'300.1'"),
    (f"POST {GENERATE}?wait_s=nan", "query.wait_s", "Input should be a finite number", "'nan'"),
    (
        f"POST {GENERATE}?force_refresh=maybe",
        "query.force_refresh",
        "Input should be a valid boolean, unable to interpret input",
        "'maybe'",
    ),
    # names that the route does not have: answered as if they were not there, they would answer another question
    (f"{AT}?LIMIT=5", "query.LIMIT", f"there is no such parameter; expected {PAGE_NAMES}", "'5'"),
    ("/api/v1/slates?date=2024-04-16", "query.date", "there is no such parameter; expected before, limit", "'2024-04-16'"),
    (f"{AT}/diff?before=1", "query.before", "there is no such parameter; expected from, limit, to", "'1'"),
    (f"{AT}/versions?version=1", "query.version", "there is no such parameter; expected none", "'1'"),
    (f"{AT}/board?market=all", "query.market", "there is no such parameter; expected version", "'all'"),
    ("/api/v1/players/1001?day=2024-04-16", "query.day", "there is no such parameter; expected date", "'2024-04-16'"),
    ("/api/v1/props/all/top?limt=5", "query.limt", "there is no such parameter; expected date, limit, sort", "'5'"),
    ("/api/v1/grades?day=1", "query.day", "there is no such parameter; expected days", "'1'"),
    (
        f"POST {GENERATE}?players=5",
        "query.players",
        "there is no such parameter; expected date, force_refresh, max_players, wait_s",
        "'5'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "where", "what", "seen"), WRONG, ids=[case[0].split("/api/v1")[1] for case in WRONG])
def test_a_value_beyond_the_ends_is_named_with_what_was_expected_and_what_was_seen(api, path, where, what, seen):
    method, _, address = path.rpartition(" ")
    answer = api.request(method or "GET", address)
    told = problem(answer)
    assert (answer.status_code, told["type"], told["title"]) == (
        422,
        "urn:backstop:invalid-request",
        HTTPStatus(422).phrase,
    )
    assert told["errors"] == [{"where": where, "what": what, "seen": seen}]
    assert told["detail"] == f"The request cannot be read: {where}: {what} (seen {seen})."


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (f"POST {GENERATE}", b'{"max_players": 5}', "date, force_refresh, max_players, wait_s"),
        (f"POST {GENERATE}?max_players=5", b"force_refresh=true", "date, force_refresh, max_players, wait_s"),
        (f"GET {AT}", b"\xff" * 300, PAGE_NAMES),
        (f"GET {AT}/versions", b"1", "none"),
    ],
    ids=["json", "form", "get", "none expected"],
)
def test_a_body_is_refused_with_where_parameters_go(api, path, body, expected):
    method, _, address = path.partition(" ")
    answer = api.request(method, address, content=body)
    told = problem(answer)
    what = f"no body is read here; parameters go into the address, after a question mark: {expected}"
    assert (answer.status_code, told["errors"]) == (
        422,
        [{"where": "body", "what": what, "seen": f"'{len(body)} bytes'"}],
    )


def test_a_parameter_that_is_given_twice_is_refused_with_both_values(api):
    told = problem(api.get(f"{AT}?market=batter_hits&market=batter_walks&limit=5"))
    what = "it is given more than once; expected one"
    assert told["errors"] == [{"where": "query.market", "what": what, "seen": "['batter_hits', 'batter_walks']"}]


def test_a_body_that_never_comes_keeps_nobody_waiting(api):
    """Its length is enough to refuse it."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as line:
        line.sendall(f"POST {GENERATE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nabc".encode())
        assert line.recv(20).startswith(b"HTTP/1.1 422 ")


def test_a_wrong_parameter_and_a_body_are_named_at_once(api):
    told = problem(api.post(f"{GENERATE}?players=5", json={"players": 5}))
    assert [each["where"] for each in told["errors"]] == ["query.players", "body"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"PUT {AT}", "GET, HEAD"),
        (f"GET {GENERATE}", "POST"),
        ("DELETE /", "GET, HEAD"),
        ("POST /health/live", "GET, HEAD"),
        ("POST /board/0/app.js", "GET, HEAD"),
        ("OPTIONS /metrics", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_possible_is_answered_with_those_that_are(api, path, allowed):
    method, _, address = path.partition(" ")
    answer = api.request(method, address)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert problem(answer)["detail"] == f"{method} is not possible here; the header Allow lists what is."


@pytest.mark.parametrize(
    "path",
    [
        f"{AT}?limit=1",
        f"{AT}?limit=5000&offset=1000000",
        f"{AT}?min_edge=-1",
        f"{AT}?min_edge=1",
        f"{AT}?player=1&game_pk={LARGEST}",
        f"{AT}?team=SD&market=all&sort=player&order=asc&format=json&version=2",
        "/api/v1/slates?limit=100&before=9999-12-31",
        "/api/v1/slates?before=0001-01-01",
        f"{AT}/diff?from=1&to=2&limit=5000",
        f"{AT}/diff?from=2&to=2",
        f"{AT}/board?version=1",
        f"/api/v1/players/1001?date={DAY}",
        "/api/v1/props/all/top?limit=500&sort=edge",
        "/api/v1/grades?days=60",
        "/health/live?cache=off",
        f"POST {GENERATE}?max_players=1&wait_s=300&force_refresh=false",
    ],
)
def test_the_ends_themselves_are_answered(api, path):
    method, _, address = path.rpartition(" ")
    assert api.request(method or "GET", address).status_code == 200


NOT_THERE = [
    (f"{AT}?version={LARGEST}", "no-version", f"Version {LARGEST} of the slate of {DAY} is not kept; {AT}/versions lists those that are."),
    (f"{AT}/board?version=3", "no-version", f"Version 3 of the slate of {DAY} is not kept; {AT}/versions lists those that are."),
    (f"{AT}/diff?to=3", "no-version", f"Version 3 of the slate of {DAY} is not kept; {AT}/versions lists those that are."),
    (f"{AT}/diff?to=1", "no-version", f"No version of {DAY} before 1 is kept; there is nothing to compare with."),
    (
        "/api/v1/slates/9999-12-31/versions",
        "no-slate",
        f"No slate of 9999-12-31 is published; the latest that are: {DAY}. Refresh the day, or ask for one of these.",
    ),
    ("/api/v1/players/7", "not-found", f"There is no player 7 in the slate of {DAY}; give another `date`."),
    (f"/api/v1/players/7?date={DAY}", "no-player", f"Player 7 has no row in the slate of {DAY}; {AT} lists who has."),
    (f"/api/v1/games/{LARGEST}", "not-found", f"There is no game {LARGEST} in the slate of {DAY}; give another `date`."),
    (f"/api/v1/games/7?date={DAY}", "no-game", f"Game 7 is not in the slate of {DAY}; {AT} lists its games."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind", "sentence"), NOT_THERE, ids=[case[0].removeprefix("/api/v1") for case in NOT_THERE]
)
def test_what_is_not_there_is_told_with_what_is(api, path, kind, sentence):
    answer = api.get(path)
    told = problem(answer)
    assert (answer.status_code, told["type"], told["title"]) == (404, f"urn:backstop:{kind}", "Not Found")
    assert told["detail"] == sentence


def test_a_refresh_without_a_server_to_run_it_says_which_command_does_it(api):
    answer = api.post(GENERATE, params={"force_refresh": "true"})
    told = problem(answer)
    assert (answer.status_code, told["type"]) == (409, "urn:backstop:no-prefect")
    assert told["detail"].endswith(f"run `backstop refresh {DAY}`.")


def test_several_wrong_values_are_all_named_in_one_answer(api):
    told = problem(api.get(f"{AT}?limit=0&sort=luck&order=up"))
    assert [each["where"] for each in told["errors"]] == ["query.sort", "query.order", "query.limit"]
    assert told["detail"].count("; ") == 2
