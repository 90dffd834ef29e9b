"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "backstop.sources.csvtext", "backstop.sources.jsontext", "backstop.sources.parsed", "backstop.sources.teams",
    "backstop.sources.statsapi.boxscore", "backstop.sources.statsapi.people", "backstop.sources.theodds.markets", "backstop.sources.theodds.wire",
    "backstop.identity.names",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
