from __future__ import annotations

import base64
from functools import partial

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from backstop.api import app
from backstop.api.guard import host_of, is_loopback, key_of
from backstop.api.limit import Limit
from tests.api.serving import DAY, parts_over, serving

AT = f"/api/v1/slates/{DAY}"
POST = "/api/v1/optimized/baseball-savant/generate-props"


@pytest.fixture
def locked(embedded_url, published):
    with serving(parts_over(embedded_url, settings={"api_keys": "first-key, second-key"})) as client:
        yield client


def test_with_keys_set_nobody_reads_without_one(locked):
    refused = locked.get(AT)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["type"] == "urn:backstop:no-key"
    assert locked.get(AT, headers={"X-API-Key": "first-ke"}).status_code == 401
    assert locked.get(AT, headers={"X-API-Key": "first-key"}).status_code == 200
    assert locked.get(AT, headers={"Authorization": "Bearer second-key"}).status_code == 200
    assert locked.get("/metrics").status_code == 401
    assert locked.get("/nothing").status_code == 401


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready"])
def test_page_and_probes_need_no_key(locked, path):
    assert locked.get(path).status_code == 200


def test_a_browsers_socket_sends_its_key_as_a_subprotocol():
    key = base64.urlsafe_b64encode("schlüssel".encode()).rstrip(b"=").decode()
    assert key_of(Headers({"sec-websocket-protocol": f"backstop, key.{key}"})) == "schlüssel".encode()
    assert key_of(Headers({"sec-websocket-protocol": "key.!"})) == b""
    assert key_of(Headers({})) == b""


@pytest.mark.parametrize(("name", "before"), [(b"x-api-key", b""), (b"authorization", b"Bearer ")])
def test_a_key_is_the_bytes_that_were_sent(name, before):
    assert key_of(Headers(raw=[(name, before + "schlüssel".encode())])) == "schlüssel".encode()


def test_a_page_of_another_site_can_start_nothing_here(api):
    answer = api.post(POST, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:backstop:foreign-origin"
    assert "BACKSTOP_API_ORIGINS" in answer.json()["detail"]
    own = f"http://127.0.0.1:{api.port}"
    assert api.post(POST, params={"max_players": 1}, headers={"Origin": own}).status_code == 200


def test_a_name_that_was_pointed_here_is_not_answered(api):
    answer = api.get(AT, headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "BACKSTOP_API_NAMES" in answer.json()["detail"]
    assert api.get(AT, headers={"Host": f"localhost:{api.port}"}).status_code == 200


def test_no_other_site_may_read_unless_it_is_named(embedded_url, published, api):
    assert "access-control-allow-origin" not in api.get(AT, headers={"Origin": "https://good.example"}).headers
    with serving(parts_over(embedded_url, settings={"api_origins": "https://good.example"})) as open_to:
        answer = open_to.get(AT, headers={"Origin": "https://good.example"})
        assert answer.headers["access-control-allow-origin"] == "https://good.example"
        for sent in ({"Origin": "https://good.example"}, {"Origin": "https://other.example"}, {}):
            varies = open_to.get(AT, headers=sent).headers["vary"].split(", ")
            assert sorted(varies) == ["Accept", "Accept-Encoding", "Origin"], sent
        assert "access-control-allow-origin" not in open_to.get(AT, headers={"Origin": "https://other.example"}).headers
        assert open_to.post(POST, params={"max_players": 1}, headers={"Origin": "https://good.example"}).is_success


def test_a_page_of_a_listed_site_is_told_what_it_may_send_before_it_sends_a_key(embedded_url, published):
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    with serving(parts_over(embedded_url, settings={"api_origins": "https://good.example", "api_keys": "k"})) as api:
        told = api.options(AT, headers={"Origin": "https://good.example", **asks})
        assert told.status_code == 204
        assert told.headers["access-control-allow-origin"] == "https://good.example"
        assert "X-API-Key" in told.headers["access-control-allow-headers"]
        assert "POST" in told.headers["access-control-allow-methods"]
        answer = api.get(AT, headers={"Origin": "https://good.example", "X-API-Key": "k"})
        assert "Backstop-Fresh-For-S" in answer.headers["access-control-expose-headers"]
        for other, status in (({"Origin": "https://other.example", **asks}, 403), (asks, 401)):
            refused = api.options(AT, headers=other)
            assert refused.status_code == status
            assert "access-control-allow-headers" not in refused.headers


@pytest.mark.parametrize("origin", ["http://[", "null", "", "//", "http://[::1"])
def test_an_origin_that_is_none_is_refused(api, origin):
    assert api.post(POST, headers={"Origin": origin}).status_code == 403


@pytest.fixture
def no_time_passes(monkeypatch):
    """Every request comes at the same instant, however busy the machine is."""
    monkeypatch.setattr(app, "Limit", partial(Limit, now=lambda: 0.0))


def test_a_probe_is_not_refused_for_what_others_ask_without_a_key(embedded_url, published, no_time_passes):
    with serving(parts_over(embedded_url, settings={"api_requests_per_s": 1, "api_keys": "k"})) as api:
        by_key = [api.get(AT, headers={"X-API-Key": "k"}).status_code for _ in range(4)]
        assert by_key == [200, 200, 429, 429]
        assert api.get("/health/live").status_code == 200
        # a made-up key gives nobody a bucket of his own
        probes = [api.get("/health/live", headers={"X-API-Key": str(n)}).status_code for n in range(4)]
        assert probes == [200, 429, 429, 429]


def test_who_asks_too_often_is_told_when_to_come_back(embedded_url, published, no_time_passes):
    with serving(parts_over(embedded_url, settings={"api_requests_per_s": 2})) as api:
        answers = [api.get("/health/live") for _ in range(8)]
        refused = [each for each in answers if each.status_code == 429]
        assert len(refused) == 4
        assert refused[0].headers["retry-after"] == "1"
        assert refused[0].json()["detail"].startswith("More than 2 requests a second")


@given(
    st.floats(0.5, 100),
    st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_no_caller_ever_gets_more_than_his_rate_and_burst(per_s, pauses):
    now = [0.0]
    limit = Limit(per_s, now=lambda: now[0])
    granted = 0
    for pause in pauses:
        now[0] += pause
        wait_s = limit.take("me")
        granted += not wait_s
        if wait_s:
            now[0] += wait_s + 1e-9
            assert limit.take("me") < 1e-6
            granted += 1
    assert granted <= limit.burst + now[0] * per_s + 1


def test_a_limit_forgets_callers_rather_than_growing(monkeypatch):
    monkeypatch.setattr("backstop.api.limit.CALLERS", 3)
    limit = Limit(1)
    for caller in range(10):
        limit.take(str(caller))
    assert len(limit._buckets) == 3


def test_a_body_that_nobody_asked_for_is_refused(api):
    answer = api.post(POST, content=bytes(70_000))
    assert answer.status_code == 413
    with httpx.Client(base_url=api.base_url) as client:
        streamed = client.post(POST, content=iter([b"x"] * 3))
    assert streamed.status_code == 413
    assert streamed.json()["detail"].startswith("The body does not say its length; ")


def test_answers_tell_browsers_not_to_guess_nor_to_leak(api):
    for path in (AT, "/nothing", "/health/live"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.1", False), ("x", False)],
)
def test_loopback_is_told_from_the_rest(host, is_local):
    assert is_loopback(host) is is_local


@given(st.text(max_size=60))
def test_any_host_header_can_be_read(text):
    host_of(text)
