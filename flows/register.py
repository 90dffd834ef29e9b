"""The crosswalk: who is who at MLB, Retrosheet, Baseball-Reference and FanGraphs, and by which names."""

from __future__ import annotations

from prefect import flow

from backstop.stages.outcome import Outcome
from tasks import fan, marks
from tasks import register as tasks


@flow(name="register-refresh", flow_run_name="register", timeout_seconds=900, **marks.SIGNED)
def register_refresh() -> Outcome:
    """Fetch the sixteen files of the Chadwick register and keep them as of today."""
    return tasks.keep_register(fan.fetches(tasks.plan_register(), "register"))
