"""An address that cannot be read is a setting that is wrong, and its password stays out of the sentence."""

import asyncio

import pytest

from backstop.errors import ConfigurationError
from backstop.settings import Settings
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
