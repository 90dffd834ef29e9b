"""What runs say on their pages stays inside its table, whatever an error or a feed said."""

from __future__ import annotations

import datetime as dt
import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
    importlib.import_module("prefect")

from backstop.stages.backfill import Backfill
from backstop.stages.days import Condition, Day
from backstop.stages.outcome import Gap
from tasks import backfill, calendar, summary

DAY = dt.date(2025, 6, 15)
SAID = "expected a | b\nfound c"
CELL = "| expected a \\| b found c |"


def test_a_reason_with_bars_and_lines_stays_in_its_cell():
    slate = summary.SlateSummary(DAY, "r", 1, (), (Gap("core_quotes", "batch 1", SAID),))
    plan = Backfill(DAY, DAY, (DAY,), {}, 0, None)
    pages = (
        summary.summary_markdown(slate),
        calendar.markdown([Day(DAY, Condition.FAILED, reason=SAID)]),
        backfill.markdown(backfill.BackfillSummary(plan, {Condition.FAILED: 1}, {DAY: SAID})),
    )
    for page in pages:
        (line,) = [each for each in page.splitlines() if "expected a" in each]
        assert line.endswith(CELL)
