"""The guard as a server calls it: what it passes on, what it answers by itself, and what it counts, message by message."""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers
from starlette.responses import Response

from backstop.api.generation import AT_ONCE, WAITING, Generator
from backstop.api.guard import LARGEST_BODY, Guard, key_of
from backstop.api.limit import Limit
from backstop.api.problems import Problem
from backstop.settings import Settings

KEY = "open-sesame"


class Counted:
    """The part of the metrics that a guard writes to."""

    def __init__(self):
        registry = CollectorRegistry()
        self.requests = Counter("requests", "", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram("seconds", "", ["route"], registry=registry)
        self.in_flight = Gauge("in_flight", "", registry=registry)

    def told(self):
        samples = self.requests.collect()[0].samples
        return {tuple(each.labels.values()): each.value for each in samples if each.name == "requests_total"}


async def echo(scope, receive, send):
    """An app that answers with the method that reached it."""
    if scope["type"] == "http":
        await Response(scope["method"], headers={"X-Content-Type-Options": "mine"})(scope, receive, send)
    else:
        await send({"type": f"{scope['type']}.reached"})


def ask(
    method="GET",
    path="/api/v1/slates",
    *,
    kind="http",
    app=echo,
    extensions=None,
    limit=None,
    client=("10.0.0.1", 1),
    **headers,
):
    """Send one request through a guard; returns what was sent back, and what was counted."""
    counted, sent = Counted(), []
    guard = Guard(app, Settings(api_keys=KEY, api_host="127.0.0.1"), limit or Limit(100), counted)
    given = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    scope = {
        "type": kind,
        "path": path,
        "headers": raw,
        "client": client,
        "query_string": b"",
        "extensions": extensions or {},
    }
    if kind == "http":
        scope["method"] = method

    async def receive():
        return {"type": f"{kind}.connect" if kind == "websocket" else "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return sent, counted


def headers_of(sent):
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    "headers", [{"x_api_key": KEY}, {"authorization": f"bearer  {KEY}"}, {"authorization": f"BEARER {KEY}"}]
)
def test_who_has_the_key_is_passed_on_with_headers_that_the_app_did_not_set(headers):
    sent, counted = ask(**headers)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"GET")
    assert headers_of(sent)["x-content-type-options"] == "mine"
    assert headers_of(sent)["referrer-policy"] == "no-referrer"
    assert counted.told() == {("GET", "other", "200"): 1.0}
    assert counted.in_flight._value.get() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_api_key": ""},
        {"x_api_key": f"{KEY} "},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"x_api_key": "é"},
    ],
    ids=str,
)
def test_who_has_it_not_gets_a_problem_document_and_the_app_is_not_reached(headers):
    sent, counted = ask(**headers)
    told = json.loads(sent[1]["body"])
    assert (sent[0]["status"], told["type"], told["instance"]) == (401, "urn:backstop:no-key", "/api/v1/slates")
    assert headers_of(sent)["www-authenticate"] == "Bearer"
    assert counted.told() == {("GET", "other", "401"): 1.0}


def test_who_tries_keys_from_an_address_is_slowed_down_and_not_told_when_he_finds_one():
    now = [0.0]
    limit = Limit(2, now=lambda: now[0])

    def status(key, path="/api/v1/slates", client=("10.0.0.1", 1)):
        sent, _ = ask(path=path, x_api_key=key, limit=limit, client=client)
        return sent[0]["status"]

    assert [status(str(n)) for n in range(6)] == [401] * 4 + [429] * 2
    sent, _ = ask(x_api_key=KEY, limit=limit)
    assert (sent[0]["status"], headers_of(sent)["retry-after"]) == (429, "1")
    told = "More than 2 requests a second without a right key; come back in 0.50 s."
    assert json.loads(sent[1]["body"])["detail"] == told
    assert limit.refused == 3
    # it takes nothing from the probes of the same address, from another address or from a key's own requests
    assert [status("", "/health/live") for _ in range(5)] == [200] * 4 + [429]
    assert status("wrong", client=("10.0.0.2", 1)) == 401
    now[0] = 0.5
    assert [status(KEY) for _ in range(5)] == [200] * 4 + [429]
    assert [status("wrong") for _ in range(2)] == [401, 429]


def test_sockets_that_try_keys_are_slowed_down_with_the_rest():
    limit = Limit(1, now=lambda: 0.0)
    codes = [ask(kind="websocket", limit=limit, client=None)[0][0]["code"] for _ in range(3)]
    assert codes == [4401, 4401, 4403]
    assert ask(kind="websocket", limit=limit, client=None, x_api_key=KEY)[0] == [
        {"type": "websocket.close", "code": 4403}
    ]


def test_a_head_is_a_get_without_its_body_also_when_it_is_refused():
    sent, counted = ask("HEAD", x_api_key=KEY)
    assert (sent[0]["status"], headers_of(sent)["content-length"], sent[1]["body"]) == (200, "3", b"")
    assert counted.told() == {("HEAD", "other", "200"): 1.0}
    sent, _ = ask("HEAD")
    assert (sent[0]["status"], sent[1]["body"]) == (401, b"")


def test_methods_that_callers_make_up_are_counted_as_one():
    _, counted = ask("BREW-" + "X" * 500, x_api_key=KEY)
    assert counted.told() == {("other", "other", "200"): 1.0}


def test_a_request_that_the_app_fails_is_counted_as_failed_and_is_not_in_flight_any_more():
    async def broken(*_):
        raise ZeroDivisionError

    counted = Counted()
    guard = Guard(broken, Settings(), Limit(100), counted)
    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", b"localhost")], "client": None}
    with pytest.raises(ZeroDivisionError):
        asyncio.run(guard(scope, None, None))
    assert counted.told() == {("GET", "other", "500"): 1.0}
    assert counted.in_flight._value.get() == 0


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"content_length": str(LARGEST_BODY + 1)}, f"has {LARGEST_BODY + 1} bytes"),
        ({"content_length": "9" * 300}, f"has {'9' * 20} bytes"),
        ({"content_length": "-1"}, "has -1 bytes"),
        ({"content_length": "1e3"}, "has 1e3 bytes"),
        ({"transfer_encoding": "chunked"}, "does not say its length"),
    ],
)
def test_a_body_is_judged_by_what_it_says_of_its_length(headers, seen):
    sent, _ = ask("POST", x_api_key=KEY, **headers)
    told = json.loads(sent[1]["body"])
    assert (sent[0]["status"], told["type"]) == (413, "urn:backstop:body")
    assert told["detail"].startswith(f"The body {seen};")
    assert ask("POST", x_api_key=KEY, content_length=str(LARGEST_BODY))[0][0]["status"] == 200


def test_a_life_of_a_server_is_none_of_the_guards_business():
    sent, counted = ask(kind="lifespan")
    assert sent == [{"type": "lifespan.reached"}]
    assert counted.told() == {}


def subprotocol(key):
    return "backstop, key." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def test_a_socket_is_passed_on_with_its_key_and_otherwise_closed_with_a_code_or_refused_in_words():
    assert ask(kind="websocket", sec_websocket_protocol=subprotocol(KEY))[0] == [{"type": "websocket.reached"}]
    assert ask(kind="websocket")[0] == [{"type": "websocket.close", "code": 4401}]
    foreign = {"origin": "https://evil.example", "sec_websocket_protocol": subprotocol(KEY)}
    assert ask(kind="websocket", **foreign)[0] == [{"type": "websocket.close", "code": 4403}]
    sent, _ = ask(kind="websocket", extensions={"websocket.http.response": {}})
    assert [each["type"] for each in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent[0]["status"], json.loads(sent[1]["body"])["type"]) == (401, "urn:backstop:no-key")


@pytest.mark.parametrize(
    ("protocols", "key"),
    [
        (subprotocol("schlüssel"), "schlüssel".encode()),
        ("key.a", b""),
        ("key.", b""),
        ("keys.b3Blbg", b""),
        ("backstop", b""),
        ("key.b3Blbg, key.c2hhcA", b"open"),
    ],
)
def test_a_key_in_a_subprotocol_is_read_or_is_none(protocols, key):
    assert key_of(Headers({"sec-websocket-protocol": protocols})) == key


def test_the_header_for_keys_comes_before_every_other_way():
    headers = {"x-api-key": "one", "authorization": "Bearer two", "sec-websocket-protocol": subprotocol("three")}
    assert key_of(Headers(headers)) == b"one"
    del headers["x-api-key"]
    assert key_of(Headers(headers)) == b"two"


def test_no_more_generations_wait_than_are_done_within_a_second():
    desk = SimpleNamespace(cache=SimpleNamespace(add=lambda *_: None))
    generator = Generator(desk, None, _inside=AT_ONCE + WAITING)
    with pytest.raises(Problem) as refused:
        asyncio.run(generator.make(None, 50))
    assert (refused.value.status, refused.value.kind, refused.value.headers) == (503, "busy", {"Retry-After": "1"})
    assert refused.value.detail == "18 generations are under way already, as many as may be; ask again in a moment."
    assert generator._inside == AT_ONCE + WAITING
