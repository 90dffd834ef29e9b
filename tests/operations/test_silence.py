"""Connections that never ask or never read are closed; those that are being answered, or were, are not."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
import uvicorn
from websockets.sync.client import connect

from deployments import silence
from deployments.api import config
from tests.store.servers import wait_for

PATIENCE_S = 0.5
BOUND_S = 10
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWER = b"\r\n\r\nanswered"


class App:
    """Answers when it is let, and echoes what a WebSocket says."""

    body = b"answered"

    def __init__(self):
        self.may = threading.Event()
        self.asked = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await self.echo(receive, send)
        elif scope["type"] == "http":
            self.asked.set()
            await asyncio.to_thread(self.may.wait, BOUND_S)
            length = (b"content-length", b"%d" % len(self.body))
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            await send({"type": "http.response.body", "body": self.body})

    async def echo(self, receive, send):
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            if "text" in message:
                await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
def patience():
    return PATIENCE_S


@pytest.fixture
def app(monkeypatch, patience):
    monkeypatch.setattr(silence, "REQUEST_S", patience)
    return App()


@pytest.fixture
def server(app):
    made = config(app, "127.0.0.1", 0)
    made.lifespan = "off"
    server = uvicorn.Server(made)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield server
    app.may.set()
    server.should_exit = True
    thread.join(BOUND_S)
    assert not thread.is_alive()


@pytest.fixture
def port(server):
    return server.servers[0].sockets[0].getsockname()[1]


def opened(port):
    return socket.create_connection(("127.0.0.1", port), timeout=BOUND_S)


def received(line, end):
    """Return what came until something did, or until the connection was closed."""
    came = b""
    while not came.endswith(end) and (more := line.recv(1000)):
        came += more
    return came


def is_closed_after(line, said):
    try:
        line.sendall(said)
        return line.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HT", REQUEST[:-2]], ids=["nothing", "half a line", "half a head"])
def test_a_connection_that_never_asks_is_closed(port, app, said):
    with opened(port) as line:
        line.sendall(said)
        assert line.recv(1) == b""
    assert not app.asked.is_set()


def test_bytes_that_make_no_request_do_not_prolong_it(port, app):
    app.may.set()
    with opened(port) as line:
        line.sendall(REQUEST)
        assert received(line, ANSWER).endswith(ANSWER)
        line.settimeout(PATIENCE_S / 10)
        line.sendall(b"GET / HTTP/1.1\r\nX: ")
        wait_for(lambda: is_closed_after(line, b"x"))


def test_who_is_being_answered_is_kept_and_asks_again(port, app):
    with opened(port) as line, opened(port) as later, connect(f"ws://127.0.0.1:{port}/") as speaking:
        line.sendall(REQUEST)
        assert app.asked.wait(BOUND_S)
        with opened(port) as last:
            # all were opened before this one, whose time is up
            assert last.recv(1) == b""
        assert later.recv(1) == b""
        app.may.set()
        assert received(line, ANSWER).endswith(ANSWER)
        line.sendall(REQUEST)
        assert received(line, ANSWER).endswith(ANSWER)
        speaking.send("still here")
        assert speaking.recv(timeout=BOUND_S) == "still here"


def test_requests_that_come_together_are_answered_in_turn(port, app):
    app.may.set()
    with opened(port) as line:
        line.sendall(REQUEST * 3)
        came = b""
        while came.count(ANSWER) < 3:
            came += line.recv(1000)
        assert line.recv(1) == b""


@pytest.mark.parametrize("patience", [silence.REQUEST_S])
def test_an_idle_connection_outlives_the_60_s_for_which_proxies_keep_one(server, port, app):
    app.may.set()
    with opened(port) as line:
        line.sendall(REQUEST)
        assert received(line, ANSWER).endswith(ANSWER)
        (kept,) = server.server_state.connections
        wait_for(lambda: kept.timeout_keep_alive_task is not None)
        ends = [timer.when() for timer in (kept.timeout_keep_alive_task, kept._patience)]
        assert min(ends) - kept.loop.time() > 60


def answered(server):
    """Return the one connection, once its answer is on the way."""
    wait_for(lambda: any(each.cycle and each.cycle.response_complete for each in server.server_state.connections))
    (kept,) = server.server_state.connections
    return kept


def time_is_up(kept):
    done = threading.Event()
    kept.loop.call_soon_threadsafe(lambda: (kept._give_up(), done.set()))
    assert done.wait(BOUND_S)


@pytest.mark.parametrize("patience", [1000])
def test_who_reads_slowly_gets_everything_and_who_reads_nothing_is_cut_off(server, port, app):
    part = 4_000_000  # as much as Linux keeps for a reader at the most: what is read makes room for what is left
    app.body = b"." * 4 * part + ANSWER
    app.may.set()
    with opened(port) as slow:
        slow.sendall(REQUEST)
        kept = answered(server)
        for _ in range(4):
            left, unread = kept.transport.get_write_buffer_size(), part
            while unread and (more := slow.recv(unread)):
                unread -= len(more)
            wait_for(lambda left=left: kept.transport.get_write_buffer_size() < max(left, 1))
            time_is_up(kept)
        assert received(slow, ANSWER).endswith(ANSWER)
        assert slow.recv(1) == b""
    wait_for(lambda: not server.server_state.connections)
    with opened(port) as deaf:
        deaf.sendall(REQUEST)
        kept = answered(server)
        time_is_up(kept)
        assert kept in server.server_state.connections
        # more than once: what the kernel still takes counts as read
        wait_for(lambda: time_is_up(kept) or not server.server_state.connections)
