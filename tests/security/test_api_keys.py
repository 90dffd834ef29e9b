"""With keys set, every route but the free ones refuses whoever has none, and no key comes out again."""

from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from backstop.api import guard
from tests.api.conftest import features, frames, meta, published, quoted  # noqa: F401 - fixtures
from tests.api.serving import DAY, parts_over, serving

KEY, OTHER = "mark-api-key-0001-a1b2c3d4", "mark-api-key-0002-a1b2c3d4"
FREE = {"/", "/health/live", "/health/ready"}
"""What docs say is free: the page, which asks for the key, and the two probes."""

WRONG = {
    "none": {},
    "empty": {"X-API-Key": ""},
    "another": {"X-API-Key": "mark-api-key-0003"},
    "its beginning": {"X-API-Key": KEY[:-1]},
    "more than it": {"X-API-Key": KEY + "0"},
    "both": {"X-API-Key": f"{KEY},{OTHER}"},
    "another scheme": {"Authorization": f"Basic {KEY}"},
    "no bearer": {"Authorization": "Bearer"},
    "in the address": {"Cookie": f"X-API-Key={KEY}"},
}


@pytest.fixture
def locked(embedded_url, published):  # noqa: F811 - fixtures
    with serving(parts_over(embedded_url, settings={"api_keys": f"{KEY}, {OTHER}"})) as client:
        yield client


def routes(client):
    """Every operation of the OpenAPI document, and every route that is not in it, with its parameters filled in."""
    known = client.app.openapi()["paths"]
    listed = [(method.upper(), path) for path, methods in known.items() for method in methods]
    beside = {getattr(route, "path", "/") for route in client.app.routes}
    listed += [("GET", path) for path in beside - set(known) if path != "/api/v1/live"]
    for method, path in listed:
        yield method, re.sub(r"{[^}]*}", lambda name: str(DAY) if "date" in name.group() else "1", path)


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
def test_every_route_but_the_free_ones_refuses_a_wrong_key(locked, headers):
    asked = 0
    for method, path in routes(locked):
        if path in FREE or path.startswith("/board"):
            continue
        for address in (path, f"{path}?key={KEY}&api_key={KEY}&apiKey={KEY}"):
            answer = locked.request(method, address, headers=headers)
            assert answer.status_code == 401, (method, address)
            assert KEY not in answer.text + str(answer.headers)
        asked += 1
    assert asked >= 12


def test_the_paths_that_look_free_are_not(locked):
    for path in ("//api/v1/slates", "/board/../api/v1/slates", "/health/live/../detailed", "/board/..%2fmetrics"):
        assert locked.get(path).status_code in {401, 404}, path
    assert locked.get("/health/detailed").status_code == locked.get("/metrics").status_code == 401
    assert locked.get("/openapi.json").status_code == locked.get("/docs").status_code == 401


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
def test_the_live_socket_refuses_a_wrong_key(locked, headers):
    address = f"ws://127.0.0.1:{locked.port}/api/v1/live?slate={DAY}"
    with pytest.raises(InvalidStatus, match="401"):
        connect(address, additional_headers=headers)
    with connect(address, additional_headers={"X-API-Key": KEY}) as socket:
        assert socket.recv(timeout=30)


def test_no_key_comes_out_in_answers_metrics_or_logs(locked, caplog):
    caplog.set_level(logging.DEBUG)
    for method, path in routes(locked):
        for key in (KEY, "mark-api-key-0003-wrong"):
            with locked.stream(method, path, headers={"X-API-Key": key}) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    continue
                assert "mark-api-key" not in answer.read().decode("utf-8", "replace") + str(answer.headers)
    assert "mark-api-key" not in locked.get("/metrics", headers={"X-API-Key": OTHER}).text
    assert "mark-api-key" not in "".join(record.getMessage() for record in caplog.records)
    assert "mark-api-key" not in repr(locked.parts.settings)


def test_a_key_is_compared_in_constant_time(locked, monkeypatch):
    compared = []

    def compare(given, key):
        compared.append((given, key))
        return given == key

    monkeypatch.setattr(guard, "hmac", SimpleNamespace(compare_digest=compare))
    assert locked.get("/metrics", headers={"X-API-Key": KEY}).status_code == 200
    # all keys, also after the first matched
    assert compared == [(KEY.encode(), KEY.encode()), (KEY.encode(), OTHER.encode())]
