"""The notes of what was left running: whole or not at all, true of processes that have ended, and of one installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from backstop.settings import Settings
from deployments import kept, services
from deployments.machine import Machine
from deployments.server import PrefectServer
from tests.operations.waiting import until


def started(word):
    process = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(60)  # {word}"])
    until(lambda: kept.runs(word, process.pid), f"{word} to run")
    return process


def test_a_note_that_cannot_be_written_leaves_the_one_before(tmp_path):
    kept.note(tmp_path, [("prefect", 1)], tmp_path / "redis")
    before = (tmp_path / "kept.json").read_bytes()
    with pytest.raises(TypeError):
        kept.write(tmp_path / "kept.json", {"processes": object()})
    assert (tmp_path / "kept.json").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["kept.json"]


def test_notes_add_up_and_a_redis_is_noted_once(tmp_path):
    kept.note(tmp_path, [("prefect", 1)], None)
    kept.note(tmp_path, [("backstop.demo", 2)], tmp_path / "redis")
    kept.note(tmp_path, [], tmp_path / "redis")
    assert orjson.loads((tmp_path / "kept.json").read_bytes()) == {
        "processes": [["prefect", 1], ["backstop.demo", 2]], "redis": [str(tmp_path / "redis")]
    }  # fmt: skip


def test_a_process_is_known_by_a_word_of_its_command_and_another_with_its_number_is_left_alone(tmp_path):
    process = started("a-worker")
    try:
        assert not kept.runs("somebody-else", process.pid)
        assert not kept.end("somebody-else", process.pid)
        kept.note(tmp_path, [("somebody-else", process.pid)], None)
        assert kept.stop(tmp_path) == []
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_process_that_has_ended_does_not_run_whether_it_was_waited_for_or_not():
    process = subprocess.Popen([sys.executable, "-c", "# brief"])
    until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split(") ")[1][0] == "Z", "its end")
    assert not kept.runs("python", process.pid)
    process.wait()
    assert not kept.runs("python", process.pid)
    assert not kept.end("python", process.pid)


def test_a_process_that_ends_by_itself_just_before_it_would_be_ended_is_no_failure(monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    seen = iter([True, False])
    monkeypatch.setattr(kept, "runs", lambda *_: next(seen))
    assert kept.end("python", process.pid)


def test_a_process_that_does_not_heed_an_interrupt_is_killed(monkeypatch, tmp_path):
    ready = tmp_path / "ready"
    deaf = (
        f"import pathlib, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); pathlib.Path({str(ready)!r}).touch();"
        "time.sleep(60)  # deaf"
    )
    process = subprocess.Popen([sys.executable, "-c", deaf])
    until(ready.exists, "the process to be deaf")
    monkeypatch.setattr(kept, "STOP_LIMIT_S", 0.1)
    assert kept.end("deaf", process.pid)
    assert process.wait(60) == -9


# what a deployment for development finds again


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.delenv("PREFECT_API_URL")
    monkeypatch.setattr(services, "_answers", lambda _: True)
    return Settings(_env_file=None, home=tmp_path / "home", upstream="demo")


def left_by(settings, upstream, home):
    up = Machine(
        settings.model_copy(update={"upstream": upstream, "home": home}), None, PrefectServer("http://h:1/api", None)
    )
    services.note(settings, up)


@pytest.mark.parametrize("before", ["live", "http://127.0.0.1:8765", "replay:answers"])
def test_who_asks_for_the_league_is_never_given_what_another_deployment_fetched_from(settings, before):
    left_by(settings, before, settings.home)
    with services.reused(settings) as found:
        assert (found.upstream, found.home) == ("demo", settings.home)
        assert os.environ["PREFECT_API_URL"] == "http://h:1/api", "the server is the same one"


def test_the_league_that_is_up_is_used_again_whatever_its_port(settings):
    left_by(settings, "http://127.0.0.1:8765", settings.home / "demo")
    with services.reused(settings) as found:
        assert (found.upstream, found.home) == ("http://127.0.0.1:8765", settings.home / "demo")


@pytest.mark.parametrize("upstream", ["live", "http://127.0.0.1:8765"])
def test_the_same_upstream_is_used_again_in_the_home_that_it_had(settings, upstream):
    wanted = settings.model_copy(update={"upstream": upstream})
    left_by(wanted, upstream, wanted.home)
    with services.reused(wanted) as found:
        assert (found.upstream, found.home, found.history_first_season) == (upstream, wanted.home, 2024)


def test_an_empty_address_of_prefect_is_none(settings, monkeypatch):
    left_by(settings, "http://127.0.0.1:8765", settings.home / "demo")
    monkeypatch.setenv("PREFECT_API_URL", "")
    with services.reused(settings) as found:
        assert found.upstream == "http://127.0.0.1:8765"
        assert os.environ["PREFECT_API_URL"] == "http://h:1/api"
