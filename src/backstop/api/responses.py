"""How refusals are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from backstop.api.models import ProblemDocument

MEANINGS: Final = {
    304: "The caller has this version already.",
    401: "A key is needed.",
    403: "The page of another site may not ask this.",
    404: "There is no such thing; the sentence says what there is.",
    409: "It cannot be done now.",
    413: "The request is too large.",
    422: "The request cannot be read; the sentence says what is wrong.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "Something that is needed does not answer; `Retry-After` says when to come back.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of the statuses, and of those that every request may meet."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({401, 403, 413, 429, *statuses}):
        described[status] = {"description": MEANINGS[status], "model": ProblemDocument}
    described[304] = {"description": MEANINGS[304]}
    return described
