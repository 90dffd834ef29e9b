"""One set of servers for the short form, and the calm season that its seeds are compared with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.season import Calm
from tests.chaos.site import Site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    # a short path: sockets lie in it
    with tempfile.TemporaryDirectory(prefix="chaos", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user
        with Site(Path(name)) as started:
            yield started


@pytest.fixture(scope="session")
def calm(site: Site) -> Calm:
    return Calm(site, longest=1)
