"""The API put together: parts that say how they do, an address that is open to all, a socket that is taken first."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pydantic import SecretStr

from backstop.api.parts import Component
from backstop.errors import ConfigurationError, UpstreamUnavailable
from backstop.settings import Settings
from deployments import api
from tests.operations.answering import Answering
from tests.operations.publishing import DAY, publish


def probed(house, name):
    parts = api.parts_of(house)

    async def ask():
        try:
            return await parts.probes[name]()
        finally:
            if parts.refresher is not None:
                await parts.refresher.close()

    return asyncio.run(ask())


def test_lake_and_ledger_count_what_they_hold(house):
    assert probed(house, "lake") == Component("ok", "Days with props in the lake: 0.")
    publish(house, DAY, players=2)
    assert probed(house, "ledger") == Component("ok", "Slates in the ledger: 1.")


def test_without_a_prefect_server_slates_are_served_and_refreshes_are_not_started(house, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "")
    assert api.parts_of(house).refresher is None
    assert probed(house, "prefect").status == "degraded"


def test_a_prefect_server_that_answers_is_well_and_one_that_does_not_is_a_sentence(house, monkeypatch):
    with Answering({("GET", "/api/health"): (200, True)}) as server:
        monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/api/")
        found = probed(house, "prefect")
        assert (found.status, found.more) == ("ok", {"url": f"{server.url}/api"})
        server.script["GET", "/api/health"] = (500, {})
        with pytest.raises(UpstreamUnavailable, match=r"refused GET /health with 500"):
            probed(house, "prefect")
    with pytest.raises(UpstreamUnavailable, match=r"does not answer .*; check that it runs and PREFECT_API_URL"):
        probed(house, "prefect")


@pytest.mark.parametrize(
    ("host", "keys", "is_open"),
    [
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("10.0.0.4", "", True),
        ("10.0.0.4", " , ", True),
        ("0.0.0.0", "a-key", False),
    ],
)
def test_an_address_of_other_machines_without_a_key_is_open(host, keys, is_open):
    secret = None if keys is None else SecretStr(keys)
    assert api.is_open(Settings(_env_file=None, api_host=host, api_keys=secret)) is is_open


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_an_address_is_listened_on_from_the_moment_it_is_taken(host):
    with api.listening(host, 0) as taken:
        port = taken.getsockname()[1]
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with socket.create_connection(taken.getsockname()[:2], timeout=5):
            pass
        with pytest.raises(ConfigurationError, match=f"{host}:{port} cannot be listened on: Address already in use"):
            api.listening(host, port)


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "192.0.2.1", "\x00"])
def test_an_address_that_is_none_of_this_machine_is_a_sentence_and_never_a_traceback(host):
    with pytest.raises(ConfigurationError, match=r"cannot be listened on: .*Choose another with --host and --port"):
        api.listening(host, 0)


def test_the_server_takes_no_large_message_logs_no_request_and_hides_its_name(house):
    config = api.config(api.create_app(api.parts_of(house)), "127.0.0.1", 0)
    assert (config.ws_max_size, config.access_log, config.server_header, config.proxy_headers) == (
        65_536,
        False,
        False,
        False,
    )
