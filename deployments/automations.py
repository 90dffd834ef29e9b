"""What happens by itself: a feed's breaker pauses what depends on it, and somebody is told when a slate goes wrong.

The events come from `tasks.feeds` (breakers), `tasks.summary` (degraded slates), `flows.reconcile` (late ones), and
Prefect itself (failed runs).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from prefect.events.actions import CallWebhook, PauseDeployment, ResumeDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from backstop.settings import Feed
from deployments.catalog import MANAGED, depending_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

PREFIX: Final = "backstop: "
"""Of every automation that is made here: those without it are somebody else's."""

FAILURES: Final = frozenset({"prefect.flow-run.Failed", "prefect.flow-run.Crashed"})

AGAIN_AFTER: Final = dt.timedelta(hours=6)
"""Reconcile finds a late slate late, and prices find a degraded one degraded, every five minutes: once is enough."""

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
    made = []
    for feed in Feed:
        ids = [deployments[each.full_name] for each in depending_on(feed) if each.full_name in deployments]
        if not ids:
            continue
        match = ResourceSpecification({"prefect.resource.id": f"backstop.feed.{feed}"})
        made += [
            _automation(
                f"{feed} is down",
                f"Pauses what depends on {feed} when its breaker opens.",
                _on(match, "backstop.breaker.open"),
                [PauseDeployment(deployment_id=each) for each in ids],
            ),
            _automation(
                f"{feed} is back",
                f"Resumes what depends on {feed} when its breaker closes.",
                _on(match, "backstop.breaker.closed"),
                [ResumeDeployment(deployment_id=each) for each in ids],
            ),
        ]
    return made


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


def _on(match: ResourceSpecification, event: str) -> EventTrigger:
    return EventTrigger(expect={event}, match=match, posture=Posture.Reactive)


def _once(match: ResourceSpecification, event: str) -> EventTrigger:
    """Return a trigger that fires for a resource's first event, and not again before `AGAIN_AFTER`."""
    return EventTrigger(
        expect={event},
        match=match,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=AGAIN_AFTER,
    )


def _automation(name: str, description: str, trigger: EventTrigger, actions: Sequence[Any]) -> AutomationCore:
    return AutomationCore(
        name=PREFIX + name,
        description=description,
        tags=[MANAGED],
        trigger=trigger,
        actions=list(actions),
    )
