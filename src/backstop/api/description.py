"""The OpenAPI document: refusals as problem documents, and an example of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from backstop.api import examples
from backstop.api.guard import OPEN_PATHS
from backstop.api.problems import MEDIA

if TYPE_CHECKING:
    from fastapi import FastAPI

JSON: Final = "application/json"
FIRST_REFUSAL: Final = 400
KEYS: Final[dict[str, dict[str, str]]] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
"""How a key is sent, where the server asks for one (BACKSTOP_API_KEYS)."""


def describe(app: FastAPI) -> None:
    """Make an app give this description of itself; it is made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to replace it


def described(app: FastAPI) -> dict[str, Any]:
    """Return the document."""
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schema["components"]["securitySchemes"] = KEYS
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            if path not in OPEN_PATHS:
                # the empty one first: a server without keys asks for none
                operation["security"] = [{}, *({name: []} for name in KEYS)]
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                is_problem = "ProblemDocument" in str(content.get(JSON, {}).get("schema", {}))
                if int(status) >= FIRST_REFUSAL and is_problem:
                    content[MEDIA] = content.pop(JSON)
            _show(path, operation["responses"])
    return schema


def _show(path: str, responses: dict[str, Any]) -> None:
    """Add an example to the good answers of an operation."""
    for status, example in examples.BY_PATH.get(path, {}).items():
        responses[str(status)]["content"][JSON]["example"] = example
