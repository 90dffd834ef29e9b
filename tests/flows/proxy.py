"""A feed between the flow and the demo upstream that spoils chosen answers and remembers what was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

SENT_ON = frozenset({"if-none-match", "if-modified-since", "x-api-key"})
PASSED_ON = ("content-type", "etag", "last-modified", "x-requests-remaining", "x-requests-used", "x-requests-last")
HTML = b"<!DOCTYPE html><html><head><title>Baseball</title></head><body>We are down for maintenance.</body></html>"


@dataclass(frozen=True)
class Reply:
    """An answer on its way back."""

    status: int
    headers: dict[str, str]
    body: bytes


Change = Callable[[Reply], Reply]


def body(of: Callable[[bytes], bytes]) -> Change:
    """Change the body; validators go, so that nobody takes the spoilt answer for the true one."""
    return lambda reply: Reply(reply.status, {"content-type": reply.headers.get("content-type", "")}, of(reply.body))


WEB_PAGE = Reply(200, {"content-type": "text/html"}, HTML)
DOWN = Reply(503, {"content-type": "text/plain"}, b"Service Unavailable")


def csv(content: bytes) -> Reply:
    return Reply(200, {"content-type": "text/csv"}, content)


@dataclass
class _Rule:
    part: str
    change: Change | Reply
    times: int | None
    one: bool
    target: str | None = None

    def strikes(self, target: str) -> bool:
        if self.part not in target or self.times == 0:
            return False
        self.target = self.target or target
        if self.one and self.target != target:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass
class Proxy:
    """Forwards to `upstream` on loopback; without one it answers 404 before its rules speak.

    Attributes:
        upstream: Base address of the true server.
        asked: Path and query of every request, in order.
        keys: What came as `x-api-key`.
    """

    upstream: str | None
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spoil(self, part: str, change: Change | Reply, *, times: int | None = None, one: bool = False) -> None:
        """Change answers to requests whose path and query contain `part`, so many times or always.

        A fixed reply is given without asking upstream. With `one`, only the first such request and its repetitions.
        """
        self._rules.append(_Rule(part, change, times, one))

    def count(self, part: str = "") -> int:
        """Return how many requests contained `part`."""
        return sum(part in each for each in self.asked)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        with self._lock:
            self.asked.append(target)
            self.keys |= {value for name, value in headers.items() if name == "x-api-key"}
            rules = [rule for rule in self._rules if rule.strikes(target)]
        fixed = [rule.change for rule in rules if isinstance(rule.change, Reply)]
        reply = fixed[0] if fixed else self._forward(target, headers if not rules else {})
        for rule in rules:
            reply = reply if isinstance(rule.change, Reply) else rule.change(reply)
        return reply

    def _forward(self, target: str, headers: dict[str, str]) -> Reply:
        if self.upstream is None:
            return Reply(404, {}, b"nothing here")
        sent = {name: value for name, value in headers.items() if name in SENT_ON}
        answer = self._client.get(self.upstream + target, headers={"accept-encoding": "identity", **sent})
        kept = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return Reply(answer.status_code, kept, answer.content)

    def __enter__(self) -> Self:
        self._client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            reply = proxy.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 304:
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Tests report by assertions."""

    return Handler
