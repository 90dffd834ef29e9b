"""The nightly round: old folders and answers, quarantine, Redis beside the lake, and the model's numbers."""

from __future__ import annotations

import datetime as dt

from prefect import flow

from tasks import maintenance as tasks
from tasks import marks
from tasks.forms import KeptDays, Newest


@flow(name="lake-maintenance", flow_run_name="lake maintenance", timeout_seconds=3600, **marks.HOOKS)
def lake_maintenance(run_days: KeptDays = None, archive_days: KeptDays = None, newest: Newest = 14) -> list[dt.date]:
    """Clear away what is old, rebuild slates of which Redis and the lake differ, and refit the model when it is time.

    A slate that somebody turned back or pinned is served as they left it.

    Args:
        run_days: Days that the folders of runs are kept; by default the variable backstop_run_days.
        archive_days: Days that raw answers are kept, but for the newest to each request; by default the variable
            backstop_archive_days.
        newest: Slates to compare, the newest first.
    """
    tasks.clear_runs(run_days)
    tasks.prune_archive(archive_days)
    tasks.compact_quarantine()
    differed = tasks.check_redis(newest)
    tasks.refit_model()  # last: it may fail, and takes the longest
    return differed
