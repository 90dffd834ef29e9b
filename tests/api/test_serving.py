from __future__ import annotations

import socket

import pytest

from backstop.errors import ConfigurationError
from backstop.settings import Settings
from deployments.api import is_open, listening


def test_the_second_half_of_an_answer_does_not_wait_for_the_first_to_be_acknowledged():
    with listening("127.0.0.1", 0) as taken, socket.create_connection(taken.getsockname()):
        accepted, _ = taken.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_that_is_taken_is_refused_with_what_to_choose():
    with listening("127.0.0.1", 0) as taken, pytest.raises(ConfigurationError, match="--port"):
        listening(*taken.getsockname())


@pytest.mark.parametrize(
    ("host", "keys", "is_told"),
    [
        ("127.0.0.1", None, False), ("localhost", None, False), ("0.0.0.0", None, True), ("::", " , ", True),
        ("0.0.0.0", "one", False),
    ],
)  # fmt: skip
def test_whoever_serves_others_without_a_key_is_told_so(host, keys, is_told):
    assert is_open(Settings(api_host=host, api_keys=keys)) is is_told
