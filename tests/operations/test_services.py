"""What a deployment for development keeps up: found again when it answers, ended when a part does not, told to a shell."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
from pydantic import SecretStr

from backstop.settings import Settings
from deployments import kept, services
from deployments.machine import Machine
from deployments.server import PrefectServer
from tests.here import only_here
from tests.net.server import FaultServer, Say
from tests.operations.waiting import until


@pytest.fixture
def server():
    with FaultServer() as server:
        server.fallback = Say(b"{}")
        yield server


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.delenv("PREFECT_API_URL")
    return Settings(_env_file=None, home=tmp_path / "home", upstream="demo")


def up(settings, prefect, **changes):
    told = {"home": settings.home / "demo", "upstream": prefect, **changes}
    return Machine(settings.model_copy(update=told), None, PrefectServer(f"{prefect}/api", None))


def test_a_home_in_which_nothing_was_deployed_is_left_as_it_is(settings):
    with services.reused(settings) as found:
        assert found is settings
    assert not settings.home.exists()


def test_servers_that_answer_are_used_again_with_the_leagues_own_home(settings, server):
    services.note(settings, up(settings, server.url))
    with services.reused(settings) as found:
        assert (found.upstream, found.home) == (server.url, settings.home / "demo")
        assert os.environ["PREFECT_API_URL"] == f"{server.url}/api"
        assert found.history_first_season == 2025
    assert {each.target for each in server.heard} == {"/api/health", "/"}


def test_another_upstream_that_is_asked_for_is_not_replaced(settings, server):
    services.note(settings, up(settings, server.url))
    wanted = settings.model_copy(update={"upstream": "live"})
    with services.reused(wanted) as found:
        assert found is wanted
        assert os.environ["PREFECT_API_URL"] == f"{server.url}/api"


def test_a_prefect_server_that_the_shell_names_goes_first(settings, server, monkeypatch):
    services.note(settings, up(settings, server.url))
    monkeypatch.setenv("PREFECT_API_URL", "http://elsewhere:4200/api")
    with services.reused(settings) as found:
        assert found is settings
    assert os.environ["PREFECT_API_URL"] == "http://elsewhere:4200/api"
    assert (settings.home / "services.json").exists()


def test_when_one_server_is_gone_the_rest_is_ended_and_forgotten(settings, server):
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # a worker"])
    services.note(settings, up(settings, server.url, upstream="http://127.0.0.1:9"))
    kept.note(settings.home, [("a worker", left.pid)], None)
    with services.reused(settings) as found:
        assert found is settings
    assert left.wait(10) != 0
    assert not (settings.home / "services.json").exists()
    assert "PREFECT_API_URL" not in os.environ


def test_a_server_that_answers_with_an_error_of_its_own_is_not_used(settings, server):
    services.note(settings, up(settings, server.url))
    server.fallback = Say(b"", status=500)
    with services.reused(settings) as found:
        assert found is settings
    assert not (settings.home / "services.json").exists()


def test_a_home_is_found_from_that_of_its_demo_league_and_no_other(settings, server):
    services.note(settings, up(settings, server.url))
    assert services.base_of(settings.home / "demo") == settings.home
    assert services.base_of(settings.home / "other") == settings.home / "other"
    assert services.base_of(settings.home) == settings.home


def sourced(file, *names):
    shown = " ".join(f'"${{{name}-none}}"' for name in names)
    script = f"set -a; . {file}; printf '%s\\n' {shown}"
    clean = {"PATH": os.environ["PATH"]}
    return subprocess.run(["sh", "-c", script], env=clean, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )


def test_a_shell_is_told_where_everything_is_and_no_secret(settings, server):
    odd = Path(f"{settings.home}/it's $HOME")
    services.note(settings, up(settings, server.url, home=odd, redis_url="unix:///s", theodds_key=SecretStr("k" * 32)))
    file = settings.home / "environment"
    home, redis, key, api, path, _ = sourced(
        file, "BACKSTOP_HOME", "BACKSTOP_REDIS_URL", "BACKSTOP_THEODDS_KEY", "PREFECT_API_URL", "PATH"
    )
    assert (home, redis, key) == (str(odd), "unix:///s", "none")
    assert api == f"{server.url}/api"
    assert path == f"{settings.home.absolute()}/releases/current/.venv/bin:{os.environ['PATH']}"
    assert "k" * 32 not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "an address may hold a password"


def release(folder):
    return SimpleNamespace(python=Path(sys.executable), root=folder)


def test_a_worker_is_started_when_none_lives_and_then_left_alone(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(services, "own_code", lambda: {**os.environ, "PYTHONPATH": str(tmp_path)})
    (tmp_path / "prefect.py").write_text("import sys, time\nprint(sys.argv[1:], flush=True)\ntime.sleep(60)\n")
    started, popen = list[subprocess.Popen](), subprocess.Popen
    only_here(monkeypatch, subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    settings.home.mkdir()
    assert services.restart(settings, release(tmp_path)) == "started a worker"
    worker = orjson.loads((settings.home / "services.json").read_bytes())["worker"]
    try:
        # its command line can be read a moment after it was started
        until(lambda: kept.runs("prefect", worker), "the worker to run")
        assert services.restart(settings, release(tmp_path)) == "the worker goes on"
        assert orjson.loads((settings.home / "services.json").read_bytes())["worker"] == worker
    finally:
        ended = kept.stop(settings.home)
    assert f"prefect (process {worker})" in ended
    assert services.restart(settings, release(tmp_path)) == "started a worker"
    kept.stop(settings.home)
    assert len([each.wait(60) for each in started]) == 2
