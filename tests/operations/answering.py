"""A server on loopback that says JSON by method and path, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Answering:
    """Answers by a script; a path without one is not found.

    Attributes:
        script: (status, body) by (method, path), or a list of them of which the last repeats. A body that is bytes is
            sent as it is.
        asked: What was asked so far: method, path, JSON body.
    """

    def __init__(self, script: dict[tuple[str, str], Any] | None = None) -> None:
        self.script = script or {}
        self.asked: list[tuple[str, str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.asked.append((self.command, self.path, json.loads(body or "null")))
                status, told = outer._next(self.command, self.path)
                text = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the library

            def log_message(self, *_: object) -> None:
                """Tests report by assertions."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def _next(self, method: str, path: str) -> tuple[int, Any]:
        found = self.script.get((method, path), (404, {}))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found

    @property
    def url(self) -> str:
        """Address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """Return what was asked as `METHOD path`."""
        return [f"{method} {path}" for method, path, _ in self.asked]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
