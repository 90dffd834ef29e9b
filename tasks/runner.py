"""Where mapped tasks run: threads of the flow's process, or a Dask cluster, as the setting `task_runner` says.

The tasks are the same in both. What they share across processes (25 requests to a host, breakers, drafts) is kept in
Redis, so a cluster needs an address in `BACKSTOP_REDIS_URL` that every worker reaches, and one `BACKSTOP_HOME` for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from prefect.task_runners import ThreadPoolTaskRunner

from backstop.errors import ConfigurationError
from backstop.settings import Settings

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner

    Runner = TaskRunner[PrefectFuture[Any]]

THREADS = 32
"""A task that waits for another holds a thread: eight chains of four stages in flight."""

THREADS_PER_PROCESS = 8
"""Dask starts a task when its inputs are there, so no thread waits; fetching is most of what they do."""


def chosen(settings: Settings | None = None) -> Runner:
    """Return the runner that the settings name, those of the environment by default.

    Raises:
        ConfigurationError: the setting names Dask, and the extra `dask` is not installed or there is no shared Redis.
    """
    settings = settings or Settings()
    kind, _, where = settings.task_runner.partition(":")
    return cast("Runner", ThreadPoolTaskRunner(max_workers=THREADS) if kind == "threads" else _dask(where, settings))


def _dask(where: str, settings: Settings) -> object:
    """Return a runner on a cluster that runs, or on one of so many processes for as long as the flow lasts."""
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - an optional extra, a second of imports
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"BACKSTOP_TASK_RUNNER is dask:{where}, but the extra `dask` is not installed; install backstop[dask]."
        ) from error
    if settings.redis_url is None:
        raise ConfigurationError(
            f"BACKSTOP_TASK_RUNNER is dask:{where}, whose processes share their 25 requests through Redis. "
            "Set BACKSTOP_REDIS_URL to one that all of them reach."
        )
    if not where.isdigit():
        return DaskTaskRunner(address=where)
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": int(where),
            "threads_per_worker": THREADS_PER_PROCESS,
            "processes": True,
            "dashboard_address": None,
        }
    )
