"""The tasks around one slate: plan what is missing, project, load, publish."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from backstop import tables
from backstop.errors import ValidationFailed
from backstop.stages import made_of, plan, project, publish, receive, schedules, settled
from backstop.stages.house import House
from backstop.stages.outcome import Gap, Outcome, total
from backstop.stages.project import Sifted, Staged
from backstop.stages.publish import Loaded
from backstop.telemetry import Progress, emit
from tasks import marks, progress
from tasks.runs import report, run_id, say, warn

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import FetchedBatch
    from backstop.store.loader import Draft, Published

Batches = list[list["Item"]]


@dataclass(frozen=True)
class DayPlan:
    """What a day needs that is not in the lake yet, as requests in batches of 50.

    Attributes:
        games: Games that count and are to be played; 0 on an off day.
        pitches: Days of history whose pitches are missing.
        boxes: Box scores of the day's games; empty when the lake has them whole and nobody is to be asked again.
        events: The list of events that books quote; empty when prices cannot be asked for.
        gaps: What will be missing whatever happens, e.g. prices without a key.
        note: Why nothing can be published, empty when something can.
    """

    games: int
    pitches: Batches = field(default_factory=list)
    boxes: Batches = field(default_factory=list)
    events: Batches = field(default_factory=list)
    gaps: tuple[Gap, ...] = ()
    note: str = ""


@task(name="plan-schedule", task_run_name="plan schedule", cache_policy=NO_CACHE)
def plan_schedule(day: dt.date, *, hold: bool = False) -> Batches:
    """Name the schedule requests for the day and for earlier days that are not settled.

    Args:
        day: The last day to ask for.
        hold: Whether the run is going to publish the day's slate, and takes it in the ledger.

    Raises:
        UsageError: there can be no slate of the day.
        LeaseHeld: another run works on the day.
    """
    house = House.current()
    plan.check_day(house, day)
    if hold:
        marks.hold(house, day, run_id())
    return plan.schedule_batches(house, day)


@task(name="plan-day", task_run_name="plan {day}", cache_policy=NO_CACHE)
def plan_day(day: dt.date, calendar: Outcome, *, history: bool = True, prices: bool = True) -> DayPlan:
    """Name what the day needs that is missing; a day of which nothing can be published is closed as empty.

    Args:
        day: The slate.
        calendar: What became of the schedule.
        history: Whether missing days of pitches are fetched; otherwise they are only named, and a day that is long over
            is taken from the lake with its line-ups and box scores.
        prices: Whether books are asked.

    Raises:
        UpstreamUnavailable: the day's schedule could not be had, now or earlier; or no game before it is known and the
            schedule of earlier days could not be had either.
    """
    house = House.current()
    schedules.check_schedule_known(house, day, calendar)
    games = schedules.games_of(house, day)
    if games.is_empty():
        marks.off_day(house, day, run_id(), "no games")
        say(f"{day} has no games that count: nothing to project.")
        return DayPlan(0, note=f"{day} has no games")
    if schedules.finished_games(house, day).is_empty():
        schedules.check_past_known(house, day, calendar)
        marks.off_day(house, day, run_id(), "no game before it is kept as history")
        say(f"No game before {day} is kept as history: nothing can be projected.")
        return DayPlan(0, note=f"{day} has no history before it")
    pitches = plan.pitch_batches(house, day)
    say(f"{day}: {games.height} games; {sum(map(len, pitches))} days of pitches are missing, {len(pitches)} batches.")
    reason = plan.quotes_wanted(house, day) if prices else "no prices: the run was told not to ask for them"
    gaps = [Gap("core_quotes", day.isoformat(), reason)] if reason else []
    if not history:
        gaps += [Gap("core_pitches", item.key, "not in the lake") for batch in pitches for item in batch]
        pitches = []
    events = [] if reason else plan.event_batches(house, day)
    boxes = [] if not history and settled.knows_line_ups(house, day) else plan.box_batches(house, day)
    return DayPlan(games.height, pitches, boxes, events, tuple(gaps))


@task(name="plan-history", task_run_name="plan history", cache_policy=NO_CACHE)
def plan_history(until: dt.date, _calendar: Outcome) -> Batches:
    """Name the days of pitches before a date that the ledger lacks."""
    return plan.pitch_batches(House.current(), until)


@task(name="tally", task_run_name="tally pitches · batch {number:02d}", cache_policy=NO_CACHE)
def tally(number: int, batch: FetchedBatch, checked: Outcome) -> Outcome:
    """Add up the pitches of the batch's days into the statistics that rates are made of."""
    days = {receive.day_of(answer) for answer in batch.answers}
    house = House.current()
    done = project.tally_days(house, sorted(days & house.lake.days(checked.table)), run_id())
    say(f"Pitches, batch {number}: {len(days)} days tallied into {done.rows:,} new rows.")
    return checked  # a day that another run holds is tried once more by `tally_rest`


@task(name="tally-rest", task_run_name="tally what is left", cache_policy=NO_CACHE)
def tally_rest(before: dt.date, _pitches: list[Outcome]) -> tuple[Gap, ...]:
    """Tally days whose pitches were kept by a run that died before it tallied them; return those that stay without."""
    house = House.current()
    left = project.untallied(house, before)
    held = project.tally_days(house, left, run_id()).held
    if left:
        span = f"{left[0]} to {left[-1]}"
        warn(f"{len(left)} days of pitches lay untallied, {span}; {len(left) - len(held)} are tallied now.")
    return held


@task(name="plan-quotes", task_run_name="plan quotes", cache_policy=NO_CACHE)
def plan_quotes(day: dt.date, listed: list[FetchedBatch]) -> Batches:
    """Name one request per event that the books list for the day, and say what they cost at most."""
    house = House.current()
    batches = plan.quote_batches(house, day, receive.events_listed(house, listed))
    if credits_at_most := sum(item.credits for items in batches for item in items):
        say(f"Prices of {sum(map(len, batches))} events are asked for: at most {credits_at_most} credits.")
    return batches


@task(name="plan-players", task_run_name="plan players", cache_policy=NO_CACHE)
def plan_players(day: dt.date, _players: Outcome) -> list[list[int]]:
    """Name the day's starters in batches of 50."""
    batches = project.player_batches(House.current(), day)
    for stage in ("project", "validate props"):
        emit(Progress(stage, total=len(batches)))
    return batches


@task(name="features", task_run_name="features as of {day}", cache_policy=NO_CACHE)
def build_features(day: dt.date, _players: Outcome, untallied: tuple[Gap, ...]) -> tuple[Path, tuple[Gap, ...]]:
    """Build the features of the day's starters from what was known before the day; days without a tally are gaps."""
    house = House.current()
    made_of.note(house, run_id(), made_of.digests(house, day))
    path, gaps = project.build_features(house, day, run_id())
    progress.reached(day, "features")
    for gap in gaps:
        warn(f"not projected: {gap.key}: {gap.reason}")
    return path, (*untallied, *gaps)


@task(
    name="project",
    task_run_name="project props · batch {number:02d}",
    cache_policy=NO_CACHE,
)
def project_players(day: dt.date, number: int, players: list[int], features: Path, *, priced: bool) -> Staged:
    """Project one batch of 50 players and, when this run has quotes, price it against the books."""
    staged = project.project(House.current(), day, run_id(), number, players, features, priced=priced)
    emit(Progress("project", done=1, note=f"batch {number}"))
    return staged


@task(name="open-slate", task_run_name="open slate {day}", cache_policy=NO_CACHE)
def open_slate(day: dt.date) -> Draft:
    """Open a new version of the slate in Redis that no reader sees yet."""
    return publish.open_draft(House.current(), day, run_id())


@task(
    name="load",
    task_run_name="load props · batch {number:02d}",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    cache_policy=NO_CACHE,
)
def load(number: int, draft: Draft, sifted: Sifted) -> Loaded:  # noqa: ARG001 - the number names the task run
    """Write a batch's rows into the draft; writing them again changes nothing.

    Raises:
        ValidationFailed: a rule about the batch is broken; none of it is loaded.
        StoreError: Redis refused.
    """
    if sifted.refused:
        raise ValidationFailed(sifted.refused, source="out_props")
    return publish.load(House.current(), draft, sifted.staged)


@task(name="add-up", task_run_name="add up the rows", cache_policy=NO_CACHE)
def add_up(
    day: dt.date, single: list[Outcome], pitches: list[Outcome], sifted: list[Sifted], loaded: list[Loaded]
) -> list[Outcome]:
    """Add up what became of the rows of each table; rows of a batch that was not loaded count as failed.

    Raises:
        ConservationBroken: rows went missing.
    """
    reached = publish.reached(sifted, loaded)
    outcomes = [
        *(_told(day, outcome.balanced(), sifted) for outcome in single),
        total("core_pitches", pitches),
        total(project.FEATURES, [each.features for each in reached]),
        total("out_props", [each.props for each in reached]),
    ]
    progress.reached(day, "props")
    for outcome in outcomes:
        report(outcome, outcome.table)
    return outcomes


def _told(day: dt.date, outcome: Outcome, sifted: list[Sifted]) -> Outcome:
    """Add to the quotes how many of them nothing was projected for."""
    if outcome.table != tables.QUOTES.name or not outcome.loaded:
        return outcome
    note = project.unpriced(House.current(), day, [each.staged for each in sifted])
    return replace(outcome, notes=(*outcome.notes, note)) if note else outcome


@task(name="publish", task_run_name="publish slate {day}", cache_policy=NO_CACHE)
def publish_slate(
    day: dt.date,
    draft: Draft,
    sifted: list[Sifted],
    loaded: list[Loaded],
    failed: int,
    gaps: list[Gap],
) -> Published:
    """Verify the draft, flip it, and record it in the ledger.

    Raises:
        StoreError: Redis refused or holds less than was written; the version before stays.
    """
    house = House.current()
    emit(Progress("publish", total=1))
    props = total("out_props", [each.props for each in publish.reached(sifted, loaded)])
    published = publish.publish(house, draft, day, [each.staged for each in sifted], loaded, failed, gaps, props)
    publish.mark(house, day, run_id(), props, gaps)
    progress.reached(day, "published")
    emit(Progress("publish", done=1, note=f"version {published.version}"))
    say(f"Slate {day}: version {published.version} is published.")
    return published
