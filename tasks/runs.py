"""The current run: its id, its name, and the sentences that it logs."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.events import emit_event
from prefect.exceptions import MissingContextError
from prefect.runtime import flow_run

from backstop.clock import baseball_day

if TYPE_CHECKING:
    from backstop.stages.outcome import Outcome


def run_id() -> str:
    """Return the flow run's id, or a new one outside of a flow run."""
    return str(flow_run.id or uuid.uuid4())


def today() -> dt.date:
    """Return the baseball day of the moment for which the run was scheduled; of now outside of a run."""
    scheduled = flow_run.scheduled_start_time
    return baseball_day(scheduled or dt.datetime.now(dt.UTC))


def slate_name() -> str:
    """Return the name of a run: what it refreshes."""
    return f"slate {flow_run.parameters.get('day') or today()}"


def prices_name() -> str:
    """Return the name of a run that refreshes prices."""
    return f"prices {flow_run.parameters.get('day') or today()}"


def yesterday() -> dt.date:
    """Return the baseball day before the one for which the run was scheduled."""
    return today() - dt.timedelta(days=1)


def grade_name() -> str:
    """Return the name of a run that grades a slate."""
    return f"grade {flow_run.parameters.get('day') or yesterday()}"


def history_name() -> str:
    """Return the name of a run that fetches history."""
    return f"history before {flow_run.parameters.get('until') or today()}"


def say(sentence: str) -> None:
    """Log a sentence to the run; outside of a run nobody listens."""
    with contextlib.suppress(MissingContextError):
        get_run_logger().info(sentence)


def warn(sentence: str) -> None:
    """Log a sentence that somebody should read."""
    with contextlib.suppress(MissingContextError):
        get_run_logger().warning(sentence)


def tell(what: str, day: dt.date, sentence: str) -> None:
    """Tell automations that something happened to a slate."""
    resource = {"prefect.resource.id": f"backstop.slate.{day}", "prefect.resource.name": f"slate {day}"}
    emit_event(
        event=f"backstop.slate.{what}", resource=resource, payload={"sentence": sentence, "day": day.isoformat()}
    )


def report(outcome: Outcome, what: str) -> Outcome:
    """Log what became of a table's rows, and every gap; return the outcome."""
    say(
        f"{what}: {outcome.rows_in:,} rows in, {outcome.loaded:,} loaded, {outcome.quarantined:,} quarantined, "
        f"{outcome.failed:,} in failed batches."
    )
    for note in outcome.notes:
        say(f"{what}: {note}.")
    for gap in outcome.gaps:
        warn(f"{gap.table} {gap.key}: {gap.reason}")
    if outcome.drift:
        warn(f"{what}: columns drifted: {'; '.join(outcome.drift)}")
    return outcome
