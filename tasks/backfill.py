"""The tasks of a backfill: what is left to do, what it may cost, its progress, its result."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from backstop.stages import backfill, days, plan, settled
from backstop.stages.days import Condition
from backstop.stages.house import House
from backstop.telemetry import Progress, emit
from tasks import artifacts, calendar
from tasks.runs import say, warn

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from backstop.net.item import Item
    from backstop.stages.backfill import Backfill

REASONS_SHOWN: Final = 20


@dataclass(frozen=True)
class BackfillSummary:
    """What a backfill came to.

    Attributes:
        plan: What it set out to do.
        days: Days that it worked on, by condition.
        left: Days that are still to do, with the reason.
    """

    plan: Backfill
    days: dict[Condition, int]
    left: dict[dt.date, str]


@task(name="plan-backfill", task_run_name="plan backfill", cache_policy=NO_CACHE)
def plan_range(
    first: dt.date | None, last: dt.date | None, degraded: bool, prices: bool, credit_limit: int | None
) -> Backfill:
    """Name the days that are still to do, and refuse what would cost too much.

    Raises:
        UsageError: the range makes no sense, or may cost more credits than allowed.
    """
    todo = backfill.plan_range(
        House.current(), first, last, degraded=degraded, prices=prices, credit_limit=credit_limit
    )
    say(todo.sentence())
    backfill.check_budget(todo)
    emit(Progress("days", total=len(todo.todo)))
    return todo


@task(name="plan-box-scores", task_run_name="plan box scores", cache_policy=NO_CACHE)
def plan_box_scores(todo: Backfill) -> list[tuple[dt.date, list[Item]]]:
    """Name the box scores of the days to do that the lake does not hold whole, in batches of one day."""
    house = House.current()
    lacking = settled.without_scores(house, todo.todo)
    return [(day, items) for day in lacking for items in plan.box_batches(house, day)]


class Meter:
    """How far a backfill is, as one progress artifact that is brought up with every finished day.

    Args:
        todo: What is to be done.
    """

    def __init__(self, todo: Backfill) -> None:
        self._lock = threading.Lock()
        self._total, self._done = len(todo.todo), 0
        artifacts.progress("backfill-progress", 0.0, todo.sentence())

    def advance(self, day: dt.date, condition: str) -> None:
        """Count a finished day."""
        with self._lock:
            self._done += 1
            emit(Progress("days", done=1, note=f"{day} {condition}"))
            said = f"{self._done} of {self._total} days, last {day}: {condition}"
            artifacts.progress("backfill-progress", 100.0 * self._done / self._total, said)


@task(name="report-backfill", task_run_name="report backfill", cache_policy=NO_CACHE)
def report(todo: Backfill, reasons: dict[dt.date, str]) -> BackfillSummary:
    """Put the season's calendar beside the run and say what is left; the ledger is asked, not the runs.

    Args:
        todo: What was to be done.
        reasons: Why a day's run failed, where it did.
    """
    house = House.current()
    worked = set(todo.todo)
    after = [each for each in days.of_range(house, todo.first, todo.last) if each.day in worked]
    open_ = {Condition.MISSING, Condition.FAILED, Condition.RUNNING}
    left = {each.day: reasons.get(each.day, each.reason) for each in after if each.condition in open_}
    summary = BackfillSummary(todo, days.count(after), left)
    artifacts.markdown("backfill", markdown(summary), todo.sentence())
    calendar.show(house, todo.first, todo.last)
    for day, reason in list(left.items())[:REASONS_SHOWN]:
        warn(f"{day} is still to do: {reason}")
    say(sentence(summary))
    return summary


def sentence(summary: BackfillSummary) -> str:
    """Say what came of it."""
    came = ", ".join(f"{number} {condition}" for condition, number in sorted(summary.days.items()))
    return f"{len(summary.plan.todo)} days worked on ({came or 'none'}); {len(summary.left)} are still to do."


def markdown(summary: BackfillSummary) -> str:
    """Write what came of it as markdown, the days that are left with their reasons."""
    lines = [f"# Backfill {summary.plan.first} to {summary.plan.last}", "", summary.plan.sentence(), ""]
    lines += ["| condition | days |", "| --- | ---: |"]
    lines += [f"| {condition} | {number} |" for condition, number in sorted(summary.days.items())]
    if summary.left:
        lines += ["", f"**{len(summary.left)} days are still to do**", "", "| day | why |", "| --- | --- |"]
        lines += [f"| {day} | {artifacts.cell(reason)} |" for day, reason in sorted(summary.left.items())]
    return "\n".join(lines)


def finished(summary: BackfillSummary) -> State[BackfillSummary]:
    """Return the final state: failed while days are left, so that a retry, or the same command, does those."""
    if summary.left:
        return Failed(message=f"{len(summary.left)} days are still to do: a retry does only those", data=summary)
    return Completed(message=sentence(summary), data=summary)
