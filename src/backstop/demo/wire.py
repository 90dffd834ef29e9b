"""Faults on the wire: statuses, pages, and connections that break."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
import socket
import struct
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.types import Message, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from backstop.demo.dialects import savant, statsapi
from backstop.demo.dialects.theodds import Refusal
from backstop.demo.faults import Fault, Rule

PAGE: Final = (
    b"<!DOCTYPE html>\n<html><head><title>baseballsavant.com | 524: A timeout occurred</title></head>"
    b"<body><h1>A timeout occurred</h1><p>Error code 524</p></body></html>\n"
)
EVEN: Final = 0.5
TOO_MANY: Final = 429
CLOSED_WITHIN_S: Final = 5.0
PIECES: Final = 12
"""Into how many pieces a dripping body is cut."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that is open, and the event of its end."""

    transport: asyncio.Transport
    closed: asyncio.Event


OPEN: Final[dict[Any, Connection]] = {}
"""Connections by the address of their other end."""


class Protocol(H11Protocol):
    """HTTP as uvicorn speaks it, with connections that can be broken by who answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection."""
        super().connection_made(transport)
        OPEN[transport.get_extra_info("peername")] = Connection(transport, asyncio.Event())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if connection := OPEN.pop(self.transport.get_extra_info("peername"), None):
            connection.closed.set()


class Captured:
    """An application's answer, held back whole."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: Message) -> None:
        """Take a message of the application instead of the network."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


async def strike(rule: Rule, feed: str, scope: Scope, answer: Captured, send: Send, coin: float) -> None:
    """Send what a fault makes of an answer.

    Args:
        rule: The fault.
        feed: Whose words an error takes.
        scope: The request.
        answer: What would have been sent.
        send: To the network.
        coin: 0 to 1; decides between variants of a fault.
    """
    match rule.fault:
        case Fault.RESET:
            await reset(scope)
        case Fault.CUT_OFF:
            await _start(send, answer.status, answer.headers)
            await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
            await reset(scope)
        case Fault.WRONG_LENGTH:
            await _lie(scope, answer)
        case Fault.DRIP:
            await _drip(send, answer, rule.seconds)
        case Fault.SLOW:
            await asyncio.sleep(rule.seconds)
            await _whole(send, answer.status, answer.headers, answer.body)
        case _:
            status, headers, body = _instead(rule, feed, answer, coin)
            await _whole(send, status, headers, body)


async def reset(scope: Scope) -> None:
    """Break a request's connection so that the other end sees a reset."""
    connection = OPEN.get(tuple(scope["client"]))
    if connection is None:
        return
    sock = connection.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
    await _gone(connection)


def _instead(rule: Rule, feed: str, answer: Captured, coin: float) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body of an answer that stands in for the right one."""
    page = (b"content-type", b"text/html; charset=utf-8")
    kept = int(len(answer.body) * (0.3 + 0.6 * coin)) if rule.fault is Fault.SHORTENED else 0
    instead: tuple[int, list[tuple[bytes, bytes]], bytes] = (200, answer.headers, answer.body[:kept])
    match rule.fault:
        case Fault.RATE_LIMITED:
            until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=rule.seconds)
            pause = f"{rule.seconds:.0f}" if coin < EVEN else email.utils.format_datetime(until, usegmt=True)
            kind, body = _said(feed, TOO_MANY)
            instead = TOO_MANY, [kind, (b"retry-after", pause.encode())], body
        case Fault.ERROR:
            kind, body = _said(feed, 500)
            instead = 500, [kind], body
        case Fault.UNAVAILABLE:
            instead = (503 if coin < EVEN else 502), [page], PAGE
        case Fault.HTML:
            instead = 200, [page], PAGE
        case Fault.ERROR_COLUMN:
            instead = 200, [(b"content-type", b"application/download; charset=utf-8")], savant.QUERY_TIMEOUT
    return instead


def _said(feed: str, status: int) -> tuple[tuple[bytes, bytes], bytes]:
    """Return content type and body of an error in a feed's own words."""
    json = (b"content-type", b"application/json")
    if feed == "theodds":
        code = "EXCEEDED_FREQ_LIMIT" if status == TOO_MANY else "INTERNAL_ERROR"
        return json, orjson.dumps(Refusal(status, code, "Requests are too frequent. Please slow down.").body())
    if feed == "statsapi":
        return json, savant.BOM + orjson.dumps(statsapi.internal_error(dt.datetime.now(dt.UTC), "c0587282e9dc12cf"))
    return (b"content-type", b"text/html; charset=utf-8"), PAGE


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _whole(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    await _start(send, status, [*kept, (b"content-length", str(len(body)).encode())])
    await send({"type": "http.response.body", "body": body})


async def _drip(send: Send, answer: Captured, seconds: float) -> None:
    await _start(send, answer.status, answer.headers)
    size = max(1, -(-len(answer.body) // PIECES))
    for place in range(0, len(answer.body), size):
        await send({"type": "http.response.body", "body": answer.body[place : place + size], "more_body": True})
        await asyncio.sleep(seconds / PIECES)
    await send({"type": "http.response.body", "body": b""})


async def _lie(scope: Scope, answer: Captured) -> None:
    """Write an answer past the server's own checks: more body than its length says, then the end."""
    connection = OPEN.get(tuple(scope["client"]))
    if connection is None:
        return
    kept = [(name, value) for name, value in answer.headers if name != b"content-length"]
    claimed = max(0, len(answer.body) - max(1, len(answer.body) // 10))
    lines = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in kept), b"content-length: %d" % claimed]
    connection.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + answer.body)
    connection.transport.close()
    await _gone(connection)


async def _gone(connection: Connection) -> None:
    """Wait until a connection is closed, so that the server does not complain about an answer that never came."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(connection.closed.wait(), CLOSED_WITHIN_S)
