"""How far a run is, as a progress artifact that each step updates."""

from __future__ import annotations

import datetime as dt

from tasks import artifacts

STEPS = {
    "schedule": 10.0,
    "line-ups": 25.0,
    "quotes": 40.0,
    "features": 60.0,
    "props": 85.0,
    "published": 100.0,
}
"""Steps of a refresh with the share of its work that is done after them, in percent; roughly the share of its time."""


def reached(day: dt.date, step: str) -> None:
    """Report a finished step on the run's page; outside of a run there is no page."""
    artifacts.progress("slate-progress", STEPS[step], f"Slate {day}: {step} done")
