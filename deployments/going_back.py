"""Roll back a failed deployment: slates, schema, deployments and code as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from deployments import pointers, schema
from deployments.steps import pinned, pins_here, restart
from deployments.target import name_of, remember, say

if TYPE_CHECKING:
    from backstop.stages.house import House
    from deployments.release import Release
    from deployments.target import Before, Target

ROLLED_BACK: Final = 3
STUCK: Final = 4
"""Exit codes: the release before runs as it did; a part of going back failed, which a human must look at."""


def go_back(target: Target, house: House, failed: Release, before: Before, error: BaseException) -> int:
    """Undo a deployment: deployments, schema, pointers of slates, code; every part is tried, whatever another does."""
    say("FAILED", getattr(error, "message", None) or f"{type(error).__name__}: {error}")
    parts: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("slates", lambda: pointers.put_back(house, before.slates)),
        ("schema", lambda: _schema_back(house, failed, before)),
        ("apply", lambda: _deployments_back(before)),
        ("code", lambda: _code_back(target, failed, before)),
    )
    stuck = False
    for name, undo in parts:
        try:
            for sentence in undo():
                say("roll back", sentence)
        except Exception as trouble:  # noqa: BLE001 - every part is tried, whatever another one meets
            stuck = True
            say("STUCK", f"{name}: {getattr(trouble, 'message', None) or trouble}")
    remember(target, failed.name, "stuck" if stuck else "rolled back")
    runs = f"{name_of(before.release)} runs as it did" if before.release else "there was no release before; none runs"
    say("done", f"{failed.name} was not deployed; {'look at what is STUCK above' if stuck else runs}")
    return STUCK if stuck else ROLLED_BACK


def _schema_back(house: House, failed: Release, before: Before) -> list[str]:
    now = schema.revision(house.settings)
    if before.migration is None or now == before.migration:
        return []
    failed.run("migrate back", "deployments.schema", "--back-to", before.migration)
    return [f"the ledger's schema is at {before.migration} again, not {now}"]


def _deployments_back(before: Before) -> list[str]:
    said = []
    if before.release:
        before.release.run("apply", "deployments.apply")
        said.append(pinned(before.release))
    with pins_here() as pins:
        said += [f"removed the deployment {name}" for name in pins.remove_all_but(before.deployments)]
    return said


def _code_back(target: Target, failed: Release, before: Before) -> list[str]:
    releases = target.releases
    switched = releases.current != before.release
    releases.put_back(before.release, before.previous)
    if before.release and switched:
        restart(target, before.release)
    releases.forget(failed)
    return [f"current is {before.release.name}"] if before.release else []
