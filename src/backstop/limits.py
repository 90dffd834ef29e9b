"""The numbers that are promises, each with its reason."""

from typing import Final

MAX_IN_FLIGHT_PER_HOST: Final = 25
"""Requests to one host at any instant over all processes: what the feeds tolerate from one customer."""

BATCH_ITEMS: Final = 50
"""Items in a mapped batch: small enough to retry whole, large enough that a task run (3 ms) costs nothing."""

COALESCE_WINDOW_S: Final = 0.1
"""Identical requests answered within this window share one upstream call."""

SLATE_FRESH_S: Final = 15 * 60
"""A slate older than this is served as `stale`: prices move within minutes."""

KEEP_VERSIONS: Final = 3
"""Published versions of a slate that stay readable for rollback."""
