"""Prometheus' own judge of rules, where it is installed."""

from __future__ import annotations

import shutil

import pytest

from tests.absent import absent


@pytest.fixture(scope="session")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        absent("no promtool on the path")
    return found
