"""What every test may use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from redis import Redis

from backstop.store import embedded
from backstop.store.connection import connect_url

SHARED = Path(__file__).resolve().parents[2] / "shared"


# on a busy machine an example takes longer than the 200 ms that are allowed by default, and nothing is wrong
hypothesis.settings.register_profile("untimed", parent=hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")

# with these, which some builders set, Typer writes colours into a pipe; it reads them when it is imported, by the CLI's tests
for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS"):
    os.environ.pop(name, None)

LONG = ("slow", "prefect")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: a worker that gets one of them last keeps the others waiting."""
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True, scope="module")
def environment_as_it_was() -> Iterator[None]:
    """Take back what a module's runs exported: the next module finds its own home, Redis and ledger."""
    before = {name: value for name, value in os.environ.items() if name.startswith("BACKSTOP_")}
    yield
    for name in [name for name in os.environ if name.startswith("BACKSTOP_")]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def embedded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the embedded Redis of this test process, which no test kills."""
    home = tmp_path_factory.mktemp("redis")
    yield embedded.ensure(home)
    embedded.stop(home)


@pytest.fixture
def redis(embedded_url: str) -> Iterator[Redis]:
    """A client of that Redis, emptied before the test."""
    with contextlib.closing(connect_url(embedded_url)) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real recordings, which are not part of the repository."""
    folder = SHARED / "realdata"
    if not folder.is_dir():
        pytest.skip("no ../shared/realdata beside the checkout: the real recordings are not published")
    return folder


@pytest.fixture(scope="session")
def gx_cases() -> Path:
    """Folder of Great Expectations' own JSON test cases, which are not part of the repository."""
    folder = SHARED / "gx_cases"
    if not folder.is_dir():
        pytest.skip("no ../shared/gx_cases beside the checkout: the cases belong to Great Expectations")
    return folder
