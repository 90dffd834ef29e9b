"""A Redis for the time of a command: the one that is named, or the home's own, ended by whoever started it."""

from __future__ import annotations

import pytest

from backstop.settings import Settings
from backstop.store import embedded
from backstop.store.connection import connect_url


@pytest.fixture
def settings(tmp_path):
    made = Settings(_env_file=None, home=tmp_path)
    yield made
    embedded.stop(tmp_path / "redis")


def test_a_redis_that_is_named_is_taken_and_none_is_started(settings):
    named = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with embedded.meanwhile(named) as given:
        assert given is named
    assert not (settings.home / "redis").exists()


def test_where_none_is_named_the_homes_own_runs_for_as_long_as_the_block_and_keeps_its_data(settings):
    for expected in (None, b"kept"):
        with embedded.meanwhile(settings) as given, connect_url(given.redis_url) as client:
            assert client.get("word") == expected
            client.set("word", "kept")
        assert not embedded.is_running(settings.home / "redis")
    assert settings.redis_url is None


def test_one_that_runs_already_is_shared_and_left_running(settings):
    url = embedded.ensure(settings.home / "redis")
    with embedded.meanwhile(settings) as given:
        assert given.redis_url == url
    assert embedded.is_running(settings.home / "redis")


def test_a_command_that_fails_leaves_no_server(settings):
    def fails():
        with embedded.meanwhile(settings):
            raise RuntimeError("no such day")

    with pytest.raises(RuntimeError, match="no such day"):
        fails()
    assert not embedded.is_running(settings.home / "redis")
