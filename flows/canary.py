"""One player end to end: what fails here would fail a slate."""

from __future__ import annotations

from prefect import flow

from tasks import canary as tasks
from tasks import marks
from tasks.forms import Player, SomeDay


@flow(name="canary", flow_run_name="canary", timeout_seconds=300, **marks.SIGNED)
def canary(day: SomeDay = None, player: Player = None) -> tasks.Canary:
    """Fetch, validate, project, load and read back one player, in a scratch lake and a draft that no reader sees.

    Args:
        day: A day whose games are over; the newest one by default.
        player: One of the starters of the day's first game; the first of them by default.
    """
    found = tasks.validate_game(tasks.fetch_game(day))
    return tasks.load_and_read(found, tasks.project_player(found, player))
