"""`backstop quarantine replay`: the flows over archived answers, nothing asked of a feed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from backstop.errors import UsageError
from backstop.stages import replaying
from backstop.stages.house import House
from deployments import job, machine

if TYPE_CHECKING:
    from backstop.settings import Settings


def replay(settings: Settings, table: str | None, day: dt.date | None) -> None:
    """Read the days that have quarantined rows again from the archive, check them by today's rules, publish them.

    Args:
        settings: What the command line and the environment say.
        table: Only rows of this table.
        day: Only rows of this day.

    Raises:
        UsageError: no such row is in quarantine.
        BackstopError: a run failed; the message is its sentence.
    """
    settings = machine.own_home(settings)
    settings = settings.model_copy(update={"upstream": f"replay:{settings.archive_dir}"})
    before = replaying.waiting(House.of(settings), table, day)
    if not before:
        raise UsageError("No row like that is in quarantine; `backstop quarantine list` shows which are.")
    with job.at_work(settings, f"replay of {sum(each.rows for each in before):,} quarantined rows") as work:
        from flows.history import history_refresh  # noqa: PLC0415 - Prefect reads the environment that was just made
        from flows.slate import slate_refresh  # noqa: PLC0415

        house = work.up.house
        todo = replaying.plan(house, before)
        replaying.reopen(house, todo)
        if todo.history:
            work.run(history_refresh, todo.history[-1] + dt.timedelta(days=1))
        made = [slate for slate in todo.slates if work.run(slate_refresh, slate).version is not None]
        left = {(each.table, each.day): each.rows for each in replaying.waiting(house, table, day)}
        for each in before:
            still = left.get((each.table, each.day), 0)
            work.console.print(f"{each.table} {each.day}: {each.rows:,} rows were in quarantine, {still:,} are")
        work.console.print("slates published again: " + (", ".join(map(str, made)) or "none"))
