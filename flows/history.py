"""History: the schedule and every pitch of the seasons that are kept, without making a slate."""

from __future__ import annotations

from prefect import flow

from tasks import fan, marks, runner, runs, slate, summary, validate
from tasks.forms import SomeDay
from tasks.results import gather


@flow(
    name="history-refresh",
    flow_run_name=runs.history_name,
    task_runner=runner.chosen(),
    timeout_seconds=4 * 3600,
    **marks.HOOKS,
)
def history_refresh(until: SomeDay = None) -> summary.HistorySummary:
    """Fetch, validate and tally the days of pitches before a date that the lake lacks.

    Args:
        until: The first day that is not history yet; today by default.
    """
    until = until or runs.today()
    calendar = validate.validate_games(fan.fetches(slate.plan_schedule(until), "schedule"), until)
    pitches, lost = gather(fan.history(slate.plan_history(until, calendar), until), "core_pitches")
    untallied = slate.tally_rest(until, pitches)
    outcomes = slate.add_up(until, [calendar], pitches, [], [])
    gaps = summary.all_gaps(outcomes, lost, untallied)
    runs.say(f"History before {until}: {len(gaps)} gaps.")
    return summary.HistorySummary(until, tuple(outcomes), tuple(gaps))
