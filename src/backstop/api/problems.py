"""Errors as RFC 9457 problem documents: one form of body for every refusal, whoever refuses."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi.exceptions import RequestValidationError, ValidationException, WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket

from backstop.errors import BackstopError, DataError, StoreError, StoreUnavailable, UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

MEDIA: Final = "application/problem+json"
SHOWN: Final = 200
"""Characters of a refused value that are shown again."""


class Problem(Exception):
    """An answer that is not what was asked for.

    Args:
        status: HTTP status.
        detail: A sentence: the value seen, the value expected, the next step.
        kind: Name of the problem's type; the status alone says it when empty.
        headers: Further headers.
        more: Further members of the document.
    """

    def __init__(
        self, status: int, detail: str, *, kind: str = "", headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.headers = headers or {}
        self.more = more

    def body(self, path: str) -> bytes:
        """Return the document."""
        return orjson.dumps(
            {
                "type": f"urn:backstop:{self.kind}" if self.kind else "about:blank",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                "instance": path,
                **self.more,
            }
        )

    def response(self, path: str) -> Response:
        """Return the answer."""
        return Response(
            self.body(path), self.status, media_type=MEDIA, headers={"Cache-Control": "no-store", **self.headers}
        )


def retry_after(seconds: float) -> dict[str, str]:
    """Return the header that says when to try again; whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def problem_of(error: BackstopError) -> Problem:
    """Return what a caller is told of one of our errors."""
    if isinstance(error, StoreUnavailable):
        return Problem(503, error.message, kind="store-unavailable", headers=retry_after(error.retry_after_s or 1.0))
    if isinstance(error, UsageError):
        return Problem(422, error.message, kind="usage")
    if isinstance(error, StoreError):
        return Problem(503, error.message, kind="store", headers=retry_after(error.retry_after_s or 5.0))
    kind = "data" if isinstance(error, DataError) else "backstop"
    headers = retry_after(error.retry_after_s or 5.0)
    return Problem(503, error.message, kind=kind, headers=headers)


def handle(app: FastAPI) -> None:
    """Make every error of an app a problem document."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return error.response(request.url.path)

    @app.exception_handler(BackstopError)
    async def ours(request: Request, error: BackstopError) -> Response:
        return problem_of(error).response(request.url.path)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, _error: Exception) -> Response:
        # the server logs it with its trace; a caller gets no part of it
        told = Problem(500, "Something failed that was not foreseen; the server's log says what.", kind="unforeseen")
        return told.response(request.url.path)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(WebSocketRequestValidationError)
    async def invalid(asked: Request | WebSocket, error: ValidationException) -> Response | None:
        told = _invalid(error)
        if isinstance(asked, WebSocket):
            await refuse_socket(told, asked.scope, asked.receive, asked.send)
            return None
        return told.response(asked.url.path)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        detail = {
            404: f"There is nothing at {request.url.path[:SHOWN]}; /docs lists what there is.",
            405: f"{request.method[:SHOWN]} is not possible here; the header Allow lists what is.",
        }.get(error.status_code, f"{error.detail}.")
        headers = dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = _allowed(headers["Allow"])
        return Problem(error.status_code, detail, headers=headers).response(request.url.path)


async def refuse_socket(refusal: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse to open a WebSocket, in words where the server can send them."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await refusal.response(scope["path"])(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 4401 if refusal.status == 401 else 4403})  # noqa: PLR2004


def _invalid(error: ValidationException) -> Problem:
    wrong = [
        {
            "where": ".".join(str(part) for part in each["loc"]),
            "what": _said(each["msg"]),
            "seen": _short(each["input"]),
        }
        for each in error.errors()
    ]
    sentence = "; ".join(f"{each['where']}: {each['what']} (seen {each['seen']})" for each in wrong)
    return Problem(422, f"The request cannot be read: {sentence}.", kind="invalid-request", errors=wrong)


def _allowed(methods: str) -> str:
    """Return the methods of a route with the one that the guard answers for it: a HEAD goes wherever a GET does.

    >>> _allowed("GET"), _allowed("POST")
    ('GET, HEAD', 'POST')
    """
    allowed = set(methods.split(", "))
    return ", ".join(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))


def _said(message: str) -> str:
    """Return what a validator says as a part of a sentence."""
    return message.removeprefix("Value error, ").removesuffix(".")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
