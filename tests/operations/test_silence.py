"""Connections that never ask are closed; those that are being answered, or were, are not."""

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

    def __init__(self):
        self.may = threading.Event()
        self.asked = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await self.echo(receive, send)
        elif scope["type"] == "http":
            self.asked.set()
            await asyncio.to_thread(self.may.wait, BOUND_S)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
            await send({"type": "http.response.body", "body": b"answered"})

    async def echo(self, receive, send):
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            if "text" in message:
                await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(silence, "REQUEST_S", PATIENCE_S)
    return App()


@pytest.fixture
def port(app):
    made = config(app, "127.0.0.1", 0)
    made.lifespan = "off"
    server = uvicorn.Server(made)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    app.may.set()
    server.should_exit = True
    thread.join(BOUND_S)
    assert not thread.is_alive()


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
