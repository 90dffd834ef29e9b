"""Prices during the day: the projections stand, the books are asked again, the slate is republished."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from tasks import fan, marks, odds, runner, runs, slate, summary, validate
from tasks.forms import SomeDay
from tasks.results import gather


@flow(
    name="odds-refresh",
    flow_run_name=runs.prices_name,
    task_runner=runner.chosen(),
    timeout_seconds=900,
    **marks.HOOKS,
)
def odds_refresh(day: SomeDay = None, after: str | None = None) -> State[summary.SlateSummary]:
    """Ask the books for a published slate's prices, reprice every prop, and publish the next version.

    Args:
        day: A published slate with games still to begin; today's by default.
        after: The run whose prices are renewed: nothing is asked once another run has worked on the day.
    """
    day = day or runs.today()
    asked, note = odds.plan_prices(day, after)
    if note:
        return summary.finished(summary.report_slate(day, None, [], [], note=note))
    events = fan.fetches(asked, "events")
    quotes = validate.validate_quotes(fan.fetches(slate.plan_quotes(day, events), "quotes"), day, events)

    features, known_gaps = odds.published_features(day)
    draft = slate.open_slate(day)
    checks, loads = fan.projections(slate.plan_players(day, quotes), day, features, draft, priced=quotes.loaded > 0)
    checked, lost_checks = gather(checks, "out_props")
    loaded, lost_loads = gather(loads, "out_props")

    outcomes = slate.add_up(day, [quotes], [], checked, loaded)
    gaps = summary.all_gaps(outcomes, known_gaps, lost_checks, lost_loads)
    published = slate.publish_slate(day, draft, checked, loaded, len(lost_loads), gaps)
    return summary.finished(summary.report_slate(day, published, outcomes, gaps))
