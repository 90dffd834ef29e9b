"""A Prefect server on SQLite answers 503 while another writer holds its database: whoever gets that asks again.

Prefect's own client does so. What asks the server without it, because its import takes seconds, does it by this.
"""

from __future__ import annotations

from typing import Final

import httpx

TRIES: Final = 8
"""The pauses between them grow from 0.1 s to 5 s; by the eighth 20 s have passed, unless a limit ends it before."""


def is_busy(error: Exception) -> bool:
    """Return whether the server may answer differently in a moment; a run is asked for under a key, so none doubles."""
    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
