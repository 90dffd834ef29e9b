"""The tasks of `reconcile`: repair what died, look at what is due, start it."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client

from backstop import tables
from backstop.clock import baseball_day
from backstop.lake import reconcile as ledger_repair
from backstop.lake.states import State
from backstop.settings import Feed
from backstop.sources import chadwick
from backstop.sources.savant import pitches
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import schedule
from backstop.sources.theodds import events
from backstop.stages import days, due, feeds, fetch, overdue, plan, rebuild, schedules, second, settled
from backstop.stages.days import Condition
from backstop.stages.house import House
from backstop.store.keys import SPORT
from tasks import calendar, dead, starts
from tasks import feeds as transitions
from tasks.runs import run_id, say, tell, warn

if TYPE_CHECKING:
    from uuid import UUID

    from backstop.lake.reconcile import Repair
    from backstop.stages.due import Due

REPAIRED: Final = (
    tables.PITCHES.name, tables.GAMES.name, tables.PLAYERS.name, tables.BOX.name, tables.QUOTES.name, tables.PROPS.name,
)  # fmt: skip
"""Tables whose ledger entries carry the hash of their partition."""

SLATE: Final = "slate-refresh"
PRICES: Final = "odds-refresh"

SETTLING: Final = (tables.PITCHES.name, tables.GAMES.name, tables.PLAYERS.name, tables.BOX.name)
"""Tables whose days the feeds correct and complete for a while."""


def present(instant: dt.datetime | None) -> dt.datetime:
    """Return the instant that a run works for: the one it was given, otherwise now."""
    return (instant or House.current().clock.now()).astimezone(dt.UTC)


def day_of(instant: dt.datetime | None) -> dt.date:
    """Return the baseball day of the instant that a run works for."""
    return baseball_day(present(instant))


def calendar_is_old(now: dt.datetime) -> bool:
    """Return whether today's schedule should be asked for again."""
    return due.calendar_is_old(House.current(), now)


@task(name="bury-dead", task_run_name="mark runs that died", cache_policy=NO_CACHE)
def bury_dead() -> list[UUID]:
    """Mark runs whose process died as crashed, and free what they held in the ledger."""
    house = House.current()
    with get_client(sync_client=True) as client:
        buried = dead.bury(client, warn)
    now = house.clock.now()
    for entry in house.ledger.entries(states=[State.RUNNING]):
        if days.is_dead(entry, now) and entry.table not in REPAIRED:
            house.ledger.begin(entry.table, entry.key, run_id=run_id())
            reason = f"run {entry.run_id} died while it worked on it"
            house.ledger.fail(entry.table, entry.key, run_id=run_id(), reason=reason)
            warn(f"{entry.table} {entry.key} is free again: {reason}.")
    return buried


@task(name="repair-ledger", task_run_name="repair the ledger", cache_policy=NO_CACHE)
def repair_ledger(now: dt.datetime) -> list[Repair]:
    """Bring the ledger into line with the lake, and mark days whose pitches have settled since they were fetched."""
    house = House.current()
    told = {tables.PROPS.name: partial(rebuild.closing, house)}
    whole_at = dict.fromkeys(SETTLING, settled.settled_at)
    repairs = ledger_repair.reconcile(
        house.lake, house.ledger, house.quarantine, REPAIRED, run_id=run_id(), told=told, whole_at=whole_at
    )
    for each in repairs:
        warn(f"{each.table} {each.key} is {each.after} now: {each.reason}.")
    plan.settle_schedule(house, [dt.date.fromisoformat(each.key) for each in repairs if _is_done(each)], run_id())
    early = due.unsettled_pitches(house, now)
    house.ledger.stale(
        tables.PITCHES.name, [day.isoformat() for day in early], reason="it was fetched before Savant had settled it"
    )
    for day in early:
        say(f"The pitches of {day} are asked for again: they were fetched before Savant had settled them.")
    return repairs


def _is_done(repair: Repair) -> bool:
    """Return whether a repair called a day of the schedule done; a game of it may still be open."""
    return repair.table == tables.GAMES.name and repair.after in {State.COMPLETE, State.DEGRADED}


@task(name="probe-feeds", task_run_name="ask feeds that were down", cache_policy=NO_CACHE)
def probe_feeds(now: dt.datetime) -> list[str]:
    """Ask each feed whose breaker is not closed for one small thing, once its pause is over.

    While a breaker is open its deployments are paused and nobody else asks: without this it would stay open.
    """
    house, today = House.current(), baseball_day(now)
    yesterday = today - dt.timedelta(days=1)
    keyed = second.keys(house.settings)
    probes = {
        Feed.STATSAPI: schedule.plan_day(today),
        Feed.SAVANT: pitches.plan([yesterday]),
        Feed.THEODDS: events.plan(today) if Feed.THEODDS in keyed else [],
        Feed.SPORTRADAR: sportradar_schedule.plan(today) if Feed.SPORTRADAR in keyed else [],
        Feed.CHADWICK: chadwick.plan()[:1],
    }
    transitions.attach()
    asked = []
    for each in feeds.status(house):
        items = probes.get(Feed(each.health.feed), [])
        if each.health.breaker != "closed" and not each.health.retry_in_s and items:
            missed = fetch.fetch(house, 1, items, "probe").missed
            asked.append(each.health.feed)
            say(f"{each.health.feed} was asked again: {missed[0].sentence if missed else 'it answers'}.")
    return asked


@task(name="look", task_run_name="what is due", cache_policy=NO_CACHE)
def what_is_due(now: dt.datetime) -> list[Due]:
    """Ask the calendar and the ledger what is due, and tell of a slate that is late."""
    house = House.current()
    found = due.runs(house, now, prices_every=due.prices_every(house, now))
    for each in found:
        say(f"{each.flow} {each.day} is due: {each.reason}.")
    if not found:
        say(f"Nothing is due at {now:%Y-%m-%d %H:%M} UTC.")
    _tell_late(house, now)
    return found


def _tell_late(house: House, now: dt.datetime) -> None:
    today = baseball_day(now)
    games = schedules.games_of(house, today)
    (day,) = days.of_range(house, today, today)
    if games.is_empty() or day.condition in {Condition.COMPLETE, Condition.DEGRADED, Condition.EMPTY}:
        return
    first: Any = games["start_at"].min()
    if first - overdue.LATE_BEFORE <= now <= first + dt.timedelta(hours=1):
        sentence = overdue.late(day, games)
        warn(sentence)
        tell("late", today, sentence)


@task(name="start", task_run_name="start what is due", cache_policy=NO_CACHE)
def start_runs(found: list[Due]) -> dict[str, UUID]:
    """Start a run for each, under its key: what another scheduler has started already is not started again.

    A run that died before it wrote anything to the ledger is, once the pause of a failed try is over. Prices alone are
    not asked for where the whole slate is made anew, which asks for them too.

    Raises:
        ConfigurationError: a deployment is not registered.
    """
    started = {}
    slates = set[dt.date]()
    with get_client(sync_client=True) as client:
        for each in sorted(found, key=lambda one: one.flow != SLATE):
            if each.day in slates and each.flow == PRICES:
                say(f"{each.flow} {each.day} is left to the refresh of the whole slate, which asks for prices too.")
                continue
            deployment = f"{each.flow}/{SPORT}"
            if starts.is_paused(client, deployment):
                warn(f"{each.flow} {each.day} is due and not started: the deployment is paused.")
                continue
            name = f"{each.flow} {each.day} {each.slot}"
            run = starts.start_until_it_works(
                client, deployment, each.parameters, each.key, name, [str(each.day)], is_routine=each.flow == PRICES
            )
            started[each.key] = run.id
            if each.flow == SLATE and not starts.is_over(run):
                slates.add(each.day)
            if starts.is_over(run):
                warn(f"{run.name} ended as {run.state_name} and {each.flow} {each.day} is due still.")
            else:
                say(f"{run.name} is started.")
    return started


@task(name="show-calendar", task_run_name="calendar of the season", cache_policy=NO_CACHE)
def show_calendar(now: dt.datetime) -> None:
    """Put the season's calendar beside the run."""
    house, last = House.current(), baseball_day(now)
    first = max(
        dt.date(last.year, *schedules.SEASON_OPENS),
        dt.date(house.settings.history_first_season, *schedules.SEASON_OPENS),
    )
    if first <= last:
        calendar.show(house, first, last)
