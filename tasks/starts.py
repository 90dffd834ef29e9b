"""Start runs on deployments, each under a key: the same key starts nothing twice, whoever asks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.exceptions import ObjectNotFound

from backstop.errors import ConfigurationError
from backstop.stages import due

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

MOST: Final = 24
"""Runs for one key; by the pauses between them a day has passed then, and somebody should look at the fault."""

TOO_MANY: Final = "Deployment concurrency limit reached."
"""What the server says of a run that it cancels because its deployment has enough of them
(prefect.server.orchestration.core_policy)."""


def start(
    client: SyncPrefectClient, deployment: str, parameters: dict[str, Any], key: str, name: str, tags: Sequence[str]
) -> FlowRun:
    """Return the run under this key, made when there was none.

    Args:
        client: Of the server.
        deployment: As `flow/name`.
        parameters: Of the flow, as JSON.
        key: Idempotency key.
        name: Of the run.
        tags: Beside those of the deployment.

    Raises:
        ConfigurationError: the deployment is not registered.
    """
    known = _known(client, deployment)
    return client.create_flow_run_from_deployment(
        known.id, parameters=parameters, idempotency_key=key, name=name, tags=[*known.tags, *tags]
    )


def start_until_it_works(
    client: SyncPrefectClient,
    deployment: str,
    parameters: dict[str, Any],
    key: str,
    name: str,
    tags: Sequence[str],
    now: dt.datetime | None = None,
    *,
    is_routine: bool = False,
) -> FlowRun:
    """Return the run under this key, or under `key:2`, `key:3`, ... when the ones before came to nothing.

    For keys that change with the ledger: one that is asked for again is of a run that died before it wrote anything
    there. The next is made after the pause that a failed try has (`due.RETRY_AFTER`), the last of `MOST` is returned
    whatever became of it. Two who look at the same runs ask for the same key, and so for the same run.

    What a person cancelled is not begun again, unless it is one run of a row of equal ones (`is_routine`): whoever
    cancels one of those has left out that one.

    Raises:
        ConfigurationError: the deployment is not registered.
    """
    now = now or dt.datetime.now(dt.UTC)
    keys = [key, *(f"{key}:{number}" for number in range(2, MOST + 1))]
    known = runs_under(client, keys)
    begun = [each for each in keys if each in known]
    if not begun:
        return start(client, deployment, parameters, key, name, tags)
    last = known[begun[-1]]
    if len(begun) == MOST or not _died(last, is_routine=is_routine) or now - _ended(last) < due.pause_after(len(begun)):
        return last
    return start(client, deployment, parameters, keys[len(begun)], f"{name} ({len(begun) + 1})", tags)


def runs_under(client: SyncPrefectClient, keys: list[str]) -> dict[str, FlowRun]:
    """Return the runs that were made under idempotency keys, by key."""
    wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=keys))
    return {str(run.idempotency_key): run for run in client.read_flow_runs(flow_run_filter=wanted)}


def is_over(run: FlowRun) -> bool:
    """Return whether a run has ended, in whatever state."""
    return run.state is not None and run.state.is_final()


def _died(run: FlowRun, *, is_routine: bool) -> bool:
    """Return whether a run came to nothing: by itself, as one too many at once, or cancelled as one of a row."""
    state = run.state
    return state is not None and (
        state.is_crashed() or state.is_failed() or (state.is_cancelled() and (is_routine or state.message == TOO_MANY))
    )


def _ended(run: FlowRun) -> dt.datetime:
    assert run.state is not None  # noqa: S101 - it died
    return run.state.timestamp


def is_paused(client: SyncPrefectClient, deployment: str) -> bool:
    """Return whether a deployment is paused, by an automation or by a person.

    Raises:
        ConfigurationError: the deployment is not registered.
    """
    return _known(client, deployment).paused


def _known(client: SyncPrefectClient, deployment: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(deployment)
    except ObjectNotFound as error:
        raise ConfigurationError(
            f"The deployment {deployment} is not on the Prefect server; register it with `backstop deploy`."
        ) from error
