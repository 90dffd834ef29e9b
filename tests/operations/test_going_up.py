"""Restart and health of a release: a command that fails, or an address that does not answer, fails the release."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from deployments import steps
from deployments.release import StepFailed
from tests.net.server import FaultServer, Say


@pytest.fixture
def server():
    with FaultServer() as server:
        yield server


def target(**changes):
    return SimpleNamespace(**{"environment": "production", "restart": "", "health": "", "settings": None, **changes})


def test_a_production_release_without_a_command_restarts_nothing(capsys):
    steps.restart(target(), None)
    assert capsys.readouterr().out == ""


def test_a_restart_that_fails_says_its_code_and_its_own_words():
    program = "import sys; sys.exit('no such unit')"
    with pytest.raises(StepFailed, match=r"ended with code 1: no such unit$"):
        steps.restart(target(restart=f'{sys.executable} -c "{program}"'), None)


def test_a_health_address_is_asked_until_it_answers(server, capsys):
    server.on("/health/ready", Say(b"", status=503), Say(b"", status=503), Say(b"{}"))
    steps.restart(target(health=f"{server.url}/health/ready"), None)
    assert len(server.heard) == 3
    assert f"{server.url}/health/ready answers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "seen"), [(503, "503"), (None, "Connection refused|All connection attempts failed")]
)
def test_an_address_that_never_answers_fails_with_what_was_seen_last(server, monkeypatch, status, seen):
    monkeypatch.setattr(steps, "HEALTHY_WITHIN_S", 0.4)
    server.fallback = Say(b"", status=status or 200)
    address = f"{server.url}/health/ready" if status else "http://127.0.0.1:9/"
    with pytest.raises(StepFailed, match=rf"did not answer 200 within 0 s; last seen: .*({seen})"):
        steps.restart(target(health=address), None)


def test_the_command_runs_before_health_is_asked(server, capsys, tmp_path):
    file = tmp_path / "restarted"
    server.on("/health", Say(b"{}"))
    steps.restart(target(restart=f"touch {file}", health=f"{server.url}/health"), None)
    assert file.exists()
    lines = capsys.readouterr().out.splitlines()
    assert ["touch" in lines[0], "answers" in lines[1]] == [True, True]
