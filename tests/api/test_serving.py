from __future__ import annotations

import socket

import pytest

from backstop.errors import ConfigurationError
from deployments.api import listening


def test_the_second_half_of_an_answer_does_not_wait_for_the_first_to_be_acknowledged():
    with listening("127.0.0.1", 0) as taken, socket.create_connection(taken.getsockname()):
        accepted, _ = taken.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_that_is_taken_is_refused_with_what_to_choose():
    with listening("127.0.0.1", 0) as taken, pytest.raises(ConfigurationError, match="--port"):
        listening(*taken.getsockname())
