"""What the network room counts, declared once with unit and meaning; whoever serves metrics reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final


@dataclass(slots=True)
class Counts:
    """Totals of one feed since its fetcher opened, in this worker.

    Attributes:
        items: Items asked for, shared ones included.
        requests: Requests put on the wire.
        answers: Complete answers given to callers.
        failures: Items that ended in an error.
        retries: Requests after the first of an item.
        joined: Items that shared another's call, in this worker or another.
        revalidated: Answers whose archived body the feed confirmed (304).
        received_bytes: Decoded content received.
        openings: Times the breaker opened by this worker's requests.
    """

    items: int = 0
    requests: int = 0
    answers: int = 0
    failures: int = 0
    retries: int = 0
    joined: int = 0
    revalidated: int = 0
    received_bytes: int = 0
    openings: int = 0


METERS: Final = tuple(
    (f"backstop_net_{field.name}_total", field.name, "bytes" if field.name.endswith("bytes") else "count")
    for field in fields(Counts)
)
"""Name of each metric, the field that holds it, its unit; every one has the label `feed`."""
