"""An address that cannot be read is a setting that is wrong, and its password stays out of the sentence."""

import asyncio

import pytest

from backstop.errors import ConfigurationError
from backstop.settings import Settings
from backstop.store import connection
from backstop.store.connection import connect_async, connect_url

UNREADABLE = [
    "redis://127.0.0.1:notaport",
    "redis://127.0.0.1:99999",
    "redis://127.0.0.1:6379?db=first",
    "redis://127.0.0.1:6379?colour=red",
    "redis+cluster://127.0.0.1:notaport",
    "redis+cluster://127.0.0.1:99999",
    "redis+sentinel://127.0.0.1:26379",
    "redis+sentinel://127.0.0.1:99999/slates",
    "redis+cluster://[127.0.0.1",
    "redis+cluster://127.0.0.1:6379,[]:6379",
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_an_address_that_cannot_be_read_is_quoted(url):
    with pytest.raises(ConfigurationError) as refused:
        connect_url(url)
    assert "127.0.0.1" in refused.value.message


@pytest.mark.parametrize("url", UNREADABLE)
def test_so_it_is_for_asyncio(url, tmp_path):
    with pytest.raises(ConfigurationError):
        asyncio.run(connect_async(Settings(home=tmp_path, redis_url=url, _env_file=None)))


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_the_password_is_not_quoted(scheme):
    with pytest.raises(ConfigurationError) as refused:
        connect_url(f"{scheme}://user:secret/word@127.0.0.1:6379")
    assert "secret" not in refused.value.message
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("places", "hosts"),
    [
        ("one", [("one", 6379)]),
        ("one:1,two:2", [("one", 1), ("two", 2)]),
        ("user:pass@one:1,two", [("one", 1), ("two", 6379)]),
        ("[::1]:7000,[fe80::2]", [("::1", 7000), ("fe80::2", 6379)]),
        ("u:p@[::1]:7000", [("::1", 7000)]),
    ],
)
def test_hosts_are_read_with_their_ports_also_where_the_address_has_colons_of_its_own(places, hosts):
    assert connection._hosts(f"redis+cluster://{places}", 6379) == hosts


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("redis+cluster://a:1", {}),
        ("redis+cluster://:p%40ss@a:1", {"password": "p@ss"}),
        (
            "rediss+cluster://u:p@a:1?ssl_cert_reqs=none",
            {"username": "u", "password": "p", "ssl": True, "ssl_cert_reqs": "none"},
        ),
        ("redis+sentinel://us%3Aer@a:1/s", {"username": "us:er"}),
    ],
)
def test_user_password_and_tls_are_read_off_an_address_of_several_hosts(url, login):
    assert connection._login(url) == login


@pytest.mark.parametrize(
    ("path", "service"), [("slates", ("slates", 0)), ("slates/3", ("slates", 3)), ("slates/", ("slates", 0))]
)
def test_a_sentinel_address_names_service_and_database(path, service):
    assert connection._service(f"redis+sentinel://a:1/{path}") == service


@pytest.mark.parametrize(
    "path", ["", "/", "slates/first", "slates/²", "slates/-1", f"slates/{'9' * 5000}"], ids=lambda path: path[:12]
)
def test_a_sentinel_address_without_a_service_is_refused_with_an_example(path):
    with pytest.raises(ConfigurationError, match=r"names no service; expected redis.sentinel://host:26379"):
        connection._service(f"redis+sentinel://a:1/{path}")


@pytest.mark.parametrize("port", ["²", "0", "65536", "-1", "", "1_0", "9" * 5000], ids=lambda port: port[:8])
def test_a_port_that_cannot_be_is_refused_and_not_a_traceback(port):
    with pytest.raises(ConfigurationError, match="names a host that cannot be read; expected host:port,host:port"):
        connection._hosts(f"redis+cluster://a:1,b:{port}", 6379)
