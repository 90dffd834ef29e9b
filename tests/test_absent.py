"""A test without its service skips here and fails in CI; the documents name the services that may be missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.absent import absent
from tests.here import only_here
from tests.lake import postgres
from tests.store.servers import binary

ROOT = Path(__file__).resolve().parents[1]
SENTENCE = "no such program; scripts/services installs it"
SERVICES = {"redis-server": "redis-server", "PostgreSQL": "initdb", "Chromium": "chromium", "promtool": "promtool"}
"""As documents name them, and as `scripts/services` looks for them."""


def test_without_its_service_a_test_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=SENTENCE):
        absent("no such program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=SENTENCE):
        absent("no such program")


@pytest.mark.parametrize("ask", [lambda: binary("redis-server"), postgres._programs], ids=["redis", "postgres"])
def test_servers_that_are_looked_for_and_not_there_fail_in_ci(monkeypatch: pytest.MonkeyPatch, ask) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", "")
    only_here(monkeypatch, Path, "glob", lambda *_: iter(()))
    with pytest.raises(pytest.fail.Exception, match="scripts/services installs it"):
        ask()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_documents_name_what_may_be_missing(page: str) -> None:
    told = re.sub(r"\s+", " ", (ROOT / page).read_text("utf-8"))
    looked_for = (ROOT / "scripts" / "services").read_text("utf-8")
    for name, program in SERVICES.items():
        assert name in told
        assert program in looked_for
    assert "in CI (`CI` set) they fail" in told
