"""Tags by which deployments say what they depend on, and why they are paused."""

from __future__ import annotations

from typing import Final

NEEDS: Final = "needs-"
"""Before the name of a feed: a run comes to nothing without it."""

PAUSED: Final = "paused-by-breaker"
"""`reconcile` paused it, and resumes it; what a person paused does not have it."""
