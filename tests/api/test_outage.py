from __future__ import annotations

import contextlib

import orjson
from redis import Redis
from websockets.sync.client import connect

from tests.api.serving import DAY, parts_over, publish, serving
from tests.store.servers import Server, wait_for

AT = f"/api/v1/slates/{DAY}"
CACHED = (AT, f"{AT}/board", "/api/v1/players/1001", "/api/v1/props/all/top", "/api/v1/slates")


def test_with_redis_stopped_what_is_cached_is_stale_the_rest_503_and_it_recovers_by_itself(
    tmp_path, frames, quoted, meta
):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path / "redis", appendonly="yes", appendfsync="always"))
        client = stack.enter_context(contextlib.closing(Redis.from_url(server.url)))
        publish(client, frames, meta=meta)
        api = stack.enter_context(serving(parts_over(server.url, quoted)))
        tags = {path: api.get(path).headers.get("etag") for path in CACHED}
        socket = stack.enter_context(connect(f"ws://127.0.0.1:{api.port}/api/v1/live?slate={DAY}"))
        socket.recv(timeout=30)

        server.kill()
        wait_for(lambda: api.get(AT).headers["backstop-state"] == "stale")
        for path in CACHED:
            answer = api.get(path)
            assert answer.status_code == 200, path
            if path != "/api/v1/slates":
                assert answer.headers["backstop-state"] == "stale"
                assert float(answer.headers["backstop-age-s"]) > 0
        assert api.get(AT).json()["state"] == "stale"
        assert api.get(f"{AT}/board", headers={"If-None-Match": tags[f"{AT}/board"]}).status_code == 304
        told = orjson.loads(socket.recv(timeout=30))
        assert (told["type"], told["state"]) == ("freshness", "stale")

        for path in (
            f"/api/v1/players/1002?date={DAY}",
            "/api/v1/slates/2024-01-01",
            f"{AT}?version=9",
            f"{AT}/versions",
        ):
            refused = api.get(path)
            assert refused.status_code == 503, path
            assert refused.json()["detail"].startswith("Redis cannot be read")
            assert int(refused.headers["retry-after"]) >= 1
        assert api.get("/health/live").status_code == 200
        assert api.get("/health/ready").status_code == 200
        detailed = api.get("/health/detailed").json()
        assert detailed["components"]["redis"]["status"] == "degraded"
        assert b"backstop_redis_up 0.0" in api.get("/metrics").content

        server.start()
        wait_for(lambda: api.get(AT).headers["backstop-state"] == "fresh")
        assert api.get(f"/api/v1/players/1002?date={DAY}").status_code == 200
        assert orjson.loads(socket.recv(timeout=30))["state"] == "fresh"
        publish(client, frames, run_id="r2", meta=meta)
        wait_for(lambda: api.get(AT).json()["slate"]["version"] == 2)
        assert orjson.loads(socket.recv(timeout=30))["version"] == 2


def test_a_server_that_starts_without_redis_says_so_and_serves_once_it_is_there(tmp_path, frames, meta):
    server = Server(tmp_path / "redis")
    with serving(parts_over(server.url)) as api:
        assert api.get("/health/live").status_code == 200
        assert api.get("/health/ready").status_code == 503
        assert api.get("/health/detailed").json()["status"] == "down"
        assert api.get(AT).status_code == 503
        assert api.post("/api/v1/optimized/baseball-savant/generate-props").status_code == 503
        with server, contextlib.closing(Redis.from_url(server.url)) as client:
            publish(client, frames, meta=meta)
            wait_for(lambda: api.get(AT).status_code == 200)
            assert api.get("/health/ready").status_code == 200


def test_a_redis_that_came_back_empty_leaves_what_was_served_as_stale_until_the_slate_is_back(
    tmp_path, frames, quoted, meta
):
    with Server(tmp_path / "redis") as server, contextlib.closing(Redis.from_url(server.url)) as client:
        publish(client, frames, meta=meta)
        with serving(parts_over(server.url, quoted)) as api:
            assert api.get(AT).headers["backstop-state"] == "fresh"
            client.flushall()
            wait_for(lambda: api.get(AT).headers["backstop-state"] == "stale")
            assert api.get(AT).json()["slate"]["version"] == 1
            lost = api.get(f"/api/v1/players/1002?date={DAY}")
            assert lost.status_code == 503
            assert "backstop redis rebuild" in lost.json()["detail"]
            publish(client, frames, run_id="again", meta=meta)
            wait_for(lambda: api.get(AT).headers["backstop-state"] == "fresh")
            assert api.get(f"/api/v1/players/1002?date={DAY}").status_code == 200
