"""Prometheus' own judge of rules, where it is installed."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        sentence = "no promtool on the path; scripts/services installs it"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
