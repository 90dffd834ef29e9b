from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from prometheus_client.parser import text_string_to_metric_families

from backstop import telemetry
from backstop.api.parts import Component
from backstop.errors import LakeError
from backstop.net.breaker import Moved, State
from tests.api.serving import DAY, parts_over, serving

FEED = {
    "feed": "savant", "host": "http://127.0.0.1", "breaker": "open", "open_since": dt.datetime.now(dt.UTC),
    "retry_in_s": 3.0, "gate_width": 7, "gate_cap": 25, "in_flight": 0, "waiting": 0,
    "last_success_at": dt.datetime.now(dt.UTC), "last_error": "503", "credits_left": 41,
}  # fmt: skip


def test_a_process_that_runs_is_live_and_ready(api):
    assert api.get("/health/live").json() == {"status": "ok"}
    assert api.get("/health/ready").json()["status"] == "ok"


def test_every_component_has_a_status_and_a_sentence(embedded_url, published):
    async def fine():
        return Component("ok", "It is there.")

    async def broken():
        raise LakeError("The lake is gone.")

    async def silent():
        await asyncio.sleep(60)

    probes = {"lake": broken, "ledger": fine, "prefect": silent}
    with serving(parts_over(embedded_url, probes=probes, feeds=lambda: [FEED])) as api:
        told = api.get("/health/detailed").json()
    statuses = {name: each["status"] for name, each in told["components"].items()}
    assert statuses == {
        "redis": "ok", "cache": "ok", "lake": "down", "ledger": "ok", "prefect": "down", "feeds": "degraded"
    }  # fmt: skip
    assert told["status"] == "degraded"
    assert told["components"]["lake"]["detail"] == "The lake is gone."
    assert "did not answer" in told["components"]["prefect"]["detail"]
    assert told["components"]["feeds"]["feeds"][0]["credits_left"] == 41


def test_the_named_health_says_how_fresh_the_slate_is(api):
    told = api.get("/api/v1/optimized/baseball-savant/health").json()
    assert (told["status"], told["date"], told["version"], told["state"]) == ("ok", str(DAY), 1, "fresh")


def test_the_counters_are_true(api):
    before = api.get("/api/v1/optimized/baseball-savant/metrics").json()["cache"]["l1"]
    for _ in range(5):
        api.get("/api/v1/players/1001", params={"date": str(DAY)})
    after = api.get("/api/v1/optimized/baseball-savant/metrics").json()["cache"]["l1"]
    assert after["namespaces"]["props"]["misses"] - before["namespaces"].get("props", {"misses": 0})["misses"] == 1
    assert after["namespaces"]["props"]["hits"] - before["namespaces"].get("props", {"hits": 0})["hits"] == 4
    assert 0 < after["bytes"] <= after["bound_bytes"]
    assert after["hit_rate"] == pytest.approx(after["hits"] / (after["hits"] + after["misses"]))


def test_prometheus_can_read_every_metric(embedded_url, published):
    with serving(parts_over(embedded_url, feeds=lambda: [FEED])) as api:
        api.get(f"/api/v1/slates/{DAY}")
        api.get("/nothing/at/all/1")
        api.get("/health/detailed")
        api.head("/health/live")
        for n in range(3):
            api.request(f"BREW{n}", "/health/live")
        answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    assert all(name.startswith("backstop_") for name in families)
    assert all(each.documentation for each in families.values())

    def value(name, **labels):
        return next(s.value for f in families.values() for s in f.samples if s.name == name and s.labels == labels)

    assert value("backstop_http_requests_total", method="GET", route="/api/v1/slates/{date}", status="200") == 1
    # an address that is no route gets no label of its own
    assert value("backstop_http_requests_total", method="GET", route="other", status="404") == 1
    # nor does a made-up method
    assert value("backstop_http_requests_total", method="other", route="/health/live", status="405") == 3
    assert value("backstop_http_requests_total", method="HEAD", route="/health/live", status="200") == 1
    assert value("backstop_slate_fresh", slate=str(DAY)) == 1
    assert value("backstop_feed_breaker_open", feed="savant") == 1
    assert value("backstop_feed_credits_left", feed="savant") == 41
    assert value("backstop_redis_up") == 1


def test_each_generation_is_timed(api):
    api.post("/api/v1/optimized/baseball-savant/generate-props", params={"max_players": 1})
    told = api.get("/metrics").text
    assert "backstop_generation_seconds_count 1.0" in told
    assert 'backstop_generation_seconds_bucket{le="0.001"} 0.0' in told


def test_a_breaker_that_moves_is_told_to_whoever_listens(api):
    import orjson
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{api.port}/api/v1/live?slate={DAY}") as socket:
        socket.recv(timeout=30)
        telemetry.emit(Moved("theodds", State.CLOSED, State.OPEN, "3 of the last 4 requests failed", 30.0))
        told = orjson.loads(socket.recv(timeout=30))
    assert told == {
        "type": "feed", "seq": 1, "feed": "theodds", "breaker": "open", "retry_in_s": 30.0,
        "reason": "3 of the last 4 requests failed",
    }  # fmt: skip
