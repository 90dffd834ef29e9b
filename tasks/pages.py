"""Read all pages of a paginated answer of the Prefect server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

Row = TypeVar("Row")

PAGE: Final = 200
"""The most that the server gives at once."""


def every(read: Callable[..., list[Row]], **filters: Any) -> list[Row]:
    """Return all that a reading method of the client finds, by as many questions as it takes."""
    found: list[Row] = []
    while True:
        page = read(**filters, limit=PAGE, offset=len(found))
        found += page
        if len(page) < PAGE:
            return found
