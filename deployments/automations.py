"""Automations: a breaker that changes state makes `reconcile` pause or resume, and a bad slate sends a notification.

The events come from `tasks.feeds` (breakers), `tasks.summary` (degraded slates), `flows.reconcile` (late ones), and
Prefect itself (failed runs).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from prefect.events.actions import CallWebhook, RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from backstop.store.keys import SPORT
from deployments.catalog import MANAGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

PREFIX: Final = "backstop: "
"""Of every automation that is made here: those without it are somebody else's."""

FAILURES: Final = frozenset({"prefect.flow-run.Failed", "prefect.flow-run.Crashed"})

AGAIN_AFTER: Final = dt.timedelta(hours=6)
"""Reconcile finds a late slate late, and prices find a degraded one degraded, every five minutes: once is enough."""

RECONCILE: Final = f"reconcile/{SPORT}"
AT_MOST_EVERY: Final = dt.timedelta(minutes=1)
"""A feed whose breaker opens and closes all the time starts no storm of runs."""

SAID: Final = '{"text": {{ event.payload.sentence | tojson }}, "event": "{{ event.event }}"}'
RUN_SAID: Final = (
    '{"text": {{ (flow.name ~ " " ~ flow_run.name ~ " ended as " ~ flow_run.state.name) | tojson }}, '
    '"event": "{{ event.event }}"}'
)
"""Bodies of the webhook: `text` is what chat services show."""


def wanted(deployments: Mapping[str, UUID], webhook: UUID | None) -> list[AutomationCore]:
    """Return the automations that should stand, given the ids of the deployments and of the webhook block.

    Args:
        deployments: Ids by `flow/name`.
        webhook: The block that is called; without one nobody is told, and those automations are left out.
    """
    return [*_breakers(deployments), *(_notices(webhook) if webhook else [])]


def _breakers(deployments: Mapping[str, UUID]) -> list[AutomationCore]:
    """Return what lets `reconcile` pause and resume at once; it compares deployments with breakers in any case."""
    if RECONCILE not in deployments:
        return []
    feeds = ResourceSpecification({"prefect.resource.id": "backstop.feed.*"})
    act = [RunDeployment(deployment_id=deployments[RECONCILE], parameters={})]
    return [
        _automation("feed down", "Lets reconcile pause what depends on a feed when its breaker opens.",
                    _once(feeds, "backstop.breaker.open", AT_MOST_EVERY), act),
        _automation("feed back", "Lets reconcile resume what depends on a feed when its breaker closes.",
                    _once(feeds, "backstop.breaker.closed", AT_MOST_EVERY), act),
    ]  # fmt: skip


def _notices(webhook: UUID) -> list[AutomationCore]:
    slates = ResourceSpecification({"prefect.resource.id": "backstop.slate.*"})
    said = [CallWebhook(block_document_id=webhook, payload=SAID)]
    run_said = [CallWebhook(block_document_id=webhook, payload=RUN_SAID)]
    return [
        _automation("late slate", "Tells that a game begins and no slate is published.",
                    _once(slates, "backstop.slate.late"), said),
        _automation("degraded slate", "Tells that a slate was published with gaps.",
                    _once(slates, "backstop.slate.degraded"), said),
        _automation("failed slate", "Tells that a refresh failed or died.", _failed("slate-refresh"), run_said),
        _automation("failed grade", "Tells that a grading failed or died.", _failed("slate-grade"), run_said),
    ]  # fmt: skip


def _failed(flow_name: str) -> EventTrigger:
    flow = ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": flow_name})
    match = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
    return EventTrigger(expect=set(FAILURES), match=match, match_related=flow, posture=Posture.Reactive)


def _once(match: ResourceSpecification, event: str, within: dt.timedelta = AGAIN_AFTER) -> EventTrigger:
    """Return a trigger that fires for a resource's first event, and not again before some time has passed."""
    return EventTrigger(
        expect={event},
        match=match,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=within,
    )


def _automation(name: str, description: str, trigger: EventTrigger, actions: Sequence[Any]) -> AutomationCore:
    return AutomationCore(
        name=PREFIX + name,
        description=description,
        tags=[MANAGED],
        trigger=trigger,
        actions=list(actions),
    )
