"""A load's bytes sent again: the server must have the same to do, and errors must not pass for speed."""

from __future__ import annotations

import hiredis
import pytest

from backstop.store import stream
from benchmarks import redis_replay
from benchmarks.redis_load import ours
from benchmarks.redis_replay import replay, taking
from benchmarks.redis_rows import port_of, rows_of, server


@pytest.fixture(scope="module")
def own_server():
    with server("valkey") as client:
        yield client


def contents(client):
    read = {
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"string": client.get,
    }
    return {key: read[client.type(key)](key) for key in client.scan_iter()}


@pytest.mark.parametrize("kind", ["props", "features"])
@pytest.mark.parametrize("most", [stream.IN_FLIGHT_BYTES, 1000])
def test_what_is_sent_again_leaves_the_server_as_the_load_did(own_server, monkeypatch, kind, most):
    monkeypatch.setattr(redis_replay, "IN_FLIGHT_BYTES", most)
    own_server.flushall()
    recorder, writes = taking(port_of(own_server))
    ours(recorder, kind, rows_of(kind, 3000))
    recorder.close()
    loaded = contents(own_server)
    assert sum(len(value) for key, value in loaded.items() if f":{kind}:".encode() in key) >= 3000 / 14
    own_server.flushall()
    assert replay(port_of(own_server), writes) == sum(commands for _, commands in writes)
    assert contents(own_server) == loaded


@pytest.mark.parametrize(
    ("write", "error"),
    [
        ((b"*1\r\n$4\r\nNONE\r\n", 1), hiredis.ReplyError),
        ((b"*1\r\n$4\r\nQUIT\r\n", 2), ConnectionError),
    ],
)
def test_an_error_or_a_server_that_leaves_ends_the_replay(own_server, write, error):
    with pytest.raises(error):
        replay(port_of(own_server), [write])
