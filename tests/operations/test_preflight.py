"""What a deployment asks before it changes anything: each question passes once and fails once."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from backstop.lake.ledger import Ledger
from backstop.settings import Settings
from deployments import preflight as asking
from deployments.preflight import preflight


@pytest.fixture
def settings(tmp_path, embedded_url, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Ledger.connect(url).close()
    return Settings(home=tmp_path / "home", redis_url=embedded_url, ledger_url=url, upstream="demo", api_port=_free())


def ask(settings, environment="production"):
    return {each.name: each for each in preflight(environment, settings)}


def test_development_needs_nothing_that_it_can_start_itself(settings):
    checks = ask(settings.model_copy(update={"redis_url": None, "ledger_url": None}), "development")
    assert [each.name for each in checks.values() if not each.passed] == []


def test_production_needs_addresses_of_its_servers(settings):
    bare = settings.model_copy(update={"redis_url": None, "ledger_url": None})
    checks = ask(bare)
    for name, variable in {
        "redis": "BACKSTOP_REDIS_URL",
        "database": "BACKSTOP_LEDGER_URL",
        "prefect": "PREFECT_API_URL",
    }.items():
        assert not checks[name].passed
        assert variable in checks[name].said


def test_production_needs_the_key_of_the_priced_feed_when_feeds_are_live(settings):
    live = settings.model_copy(update={"upstream": "live"})
    assert "BACKSTOP_THEODDS_KEY is not set" in ask(live)["secrets"].said
    with_key = Settings(**{**live.model_dump(), "theodds_key": "a-secret-word"})
    assert ask(with_key)["secrets"].passed
    assert "a-secret-word" not in str(ask(with_key))


def test_a_relative_home_is_refused_in_production(settings):
    from pathlib import Path

    assert not ask(settings.model_copy(update={"home": Path(".backstop")}))["home"].passed
    assert ask(settings)["home"].passed


def test_a_disk_that_is_nearly_full_is_refused(settings, monkeypatch):
    assert ask(settings)["disk"].passed
    monkeypatch.setitem(asking.DISK_GB, "production", 1e9)
    assert "are needed" in ask(settings)["disk"].said
    assert not ask(settings)["disk"].passed


def test_a_redis_that_does_not_answer_is_named_without_its_password(settings):
    checks = ask(settings.model_copy(update={"redis_url": f"redis://:word@127.0.0.1:{_free()}/0"}))
    assert not checks["redis"].passed
    assert "word" not in checks["redis"].said
    assert ask(settings)["redis"].passed


def test_a_database_that_does_not_answer_is_refused(settings):
    checks = ask(settings.model_copy(update={"ledger_url": f"postgresql://backstop@127.0.0.1:{_free()}/none"}))
    assert not checks["database"].passed


def test_a_schema_of_a_later_release_is_refused(settings):
    assert ask(settings)["database"].passed
    engine = sa.create_engine(settings.ledger_url)
    with engine.begin() as connection:
        connection.execute(sa.text("update ledger_version set version_num = '9999'"))
    engine.dispose()
    check = ask(settings)["database"]
    assert not check.passed
    assert "9999" in check.said


def test_an_upstream_that_nobody_serves_is_refused(settings):
    assert not ask(settings.model_copy(update={"upstream": f"http://127.0.0.1:{_free()}"}))["upstream"].passed


@pytest.mark.parametrize(("version", "passed"), [("3.8.2", True), ("3.9.0", False), ("2.20.1", False)])
def test_the_prefect_server_must_have_our_minor_version(settings, monkeypatch, version, passed):
    with _server(f'"{version}"') as url:
        monkeypatch.setenv("PREFECT_API_URL", f"{url}/api")
        check = ask(settings)["prefect"]
    assert check.passed is passed
    assert version in check.said


def test_the_port_of_the_api_is_free_or_ours(settings):
    def at(port):
        return ask(settings.model_copy(update={"api_port": int(port)}))["port"].passed

    assert at(_free())
    with _server("some other program") as url:
        assert not at(url.rpartition(":")[2])
    with _server('{"status": "ok"}') as url:
        assert at(url.rpartition(":")[2])


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _server:  # noqa: N801 - used like a function
    """Answers every GET with one text."""

    def __init__(self, text):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                """Tests report by assertions."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
