"""The main job: one baseball day from its feeds to a published slate."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from tasks import fan, marks, runner, runs, slate, summary, validate
from tasks.forms import SomeDay
from tasks.results import gather


@flow(
    name="slate-refresh",
    flow_run_name=runs.slate_name,
    task_runner=runner.chosen(),
    timeout_seconds=marks.LEASE_S,
    **marks.HOOKS,
)
def slate_refresh(day: SomeDay = None, history: bool = True, prices: bool = True) -> State[summary.SlateSummary]:
    """Plan, fetch, validate, transform, load and publish one day's slate; only what is missing is fetched.

    Args:
        day: The baseball day (official date, Eastern) to refresh; today's by default.
        history: Whether days of pitches that the lake lacks are fetched; a backfill has fetched them for all its days.
        prices: Whether books are asked for prices, which may cost credits.
    """
    day = day or runs.today()
    calendar = validate.validate_games(fan.fetches(slate.plan_schedule(day, hold=True), "schedule"), day)
    plan = slate.plan_day(day, calendar, history=history, prices=prices)
    if plan.note:
        return summary.finished(summary.report_slate(day, None, [calendar], [], note=plan.note))

    pitch_days = fan.history(plan.pitches, day)
    players, box = validate.validate_players(fan.fetches(plan.boxes, "line-ups"), day)
    events = fan.fetches(plan.events, "events")
    quotes = validate.validate_quotes(fan.fetches(slate.plan_quotes(day, events), "quotes"), day, events)
    pitches, lost_days = gather(pitch_days, "core_pitches")

    features, absent = slate.build_features(day, players, slate.tally_rest(day, pitches))
    draft = slate.open_slate(day)
    batches = slate.plan_players(day, players)
    checks, loads = fan.projections(batches, day, features, draft, priced=quotes.loaded > 0)
    checked, lost_checks = gather(checks, "out_props")
    loaded, lost_loads = gather(loads, "out_props")

    outcomes = slate.add_up(day, [calendar, players, box, quotes], pitches, checked, loaded)
    gaps = summary.all_gaps(outcomes, plan.gaps, lost_days, absent, lost_checks, lost_loads)
    published = slate.publish_slate(day, draft, checked, loaded, len(lost_loads), gaps)
    return summary.finished(summary.report_slate(day, published, outcomes, gaps))
