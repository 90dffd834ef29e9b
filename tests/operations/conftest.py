"""One Prefect server and one demo league per session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.stages.house import House
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


@pytest.fixture
def house(tmp_path: Path, embedded_url: str) -> Iterator[House]:
    """An empty home on the session's Redis, which is emptied, too."""
    house = House(Settings(_env_file=None, home=tmp_path / "home", redis_url=embedded_url))
    house.redis.flushall()
    yield house
    house.close()
