"""A feed's breaker as Prefect events, so that an automation can react and the run's page shows when a feed was left."""

from __future__ import annotations

from prefect.events import emit_event

from backstop import telemetry
from backstop.net.breaker import Moved


def attach() -> None:
    """Send an event for every transition that this process causes, from now on; calling it again changes nothing."""
    telemetry.attach(tell, Moved)


def tell(move: Moved) -> None:
    """Send the event of a transition; one that another worker caused is told there."""
    if not move.here:
        return
    emit_event(
        event=f"backstop.breaker.{move.after.value}",
        resource={"prefect.resource.id": f"backstop.feed.{move.feed}", "prefect.resource.name": move.feed},
        payload={
            "feed": move.feed,
            "before": move.before.value,
            "after": move.after.value,
            "reason": move.reason,
            "pause_s": move.pause_s,
            "sentence": f"The breaker of {move.feed} is {move.after.value}: {move.reason}.",
        },
    )
