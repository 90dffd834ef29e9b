"""How refusals are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from backstop.api.models import ProblemDocument

MEANINGS: Final = {
    304: "Not modified: the caller has this version already.",
    401: "An API key is required.",
    403: "This host name, or pages of this site, are not served; `detail` names the setting that lets them.",
    404: "Not found; `detail` says what exists.",
    409: "It cannot be done now; `detail` says why.",
    413: "The request is too large.",
    422: "The request cannot be read; `detail` says what is wrong.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "Something that is needed does not answer; `Retry-After` says when to come back.",
}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    name: {"description": meaning, "schema": {"type": kind}}
    for name, kind, meaning in (
        ("ETag", "string", "Send it as If-None-Match: a caller who has this version is told so by 304."),
        ("Backstop-Version", "integer", "The version that the answer was made of."),
        ("Backstop-State", "string", "`fresh` or `stale`."),
        ("Backstop-Age-S", "number", "Seconds since the version was published."),
        ("Backstop-Fresh-For-S", "integer", "Age in seconds at which it becomes stale."),
    )
}
"""What every answer about a version carries, also one without a body."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of the statuses, and of those that every request may meet."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({401, 403, 413, 429, *statuses}):
        described[status] = {"description": MEANINGS[status], "model": ProblemDocument}
    return described


def versioned(answer: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of an answer that one version gives, with its headers, and of what is said instead."""
    unchanged = {"description": MEANINGS[304], "headers": HEADERS}
    return {200: {**answer, "headers": HEADERS}, 304: unchanged, **refusals(404, 422, 503)}
