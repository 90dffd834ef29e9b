"""The room of the live line: no more readers than it has, however they come; none loses his stream to one who left."""

from __future__ import annotations

import contextlib
import datetime as dt
import resource
import signal

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from backstop.api import live
from backstop.api.stream import Stream
from deployments.api import make_room
from tests.api.serving import DAY, parts_over, publish, serving
from tests.api.test_live import address, take
from tests.store.servers import Server, wait_for


def test_readers_who_come_while_redis_hangs_are_no_more_than_there_is_room_for(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "READERS", 2)
    with Server(tmp_path / "redis") as server, serving(parts_over(server.url)) as api, contextlib.ExitStack() as opened:
        server.process.send_signal(signal.SIGSTOP)
        try:
            sockets = [opened.enter_context(connect(address(api))) for _ in range(5)]
            greeted, refused = [], []
            for socket in sockets:
                try:
                    assert take(socket)["type"] == "hello"
                    greeted.append(socket)
                except ConnectionClosed as closed:
                    refused.append(closed.rcvd.code)
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert (len(greeted), refused) == (2, [live.TRY_LATER] * 3)
        greeted[0].close()
        wait_for(lambda: api.app.state.hub._taken < 2)
        with connect(address(api)) as socket:
            assert take(socket)["type"] == "hello"


def test_one_who_leaves_a_stream_that_is_forgotten_takes_nobody_elses_with_him(api, redis, frames, meta):
    hub = api.app.state.hub
    later = DAY + dt.timedelta(days=1)
    with connect(address(api).replace(str(DAY), str(later))) as socket:
        assert take(socket)["state"] == "missing"
        # a slow reader's end: his stream was forgotten meanwhile, and there is a new one for those who came after
        loop = hub.streams[later].worker.get_loop()
        loop.call_soon_threadsafe(hub._tidy, Stream(later))
        publish(redis, frames, day=later, run_id="r2", meta=meta)
        assert take(socket, "flip")["version"] == 1


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((1024, 524_288), 6000),
        ((1024, resource.RLIM_INFINITY), 6000),
        ((1024, 4096), 4096),
        ((20_000, 20_000), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_the_server_may_have_as_many_files_open_as_readers_may_come(monkeypatch, limits, expected):
    changed = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: changed.append(pair))
    make_room()
    assert changed == ([] if expected is None else [(expected, limits[1])])
