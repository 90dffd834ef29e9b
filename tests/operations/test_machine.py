"""One machine's servers: which upstream is one, whose home is whose, what a flow is told by its environment."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest
from pydantic import SecretStr

from backstop.errors import ConfigurationError, StoreUnavailable, UpstreamUnavailable
from backstop.settings import Settings
from backstop.store import embedded
from deployments import kept, machine
from deployments.server import PrefectServer
from tests.store.servers import deaf_port


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home")


def asked(settings, upstream):
    machine.check_upstream(settings.model_copy(update={"upstream": upstream}))


@pytest.mark.parametrize("kind", ["live", "demo", "recorded:.", "replay:.", "recorded:/"])
def test_an_upstream_that_is_known_is_taken(settings, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked(settings, kind)


@pytest.mark.parametrize(
    "upstream",
    ["", "live:", "demo:", "demo:2025", "Demo", "demon", "live ", "recorded", "recorded:", "replay", "http:"],
)
def test_what_only_looks_like_an_upstream_is_refused_with_the_list_of_them(settings, upstream):
    with pytest.raises(ConfigurationError, match="is not an upstream; expected live, demo, recorded:DIR, replay:DIR"):
        asked(settings, upstream)


@pytest.mark.parametrize("kind", ["recorded", "replay"])
def test_a_folder_that_is_not_there_or_is_a_file_is_refused_by_its_name(settings, kind, tmp_path):
    (tmp_path / "file").touch()
    for where in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(ConfigurationError, match=rf"'{where}' is not a folder; {kind}:DIR names one that exists"):
            asked(settings, f"{kind}:{where}")


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", ".."])
def test_a_name_that_cannot_even_be_looked_up_is_somebody_who_does_not_answer(settings, host):
    with pytest.raises(UpstreamUnavailable, match=r"Nobody answers at http://.*mend the address"):
        asked(settings, f"http://{host}")


def test_an_address_is_taken_when_somebody_listens_there_and_not_after_he_has_gone(settings):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        asked(settings, address)
    with pytest.raises(UpstreamUnavailable, match=f"Nobody answers at {address} .*refused") as raised:
        asked(settings, address)
    assert raised.value.source == address


def test_only_the_simulated_league_has_a_home_of_its_own_and_one_season(settings):
    league = machine.own_home(settings.model_copy(update={"upstream": "demo"}))
    assert (league.home, league.history_first_season) == (settings.home / "demo", 2025)
    for other in ("live", "recorded:x", "replay:x", "http://127.0.0.1:1"):
        elsewhere = settings.model_copy(update={"upstream": other})
        assert machine.own_home(elsewhere) is elsewhere


@pytest.fixture
def environment(monkeypatch):
    """An environment that may be written into."""
    for name in [name for name in os.environ if name.startswith(("BACKSTOP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    for name in (
        "PREFECT_API_URL",
        *machine.QUIET_PREFECT,
        *(f"BACKSTOP_{each.upper()}" for each in Settings.model_fields),
    ):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def test_a_flow_reads_from_its_environment_the_very_settings_that_it_was_given(settings, environment):
    given = settings.model_copy(
        update={
            "redis_url": "redis://:p%20w@127.0.0.1:6379/0",
            "theodds_key": SecretStr("s3cret"),
            "odds_alternates": True,
        }
    )
    machine.export(given, PrefectServer("http://127.0.0.1:4200/api", None))
    assert Settings(_env_file=None) == given
    assert os.environ["BACKSTOP_THEODDS_KEY"] == "s3cret"
    assert "BACKSTOP_LEDGER_URL" not in os.environ, "what is unset stays unset"
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"


def test_what_somebody_set_of_prefects_own_logging_is_left_as_he_set_it(settings, environment):
    environment.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "DEBUG")
    machine.export(settings, PrefectServer("http://127.0.0.1:4200/api", None))
    assert os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_CLI_PROMPT"] == "false"


def test_a_redis_with_an_address_must_answer_and_is_never_started(settings, embedded_url):
    with contextlib.ExitStack() as stack:
        there = settings.model_copy(update={"redis_url": embedded_url})
        assert machine._redis(there, stack, None) is there
        gone = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{stack.enter_context(deaf_port())}/0"})
        with pytest.raises(StoreUnavailable):
            machine._redis(gone, stack, None)
    assert not settings.home.exists()


@pytest.mark.parametrize("keep", [True, False])
def test_a_redis_that_was_started_is_stopped_with_the_run_or_noted(settings, keep):
    with contextlib.ExitStack() as stack:
        found = machine._redis(settings, stack, settings.home if keep else None)
        assert found.redis_url.startswith("unix:")
        assert embedded.is_running(settings.home / "redis")
    assert embedded.is_running(settings.home / "redis") is keep
    assert kept.stop(settings.home) == ([f"Redis under {settings.home / 'redis'}"] if keep else [])
    assert not embedded.is_running(settings.home / "redis")


def test_a_prefect_server_that_is_named_is_used_and_not_stopped(settings, environment):
    environment.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api/")
    with contextlib.ExitStack() as stack:
        found = machine._prefect(settings, stack, None)
    assert (found.api_url, found.pid, found.ui_url) == ("http://127.0.0.1:4200/api", None, "http://127.0.0.1:4200")
    found.stop()


@pytest.mark.parametrize("upstream", ["live", "replay:.", "http://127.0.0.1:1"])
def test_nothing_is_started_for_feeds_that_are_somewhere_else(settings, upstream):
    elsewhere = settings.model_copy(update={"upstream": upstream})
    with contextlib.ExitStack() as stack:
        assert machine._upstream(elsewhere, stack, None) is elsewhere
