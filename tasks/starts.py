"""Start runs on deployments, each under a key: the same key starts nothing twice, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.exceptions import ObjectNotFound

from backstop.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse


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
