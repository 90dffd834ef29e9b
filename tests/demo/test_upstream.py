"""The upstream server as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamUnavailable
from tests.demo.frames import pitches, schedule
from tests.operations.waiting import gone, until


def test_it_answers_as_soon_as_it_is_started_and_is_gone_after_the_block():
    with Upstream.start("demo") as server:
        assert httpx.get(f"{server.base_url}/api/v1/teams", timeout=60).json()["teams"][0]["id"] == 108
        pid = server.pid
    until(lambda: gone(pid), "the server to end")


def test_stopping_twice_is_no_error():
    server = Upstream.start("demo")
    server.stop()
    server.stop()


def test_it_dies_with_a_parent_that_was_killed():
    code = (
        "import time\nfrom backstop.demo.upstream import Upstream\n"
        "server = Upstream.start('demo')\nprint(server.pid, flush=True)\ntime.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: gone(pid), "the server to end")


@pytest.mark.parametrize("spec", ["demon", "recorded:", "recorded:/nowhere/at/all"])
def test_a_spec_that_names_nothing_is_refused_with_a_word(spec: str, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(UpstreamUnavailable, match="before it answered"):
        Upstream.start(spec)
    assert "expected" in capfd.readouterr().err


def test_a_port_in_use_is_refused_with_a_word(demo_server: Upstream, capfd: pytest.CaptureFixture[str]):
    port = int(demo_server.base_url.rsplit(":", 1)[1])
    with pytest.raises(UpstreamUnavailable):
        Upstream.start("demo", port=port)
    assert str(port) in capfd.readouterr().err


def test_it_counts_requests_and_how_many_were_in_flight_at_once():
    with Upstream.start("demo", latency_ms=150) as server, httpx.Client(base_url=server.base_url, timeout=60) as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.get("/api/v1/teams"), range(8)))
        assert all(answer.is_success for answer in answers)
        assert all(answer.elapsed.total_seconds() >= 0.15 for answer in answers)
        client.get("/v4/sports/baseball_mlb/events")
        stats = server.stats()
    assert stats["requests"] == {"statsapi": 8, "theodds": 1, "all": 9}
    assert 2 <= stats["max_in_flight"]["statsapi"] <= 8
    assert stats["in_flight"]["all"] == 0


def test_two_servers_of_one_seed_say_the_same_and_another_seed_says_something_else(demo: httpx.Client):
    day = DEMO_DAY.replace(day=1).isoformat()
    with Upstream.start("demo") as same, httpx.Client(base_url=same.base_url, timeout=30) as client:
        assert pitches(client, day).equals(pitches(demo, day))
    with Upstream.start("demo", seed=7) as other, httpx.Client(base_url=other.base_url, timeout=30) as client:
        assert not pitches(client, day).equals(pitches(demo, day))


def test_the_simulated_clock_can_stand_later():
    later = ["--now", "2025-05-03T12:00:00Z"]
    with Upstream.start("demo", extra=later) as server, httpx.Client(base_url=server.base_url, timeout=30) as client:
        states = {game["status"]["detailedState"] for game in schedule(client, DEMO_DAY.isoformat())}
        assert states == {"Final", "Postponed"}
        assert len(pitches(client, DEMO_DAY.isoformat())) > 3_500


def test_a_detached_server_outlives_who_started_it():
    code = "from backstop.demo.upstream import Upstream\nprint(Upstream.start('demo', detached=True).pid, flush=True)"
    started = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    pid = int(started.stdout)
    try:
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: gone(pid), "the server to end")
