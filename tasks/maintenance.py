"""The tasks of the nightly maintenance: clear away what is old, compare Redis with the lake, refit the model."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.variables import Variable

from backstop.clock import baseball_day
from backstop.lake.states import State
from backstop.stages import rebuild, refitting
from backstop.stages.house import House
from tasks import artifacts
from tasks.runs import run_id, say, warn

DEFAULTS: Final = {"backstop_archive_days": 400, "backstop_run_days": 14}
"""Where nobody deployed, so that there is no variable."""


@task(name="clear-runs", task_run_name="folders of old runs", cache_policy=NO_CACHE)
def clear_runs(keep_days: int | None) -> int:
    """Remove the folders of runs that are older than so many days, and hold nothing any more; return how many."""
    house = House.current()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=_days("backstop_run_days", keep_days))
    at_work = {entry.run_id for entry in house.ledger.entries(states=[State.RUNNING])}
    folders = [each for each in (house.settings.home / "runs").glob("*") if each.is_dir() and each.name not in at_work]
    old = [each for each in folders if dt.datetime.fromtimestamp(each.stat().st_mtime, dt.UTC) < before]
    for each in old:
        shutil.rmtree(each, ignore_errors=True)
    say(f"{len(old)} folders of runs before {before:%Y-%m-%d} are removed.")
    return len(old)


@task(name="prune-archive", task_run_name="raw answers past their time", cache_policy=NO_CACHE)
def prune_archive(keep_days: int | None) -> tuple[int, int]:
    """Remove raw answers that are older than so many days, except the newest to each request.

    Returns:
        Answers removed, and bytes.
    """
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=_days("backstop_archive_days", keep_days))
    gone = House.current().archive.prune(before)
    say(f"{gone.entries:,} answers before {before:%Y-%m-%d} are removed, {gone.bodies:,} bodies, {gone.size:,} bytes.")
    return gone.entries, gone.size


def _days(name: str, given: int | None) -> int:
    """Return the number that was given, otherwise the variable's, which `backstop deploy` made."""
    known: Any = given if given is not None else Variable.get(name, default=DEFAULTS[name])
    return int(known)


@task(name="compact-quarantine", task_run_name="quarantine in one file a day", cache_policy=NO_CACHE)
def compact_quarantine() -> int:
    """Put the files of quarantined rows together, one for each table and day; return how many went."""
    quarantine = House.current().quarantine
    kept = quarantine.list(state=None).select("table", "game_date").unique().sort("table", "game_date")
    gone = sum(quarantine.compact(table, day) for table, day in kept.iter_rows())
    say(f"{gone} files of quarantined rows are put together.")
    return gone


@task(name="refit-model", task_run_name="the model on the lake's own past", cache_policy=NO_CACHE)
def refit_model() -> bool:
    """Fit the model anew when it is time to; return whether later slates use the new fit."""
    house = House.current()
    done = refitting.when_due(house, baseball_day(house.clock.now()), run_id())
    if done is None:
        say(f"No refit is due: it takes {refitting.REFIT_AFTER} days with games that the last one did not see.")
        return False
    if verdict := done.verdict:
        difference = f"{verdict.difference:+.5f} nats (error {verdict.error:.5f})"
        days = f"from {verdict.first} to {verdict.last}, {done.unseen}"
        say(f"{done.fitted.version} differs from {done.in_use.version} by {difference} {days}.")
    say(done.outcome)
    return done.kept


@task(name="check-redis", task_run_name="Redis against the lake", cache_policy=NO_CACHE)
def check_redis(newest: int) -> list[dt.date]:
    """Compare the newest slates in Redis with the lake row by row, and rebuild those that differ; return them.

    A slate that somebody turned back or pinned stays as it is served: it is named.
    """
    house = House.current()
    wanted = sorted(house.lake.days(rebuild.SLATES))[-newest:]
    found = rebuild.verify(house, wanted) if wanted else []
    wrong = sorted({each.day for each in found if not each.equal and not each.held})
    lines = [f"# Redis against the lake: {len(wanted)} slates", ""]
    for done in rebuild.rebuild(house, wrong) if wrong else []:
        outcome = f"rebuilt as version {done.version}" if done.version else f"left alone: {done.left_because}"
        lines.append(f"- {done.day}: {outcome}")
        warn(f"Redis and the lake differed for {done.day}; {outcome}.")
    lines += _kept_as_they_are(found)
    if all(each.equal for each in found):
        lines.append("Both hold the same rows.")
        say(f"Redis and the lake hold the same rows for {len(wanted)} slates.")
    artifacts.markdown("redis-check", "\n".join(lines), f"{len(wrong)} slates differed")
    return wrong


def _kept_as_they_are(found: list[rebuild.Verified]) -> list[str]:
    """Tell of the days that somebody turned back or pinned, and which of them differ in their newest version."""
    lines = []
    for day, why in sorted({(each.day, each.held) for each in found if each.held}):
        differs = any(each.day == day and not each.equal for each in found)
        kept = f"left as it is served: it is {why}" + (", which differs from the lake" if differs else "")
        lines.append(f"- {day}: {kept}")
        (warn if differs else say)(f"The slate of {day} is {kept}.")
    return lines
