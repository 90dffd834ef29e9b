"""What a run left up is ended from wherever its user stands."""

import subprocess
from pathlib import Path

import pytest

from deployments import kept
from tests.operations.waiting import until


@pytest.fixture
def left():
    process = subprocess.Popen(["sleep", "60"])
    # its command line can be read a moment after it was started
    until(lambda: kept.runs("sleep", process.pid), "sleep to run")
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("noted", ["absolute", "relative"])
@pytest.mark.parametrize("told", [".", "demo"], ids=["the installation", "the home of its demo league"])
def test_what_a_demo_run_left_up_is_ended_from_either_home(tmp_path, monkeypatch, left, noted, told):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / ".backstop" if noted == "absolute" else Path(".backstop")
    kept.note(home, [("sleep", left.pid)], home / "demo" / "redis")
    assert kept.stop(tmp_path / ".backstop" / told) == [f"sleep (process {left.pid})"]
    assert left.wait(60) != 0
    assert kept.stop(tmp_path / ".backstop") == []


def test_what_another_installation_left_up_is_left_alone(tmp_path, left):
    kept.note(tmp_path, [("sleep", left.pid)], tmp_path / "redis")
    assert kept.stop(tmp_path / "other") == []
    assert left.poll() is None
