"""What this machine asks on behalf of a setting: the public internet, and what was named on purpose."""

from __future__ import annotations

import asyncio
import re
import socket

import httpx
import pytest
from pydantic import ValidationError

from backstop.clock import FixedClock
from backstop.errors import BackstopError, ConfigurationError, UpstreamRefused
from backstop.net import address
from backstop.net.client import Fetcher
from backstop.net.item import Item, Secret
from backstop.net.retry import RetryTerms
from backstop.net.secrets import may_have_keys, require_key
from backstop.settings import Feed, Settings
from deployments import apply as applying
from deployments import machine
from tests.here import only_here
from tests.net.server import FaultServer, Say, on_loop

ONCE = RetryTerms(attempts=1, first_wait_s=0.001, longest_wait_s=0.002, jitter_s=0.001)
EVENTS = Item(Feed.THEODDS, "core_events", "2025-06-15", "/v4/events", secret=Secret.QUERY_API_KEY)
GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule")
PLAYERS = Item(Feed.SPORTRADAR, "core_players", "x", "/mlb/profile.json", secret=Secret.HEADER_X_API_KEY)
KEY = "0ddba11c0ffee0ddba11c0ffee0ddba1"

ELSEWHERE = {
    "metadata of a cloud": "http://169.254.169.254/latest/meta-data",
    "link-local of IPv6": "http://[fe80::1]",
    "metadata in IPv6's clothes": "http://[::ffff:169.254.169.254]",
    "metadata through a translator": "http://[64:ff9b::a9fe:a9fe]",
    "metadata through a translator of one's own": "http://[64:ff9b:1::a9fe:a9fe]",
    "metadata through 6to4": "http://[2002:a9fe:a9fe::1]",
    "metadata in the old way of IPv6": "http://[::169.254.169.254]",
    "site-local of IPv6": "http://[fec0::1]",
    "private network": "http://10.0.0.5:9000",
    "home network": "https://192.168.1.1",
    "unique local of IPv6": "http://[fd00:ec2::254]",
    "carrier's network": "http://100.100.100.200",
    "any address": "http://0.0.0.0:6379",
    "multicast": "http://224.0.0.1",
}
NO_ADDRESS = {
    "a file": "file:///etc/passwd",
    "a Redis": "redis://127.0.0.1:6379",
    "gopher": "gopher://127.0.0.1:6379/_INFO",
    "no scheme": "baseballsavant.mlb.com",
    "no host": "https://",
    "a name and a password": "https://user:geheim@statsapi.mlb.com",
    "a query": "https://statsapi.mlb.com/?apiKey=geheim",
    "a line end": "https://statsapi.mlb.com/\r\nHost: x",
}


def made(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize("url", [*ELSEWHERE.values(), *NO_ADDRESS.values()], ids=[*ELSEWHERE, *NO_ADDRESS])
@pytest.mark.parametrize(
    "name", ["upstream", "savant_url", "statsapi_url", "theodds_url", "sportradar_url", "chadwick_url"]
)
@on_loop
async def test_an_address_that_is_none_or_not_public_opens_no_fetcher(name: str, url: str, clock: FixedClock) -> None:
    if name == "upstream" and not re.match("https?://.", url):  # no upstream at all: the settings refuse it
        with pytest.raises(ValidationError, match="is not an upstream"):
            made(**{name: url})
        return
    settings = made(**{name: url})
    with pytest.raises(ConfigurationError) as refused:
        async with Fetcher(settings, clock=clock):
            pass
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://[::1]:8000",
        "https://1.1.1.1",
        "https://[2606:4700::1111]",
        "https://[64:ff9b::808:808]",
        "https://[2002:808:808::1]",
    ],
)
def test_loopback_that_says_so_and_the_public_internet_may_be_asked(url: str) -> None:
    address.require(url, made())


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_host_that_is_listed_may_be_anywhere(url: str) -> None:
    host = httpx.URL(url).host
    address.require(url, made(private_hosts=f"other.example, {host}"))
    with pytest.raises(ConfigurationError, match="BACKSTOP_PRIVATE_HOSTS"):
        address.require(url, made(private_hosts="other.example"))


@pytest.fixture
def misled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers every name with this machine."""
    real = asyncio.BaseEventLoop.getaddrinfo

    async def lookup(loop, host, port, **more):
        return await real(loop, "127.0.0.1" if host == "feeds.example" else host, port, **more)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)


@pytest.mark.usefixtures("misled")
@on_loop
async def test_a_name_that_leads_to_this_machine_is_not_asked_unless_it_is_listed(
    server: FaultServer, clock: FixedClock
) -> None:
    settings = made(statsapi_url=f"http://feeds.example:{server.port}")
    async with Fetcher(settings, clock=clock, retry_terms=ONCE) as fetcher:
        with pytest.raises(ConfigurationError, match=r"feeds\.example.*on this machine; nothing was sent"):
            await fetcher.fetch(GAMES)
    assert server.heard == []
    listed = settings.model_copy(update={"private_hosts": "Feeds.Example"})
    async with Fetcher(listed, clock=clock, retry_terms=ONCE) as fetcher:
        assert (await fetcher.fetch(GAMES)).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@on_loop
async def test_a_redirect_is_not_followed_to_another_host_nor_round_in_a_circle(
    server: FaultServer, settings: Settings, clock: FixedClock, status: int
) -> None:
    with FaultServer() as other:
        server.on(GAMES.path, Say(status=status, headers=(("Location", f"{other.url}/api/v1/schedule"),)))
        server.on(EVENTS.path, Say(status=status, headers=(("Location", EVENTS.path),)))
        async with Fetcher(settings, clock=clock) as fetcher:
            for item in (GAMES, EVENTS):
                with pytest.raises(UpstreamRefused, match=str(status)):
                    await fetcher.fetch(item)
        assert other.heard == []
    assert sorted(server.paths()) == sorted([GAMES.path, EVENTS.path])


def test_a_key_goes_to_the_feeds_own_host_to_one_set_for_it_alone_and_to_this_machine() -> None:
    assert may_have_keys(made())
    assert may_have_keys(made(theodds_url="https://proxy.example"))
    assert may_have_keys(made(upstream="http://127.0.0.1:8000"))
    assert not may_have_keys(made(upstream="https://upstream.example"))
    assert not may_have_keys(made(upstream="http://upstream", private_hosts="upstream"))


@pytest.mark.usefixtures("misled")
@on_loop
async def test_a_server_that_stands_in_for_all_feeds_elsewhere_gets_no_key(
    server: FaultServer, clock: FixedClock
) -> None:
    settings = made(
        upstream=f"http://feeds.example:{server.port}",
        private_hosts="feeds.example",
        theodds_key=KEY,
        sportradar_key=KEY,
    )
    async with Fetcher(settings, clock=clock, retry_terms=ONCE) as fetcher:
        for item in (EVENTS, PLAYERS):
            await fetcher.fetch(item)
    assert len(server.heard) == 2
    assert not [heard for heard in server.heard if KEY in heard.target or KEY in str(heard.headers)]


def test_a_key_is_not_sent_in_clear_except_on_this_machine_or_where_it_is_meant() -> None:
    with pytest.raises(ConfigurationError, match="in clear") as refused:
        require_key(EVENTS, made(theodds_url="http://api.the-odds-api.com", theodds_key=KEY))
    assert KEY not in str(refused.value)
    require_key(EVENTS, made(theodds_url="http://localhost:8000", theodds_key=KEY))
    require_key(EVENTS, made(theodds_url="http://proxy.lan", private_hosts="proxy.lan", theodds_key=KEY))
    require_key(EVENTS, made(theodds_key=KEY))


@pytest.mark.parametrize("url", [*ELSEWHERE.values(), "file:///etc/passwd"], ids=[*ELSEWHERE, "a file"])
def test_a_webhook_at_such_an_address_is_refused_before_prefect_hears_of_it(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_NOTIFY_URL", url)
    with pytest.raises(ConfigurationError):
        asyncio.run(applying._webhook())


@pytest.mark.usefixtures("misled")
def test_what_a_webhooks_name_leads_to_is_judged_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.blocks.webhook import Webhook

    real = socket.getaddrinfo
    only_here(monkeypatch, socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more))
    saved = Webhook(url="http://feeds.example/hook", allow_private_urls=False)
    with pytest.raises(ValueError, match="private address"):
        asyncio.run(saved.call({"text": "late"}))


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://10.0.0.5:9000"])
def test_a_run_refuses_such_an_upstream_before_it_connects(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only_here(monkeypatch, socket, "create_connection", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(BackstopError, match="BACKSTOP_PRIVATE_HOSTS"):
        machine.check_upstream(made(upstream=url))
