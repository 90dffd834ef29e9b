"""What preflight says of versions, homes, keys and servers that are nearly right, and that it always says something."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from importlib import metadata

import pytest

from backstop.lake import database
from backstop.settings import Settings
from deployments import preflight as asking
from deployments.preflight import preflight
from tests.here import only_here
from tests.operations.answering import Answering


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return Settings(_env_file=None, home=tmp_path / "home", upstream="demo", api_port=0)


def answer(name, settings, environment="production"):
    (found,) = [each for each in preflight(environment, settings) if each.name == name]
    return found


@pytest.mark.parametrize(
    ("package", "version", "passed"),
    [
        ("fastapi", "0.150.9", True),
        ("fastapi", "0.151", False),
        ("fastapi", "1.0", False),
        ("sqlalchemy", "2.0.99", True),
        ("sqlalchemy", "2.1.0b1", False),
        ("polars", "99.0", True),
    ],
)
def test_packages_on_which_prefect_fails_are_refused_by_their_number(settings, monkeypatch, package, version, passed):
    ours = metadata.version
    only_here(monkeypatch, metadata, "version", lambda name: version if name == package else ours(name))
    found = answer("versions", settings)
    assert found.passed is passed
    assert version in found.said
    assert passed or f"has one below {asking.CAPS[package]}" in found.said


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("3.8.2", (3, 8, 2)),
        ("3.8.2+4.gabc", (3, 8, 2)),
        ("7.2.4.1", (7, 2, 4)),
        ("8", (8,)),
        ("dev", (0,)),
        ("", (0,)),
    ],
)
def test_a_version_is_compared_by_its_numbers(version, numbers):
    assert asking._numbers(version) == numbers


def test_a_home_that_is_a_file_or_lies_in_one_is_called_a_file(settings, tmp_path):
    (tmp_path / "file").touch(mode=0o777)
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        found = answer("home", settings.model_copy(update={"home": home, "upstream": "live"}))
        assert not found.passed
        assert found.said.startswith(f"{tmp_path / 'file'} is a file; name a folder")


def test_a_home_that_is_still_to_be_made_is_judged_by_the_folder_that_is_there(settings, tmp_path, monkeypatch):
    deep = settings.model_copy(update={"home": tmp_path / "a" / "b", "upstream": "live"})
    assert answer("home", deep).said == str(tmp_path / "a" / "b")
    only_here(monkeypatch, os, "access", lambda *_: False)
    assert answer("home", deep).said.startswith(f"{tmp_path} cannot be written by this account")
    assert not (tmp_path / "a").exists(), "asking makes nothing"


class Info:
    """A Redis that tells of itself."""

    def __init__(self, **told):
        self.told, self.closed = told, False

    def info(self, _):
        return self.told

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("told", "passed", "said"),
    [
        ({"redis_version": "6.2.0"}, True, "version 6.2.0 answers"),
        ({"redis_version": "6.0.16"}, False, "Redis is 6.0.16; 6.2 or later is needed."),
        ({"redis_version": "7.2.4", "valkey_version": "8.1.0"}, True, "version 8.1.0 answers"),
        ({"redis_version": "10.0"}, True, "version 10.0 answers"),
    ],
)
def test_a_redis_must_have_the_commands_that_the_store_uses(settings, monkeypatch, told, passed, said):
    client = Info(**told)
    monkeypatch.setattr(asking.connection, "connect", lambda _: client)
    found = answer("redis", settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    assert (found.passed, found.said, client.closed) == (passed, said, True)


@pytest.mark.parametrize(("url", "told"), [(None, "a local server"), ("", "a local server")])
def test_development_starts_a_prefect_server_where_none_is_named(settings, monkeypatch, url, told):
    if url is not None:
        monkeypatch.setenv("PREFECT_API_URL", url)
    found = answer("prefect", settings, "development")
    assert found.passed
    assert found.said.startswith(told)
    assert not answer("prefect", settings).passed


@pytest.mark.parametrize(
    ("reply", "said"), [((404, {}), "404"), ((200, b"<html>"), "does not answer"), ((500, {}), "500")]
)
def test_what_is_no_prefect_server_does_not_answer_in_one_line(settings, monkeypatch, reply, said):
    with Answering({("GET", "/api/admin/version"): reply}) as server:
        monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/api/")
        found = answer("prefect", settings)
    assert not found.passed
    assert said in found.said
    assert "\n" not in found.said


def test_a_market_that_is_misspelt_is_told_before_it_ends_every_refresh(settings):
    assert answer("upstream", settings.model_copy(update={"odds_markets": "batter_hits"})).passed
    found = answer("upstream", settings.model_copy(update={"odds_markets": "batter_hits,batter_hit"}))
    assert not found.passed
    assert found.said.startswith(
        "BACKSTOP_ODDS_MARKETS: 'batter_hit' is not a market that is projected; the markets are"
    )


def test_keys_are_asked_for_only_where_feeds_are_live(settings):
    live = settings.model_copy(update={"upstream": "live"})
    assert answer("secrets", settings).said == "none needed by demo"
    assert "slates have no prices" in answer("secrets", live, "development").said
    both = Settings(_env_file=None, upstream="live", theodds_key="k" * 9, sportradar_key="s" * 9)
    assert answer("secrets", both).said == "BACKSTOP_THEODDS_KEY is set, BACKSTOP_SPORTRADAR_KEY is set"


def test_a_ledger_that_nobody_opened_yet_will_be_brought_to_the_newest_migration(settings, tmp_path):
    fresh = settings.model_copy(update={"ledger_url": f"sqlite:///{tmp_path / 'ledger.sqlite'}"})
    assert answer("database", fresh).said == f"answers, schema will be brought from nothing to {database.HEAD}"
    assert answer("database", settings, "development").said.startswith("SQLite, made when it is needed")


@contextlib.contextmanager
def listening(greeting):
    """Somebody who says his greeting to whoever connects, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    line.sendall(greeting)
                    line.close()

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize("greeting", [b"", b"+PONG\r\n", b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe"])
def test_a_port_is_taken_by_whatever_speaks_there_and_is_not_backstop(settings, greeting):
    with listening(greeting) as port:
        found = answer("port", settings.model_copy(update={"api_port": port}))
    assert not found.passed
    assert found.said == f"Port {port} is taken by something that is not Backstop; end it, or choose another port."
