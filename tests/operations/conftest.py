"""One Prefect server and one demo league per session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backstop.demo.upstream import Upstream
from deployments import server

QUIET = {
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
}


@pytest.fixture(scope="session")
def prefect_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a child process needs to find the session's Prefect server."""
    started = server.start(tmp_path_factory.mktemp("prefect"))
    try:
        started.wait_ready()
        yield {"PREFECT_API_URL": started.api_url, **QUIET}
    finally:
        started.stop()


@pytest.fixture(scope="session")
def league() -> Iterator[Upstream]:
    with Upstream.start("demo") as upstream:
        yield upstream
