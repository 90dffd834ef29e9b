"""What is due? Asked every few minutes, answered cheaply, started once."""

from __future__ import annotations

from prefect import flow

from tasks import marks, pauses, upkeep
from tasks.forms import Instant


@flow(name="reconcile", flow_run_name="reconcile", timeout_seconds=600, **marks.SIGNED)
def reconcile(at: Instant = None) -> list[str]:
    """Free what dead runs held, bring pauses and the calendar up, and start exactly the runs that are due.

    Args:
        at: What counts as now, with its time zone; the present by default.
    """
    now = upkeep.present(at)
    upkeep.bury_dead()
    upkeep.repair_ledger(now)
    upkeep.probe_feeds(now)
    pauses.tend_pauses()
    if upkeep.calendar_is_old(now):
        # its imports take five seconds of CPU: most runs of this flow do without
        from flows.calendar import calendar_refresh  # noqa: PLC0415

        calendar_refresh(now)
    started = upkeep.start_runs(upkeep.what_is_due(now))
    upkeep.show_calendar(now)
    return sorted(started)
