"""A Prefect server on SQLite answers 503 when another writer came between: whoever gets that asks again.

Prefect's own client does so. What asks the server without it, because its import takes seconds, does it by this.
"""

from __future__ import annotations

from typing import Final

import httpx

TRIES: Final = 8
"""With stamina's pauses, from 0.1 s to 5 s and up to a second of jitter each, the last is made after 11 to 18 s."""

LONGEST_WAIT_S: Final = 1.0
"""For whoever somebody waits for: before the jitter."""


def is_busy(error: Exception) -> bool:
    """Return whether the server may answer differently in a moment; a run is asked for under a key, so none doubles."""
    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
